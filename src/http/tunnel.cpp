#include "http/tunnel.hpp"

#include <cstddef>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "http/incoming_body.hpp"
#include "http/limits.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"

namespace meridian::http {
namespace {

struct Activity {
  io::Loop& loop;
  Duration idle_timeout;
  TimePoint last;
  Result<void> outcome = {};
};

// Reads the available bytes into `from.received`; 0 is the end. Only silence in both directions
// counts towards the idle timeout.
io::Task<Result<size_t>> ReadSome(Upgraded& from, Activity& activity) {
  for (;;) {
    TimePoint deadline = SaturatingAdd(activity.last, activity.idle_timeout);
    Result<size_t> got =
        co_await from.stream.Read(SpaceToRead(from.received, kTunnelBytes), deadline);
    bool other_side_moved = SaturatingAdd(activity.last, activity.idle_timeout) > deadline;
    if (!got && got.error().code == Errc::kTimeout && other_side_moved) continue;
    if (got) from.received.Commit(*got);
    co_return got;
  }
}

io::Task<Result<void>> Copy(Upgraded& from, Upgraded& to, Activity& activity) {
  for (;;) {
    if (!from.received.empty()) {
      TimePoint deadline = activity.loop.After(activity.idle_timeout);
      Result<void> sent = co_await to.stream.Write(from.received.readable(), deadline);
      if (!sent) co_return sent;
      from.received.Consume(from.received.size());
      activity.last = activity.loop.Now();
    }
    Result<size_t> got = co_await ReadSome(from, activity);
    if (!got) co_return Fail(std::move(got.error()));
    if (*got == 0) break;
    activity.last = activity.loop.Now();
  }
  to.stream.ShutdownWrite();
  co_return Result<void>{};
}

io::Task<void> CopyOrBreak(Upgraded& from, Upgraded& to, Activity& activity) {
  Result<void> copied = co_await Copy(from, to, activity);
  if (copied) co_return;
  if (activity.outcome) activity.outcome = std::move(copied);
  from.stream.Abort();
  to.stream.Abort();
}

}  // namespace

io::Task<Result<void>> Tunnel(io::Loop& loop, Upgraded a, Upgraded b, Duration idle_timeout) {
  Activity activity{.loop = loop, .idle_timeout = idle_timeout, .last = loop.Now()};
  io::Scope scope(loop);
  scope.Spawn(CopyOrBreak(a, b, activity));
  scope.Spawn(CopyOrBreak(b, a, activity));
  co_await scope.Join();
  co_return std::move(activity.outcome);
}

}  // namespace meridian::http
