#include "queue/partition/heavy_work.hpp"

#include <functional>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/fiber.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::queue {

io::Task<Result<void>> HeavyWork::Run(std::function<void()> work) {
  io::Fiber& fiber = co_await io::ThisFiber{};
  if (fiber.cancelled()) co_return Fail(Errc::kCancelled, "work on batches");
  ++runs_;
  if (pool_ == nullptr) {
    work();
    co_return co_await io::Sleep(Duration::zero());
  }
  co_return co_await io::RunBlocking(*pool_, [&work]() -> Result<void> {
    work();
    return {};
  });
}

}  // namespace meridian::queue
