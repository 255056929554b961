#include "visit/load.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/load/duration_text.hpp"
#include "visit/limits.hpp"
#include "visit/record.hpp"
#include "visit/visitor.hpp"

namespace meridian::visit {
namespace {

struct Load {
  Visitor& visitor;
  OnVisit on_visit;
  size_t under_way = 0;
  io::WaitQueue ended{};
};

io::Task<void> GoOnce(Load& load, uint64_t number, TimePoint due) {
  io::Fiber& fiber = co_await io::ThisFiber{};
  Visit visit = co_await load.visitor.Go(due);
  --load.under_way;
  load.ended.WakeOne();
  if (!fiber.cancelled()) load.on_visit(number, visit);
}

}  // namespace

Result<Duration> ParseInterval(const std::string& text) {
  Result<Duration> every = site::ParseDuration(text);
  if (!every) return Fail(every.error().code, "--every: {}", every.error().message);
  if (*every < kMinInterval || *every > kMaxInterval) {
    return Fail(Errc::kInvalid, "--every is from {} to {}, not {}",
                site::DurationText(kMinInterval), site::DurationText(kMaxInterval), text);
  }
  return every;
}

io::Task<void> RunLoad(Visitor& visitor, io::Loop& loop, LoadOptions options, OnVisit on_visit) {
  Load load{visitor, std::move(on_visit)};
  io::Scope visits(loop);
  TimePoint due = loop.driver().Now();
  for (uint64_t number = 0; number < options.repeat; ++number, due += options.every) {
    if (!co_await io::SleepUntil(due)) break;
    while (load.under_way >= options.at_once) {
      if (!co_await load.ended.Wait()) break;
    }
    if (load.under_way >= options.at_once) break;
    ++load.under_way;
    visits.Spawn(GoOnce(load, number, due));
  }
  co_await visits.Join();
}

}  // namespace meridian::visit
