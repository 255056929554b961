#include "queue/groups/group_coordinator.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "queue/groups/consumer_group.hpp"
#include "queue/groups/group_types.hpp"
#include "queue/limits.hpp"

namespace meridian::queue {

void GroupCoordinator::Join(JoinRequest request, Ticket ticket, TimePoint now,
                            std::vector<Completion>& out) {
  auto refuse = [&](ErrorCode error) {
    out.push_back({ticket, JoinResult{.error = error, .member_id = request.member.member_id}});
  };
  if (ErrorCode error = CheckJoin(request); error != ErrorCode::kNone) return refuse(error);
  auto group = groups_.find(request.group);
  if (group == groups_.end()) {
    if (!request.member.member_id.empty()) return refuse(ErrorCode::kUnknownMemberId);
    if (groups_.size() >= kMaxActiveGroups) return refuse(ErrorCode::kCoordinatorNotAvailable);
    group = groups_.emplace(request.group, Entry{}).first;
  }
  std::string new_member_id;
  if (request.member.member_id.empty()) {
    new_member_id = NewMemberId(request.member.instance_id.empty() ? request.client_id
                                                                   : request.member.instance_id);
  }
  group->second.group.Join(std::move(request), std::move(new_member_id), ticket, now, out);
  Settle(group);
}

ErrorCode GroupCoordinator::CheckJoin(const JoinRequest& request) const {
  if (request.group.empty() || request.group.size() > kMaxGroupIdBytes) {
    return ErrorCode::kInvalidGroupId;
  }
  if (request.session_timeout < kMinSessionTimeout ||
      request.session_timeout > kMaxSessionTimeout) {
    return ErrorCode::kInvalidSessionTimeout;
  }
  if (request.member.instance_id.size() > kMaxInstanceIdBytes) return ErrorCode::kInvalidRequest;
  if (bytes_ >= kMaxGroupBytes) return ErrorCode::kGroupMaxSizeReached;
  return ErrorCode::kNone;
}

std::string GroupCoordinator::NewMemberId(std::string_view client_id) {
  return fmt::format("{}-{:016x}{:016x}", client_id.substr(0, kMaxClientIdInMemberId),
                     random_.Next(), random_.Next());
}

void GroupCoordinator::Sync(SyncRequest request, Ticket ticket, TimePoint now,
                            std::vector<Completion>& out) {
  auto group = groups_.find(request.group);
  if (group == groups_.end()) {
    out.push_back({ticket, SyncResult{.error = ErrorCode::kUnknownMemberId}});
    return;
  }
  group->second.group.Sync(std::move(request), ticket, now, out);
  Settle(group);
}

// Makes nothing due earlier, so the group is not settled.
ErrorCode GroupCoordinator::Heartbeat(std::string_view group, const MemberIdentity& member,
                                      int32_t generation, TimePoint now) {
  auto found = groups_.find(group);
  if (found == groups_.end()) return ErrorCode::kUnknownMemberId;
  return found->second.group.Heartbeat(member, generation, now);
}

ErrorCode GroupCoordinator::Leave(std::string_view group, const MemberIdentity& member,
                                  TimePoint now, std::vector<Completion>& out) {
  auto found = groups_.find(group);
  if (found == groups_.end()) return ErrorCode::kUnknownMemberId;
  ErrorCode error = found->second.group.Leave(member, now, out);
  Settle(found);
  return error;
}

ErrorCode GroupCoordinator::CheckCommit(std::string_view group, const MemberIdentity& member,
                                        int32_t generation, TimePoint now) {
  if (group.empty() || group.size() > kMaxGroupIdBytes) return ErrorCode::kInvalidGroupId;
  auto found = groups_.find(group);
  if (found != groups_.end()) {
    return found->second.group.CheckCommit(member, generation, now);
  }
  return generation < 0 && member.member_id.empty() ? ErrorCode::kNone
                                                    : ErrorCode::kUnknownMemberId;
}

void GroupCoordinator::Abandon(std::string_view group, Ticket ticket, TimePoint now) {
  auto found = groups_.find(group);
  if (found == groups_.end()) return;
  found->second.group.Abandon(ticket, now);
  Settle(found);
}

void GroupCoordinator::Tick(TimePoint now, std::vector<Completion>& out) {
  while (!due_.empty() && due_.begin()->first <= now) {
    auto group = groups_.find(due_.begin()->second);
    group->second.group.Tick(now, out);
    Settle(group);
  }
}

const ConsumerGroup* GroupCoordinator::Find(std::string_view group) const {
  auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second.group;
}

void GroupCoordinator::Settle(Groups::iterator group) {
  Entry& entry = group->second;
  if (entry.due != kNever) due_.erase({entry.due, group->first});
  bytes_ -= entry.counted_bytes;
  if (entry.group.forgettable()) {
    groups_.erase(group);
    return;
  }
  entry.counted_bytes = entry.group.bytes();
  bytes_ += entry.counted_bytes;
  entry.due = entry.group.NextDeadline();
  if (entry.due != kNever) due_.insert({entry.due, group->first});
}

}  // namespace meridian::queue
