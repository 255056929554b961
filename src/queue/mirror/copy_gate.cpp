#include "queue/mirror/copy_gate.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/limits.hpp"
#include "store/mirror/mirror_server.hpp"

namespace meridian::queue {

CopyGate::CopyGate(Parts parts)
    : parts_(std::move(parts)), given_up_(parts_.peers + 1), scope_(parts_.loop) {}

void CopyGate::Start() { scope_.Spawn(AwaitReturn()); }

io::Task<void> CopyGate::Stop() {
  scope_.Cancel();
  co_await scope_.Join();
}

// How many of the copies are still waited for.
size_t CopyGate::Wanted(size_t copies) const {
  copies = std::min(copies, parts_.peers);
  while (copies > 0 && given_up_[copies]) --copies;
  return copies;
}

size_t CopyGate::certain() const { return Wanted(asked_); }

bool CopyGate::IsOpen(uint64_t journal_end, size_t copies) const {
  const size_t wanted = Wanted(copies);
  return wanted == 0 || parts_.server.CountWith(parts_.log, journal_end) >= wanted;
}

io::Task<Result<void>> CopyGate::Await(uint64_t journal_end, size_t copies) {
  asked_ = std::max(asked_, std::min(copies, parts_.peers));
  const TimePoint deadline = parts_.loop.After(kMaxCopyWait);
  while (!IsOpen(journal_end, copies)) {
    const size_t wanted = Wanted(copies);
    const size_t have =
        co_await parts_.server.AwaitFollowers(parts_.log, journal_end, wanted, deadline);
    if (have >= wanted) continue;
    // Whether this fiber was cancelled.
    if (Result<void> alive = co_await io::Sleep(Duration::zero()); !alive) co_return alive;
    if (parts_.loop.Now() < deadline) continue;
    for (size_t i = have + 1; i <= wanted; ++i) given_up_[i] = true;
    LOG_ERROR("too few data centers have new messages: going on without", {"copies", have},
              {"wanted", wanted});
    gave_up_.WakeAll();
  }
  co_return Result<void>{};
}

// Ends it when as many as are wanted have all that was durable a moment before.
io::Task<void> CopyGate::AwaitReturn() {
  for (;;) {
    const size_t wanted = certain() + 1;
    if (wanted > asked_) {
      if (!co_await gave_up_.Wait()) co_return;
      continue;
    }
    const size_t have = co_await parts_.server.AwaitFollowers(parts_.log, parts_.journal_end(),
                                                              wanted, parts_.loop.After(kCopyLook));
    if (!co_await io::Sleep(kCopyPause)) co_return;
    if (have < wanted) continue;
    given_up_[wanted] = false;
    LOG_INFO("data centers have new messages again", {"copies", wanted}, {"asked", asked_});
  }
}

}  // namespace meridian::queue
