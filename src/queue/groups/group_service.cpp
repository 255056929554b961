#include "queue/groups/group_service.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "queue/groups/group_coordinator.hpp"
#include "queue/groups/group_types.hpp"

namespace meridian::queue {

GroupService::GroupService(io::Loop& loop, uint64_t seed)
    : loop_(loop), coordinator_(seed), scope_(loop) {
  scope_.Spawn(TickRegularly());
}

io::Task<JoinResult> GroupService::Join(JoinRequest request, Ticket ticket) {
  if (!serves()) co_return JoinResult{.error = refusal()};
  Wait wait{.group = request.group};
  waits_[ticket] = &wait;
  coordinator_.Join(std::move(request), ticket, loop_.Now(), completions_);
  co_return co_await Await<JoinResult>(ticket, wait);
}

io::Task<SyncResult> GroupService::Sync(SyncRequest request, Ticket ticket) {
  if (!serves()) co_return SyncResult{.error = refusal()};
  Wait wait{.group = request.group};
  waits_[ticket] = &wait;
  coordinator_.Sync(std::move(request), ticket, loop_.Now(), completions_);
  co_return co_await Await<SyncResult>(ticket, wait);
}

template <class T>
io::Task<T> GroupService::Await(Ticket ticket, Wait& wait) {
  Deliver();
  while (!wait.result && !wait.abandoned && serves()) {
    Result<void> woken = co_await wait.woken.Wait();
    if (!woken) wait.abandoned = true;
  }
  waits_.erase(ticket);
  if (waits_.empty()) all_ended_.WakeAll();
  if (wait.result) co_return std::move(std::get<T>(*wait.result));
  coordinator_.Abandon(wait.group, ticket, loop_.Now());
  deadline_changed_.WakeAll();
  co_return T{.error = refusal()};
}

void GroupService::SetCoordinator(bool is_coordinator) {
  if (is_coordinator == is_coordinator_) return;
  is_coordinator_ = is_coordinator;
  for (auto& [ticket, wait] : waits_) wait->woken.WakeAll();
}

ErrorCode GroupService::refusal() const {
  return is_coordinator_ ? ErrorCode::kCoordinatorNotAvailable : ErrorCode::kNotCoordinator;
}

void GroupService::Abandon(Ticket ticket) {
  auto found = waits_.find(ticket);
  if (found == waits_.end()) return;
  found->second->abandoned = true;
  found->second->woken.WakeAll();
}

ErrorCode GroupService::Heartbeat(std::string_view group, const MemberIdentity& member,
                                  int32_t generation) {
  if (!is_coordinator_) return refusal();
  return coordinator_.Heartbeat(group, member, generation, loop_.Now());
}

ErrorCode GroupService::Leave(std::string_view group, const MemberIdentity& member) {
  if (!is_coordinator_) return refusal();
  ErrorCode error = coordinator_.Leave(group, member, loop_.Now(), completions_);
  Deliver();
  return error;
}

ErrorCode GroupService::CheckCommit(std::string_view group, const MemberIdentity& member,
                                    int32_t generation) {
  if (!is_coordinator_) return refusal();
  return coordinator_.CheckCommit(group, member, generation, loop_.Now());
}

void GroupService::Deliver() {
  for (Completion& each : completions_) {
    auto found = waits_.find(each.ticket);
    if (found == waits_.end()) continue;
    found->second->result = std::move(each.result);
    found->second->woken.WakeAll();
  }
  completions_.clear();
  deadline_changed_.WakeAll();
}

io::Task<void> GroupService::TickRegularly() {
  while (true) {
    Result<void> woken = co_await deadline_changed_.Wait(coordinator_.NextDeadline());
    if (!woken && woken.error().code == Errc::kCancelled) co_return;
    coordinator_.Tick(loop_.Now(), completions_);
    if (!completions_.empty()) Deliver();
  }
}

io::Task<void> GroupService::Close() {
  closed_ = true;
  for (auto& [ticket, wait] : waits_) wait->woken.WakeAll();
  while (!waits_.empty()) (void)co_await all_ended_.Wait();
  scope_.Cancel();
  co_await scope_.Join();
}

}  // namespace meridian::queue
