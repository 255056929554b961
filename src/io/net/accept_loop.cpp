#include "io/net/accept_loop.hpp"

#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io {

Task<void> AcceptLoop::Run() {
  Loop& loop = (co_await ThisFiber{}).loop();
  for (;;) {
    Listener::Accepted stream = co_await listener_.Accept();
    if (stream) {
      if (problem_.lasts() && loop.Now() - last_error_ >= kSolvedAfter) {
        problem_.OnSolved();
        LOG_INFO("accepting connections again", {"port", options_.name});
      }
      options_.admit(std::move(*stream));
      continue;
    }
    Errc code = stream.error().code;
    if (code == Errc::kCancelled || code == Errc::kClosed) co_return;
    if (!co_await Sleep(OnError(stream.error(), loop.Now()))) co_return;
  }
}

Duration AcceptLoop::OnError(const Error& error, TimePoint now) {
  last_error_ = now;
  bool made_room = error.code == Errc::kUnavailable && options_.make_room && options_.make_room();
  if (problem_.OnProblem(error.message, now)) {
    LOG_WARNING("cannot accept connections", {"port", options_.name}, {"problem", error.message},
                {"closes_idle_connections", made_room});
  }
  return made_room ? kRoomPause : kPause;
}

}  // namespace meridian::io
