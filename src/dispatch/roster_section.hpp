// Roster::Section: the roster's lock for a part of a function, and the wake-ups that follow: fibers
// and loops are woken after the lock is released. Local to the function that makes it, on any
// loop's thread.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "dispatch/roster.hpp"

namespace meridian::dispatch {

class Roster::Section {
 public:
  // `member`: the loop of the caller, whose fibers are woken without a detour; null where the
  // caller has none.
  Section(Roster& roster, TimePoint now, const RosterMember* member = nullptr)
      : roster_(roster), member_(member), lock_(roster.mutex_) {
    roster.now_ = std::max(roster.now_, now);
  }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;
  ~Section() {
    const auto to_wake = std::exchange(roster_.to_wake_, {});
    const bool changed = std::exchange(roster_.notify_changed_, false);
    std::vector<std::shared_ptr<RosterMember>> to_notify;
    if (std::exchange(roster_.notify_members_, false)) to_notify = roster_.members_;
    lock_.unlock();
    for (const auto& request : to_wake) Wake(request);
    for (const auto& member : to_notify) Notify(member);
    if (changed) roster_.changed_.Notify();
  }

 private:
  // A request that has just timed out is not waiting any more, but uses the grant all the same.
  void Wake(const std::shared_ptr<WaitingRequest>& request) const {
    if (request->member.get() == member_) {
      (void)request->woken.WakeOne();
      return;
    }
    request->member->loop.Post([request] { (void)request->woken.WakeOne(); });
  }
  static void Notify(const std::shared_ptr<RosterMember>& member);

  Roster& roster_;
  const RosterMember* member_;
  std::unique_lock<std::mutex> lock_;
};

}  // namespace meridian::dispatch
