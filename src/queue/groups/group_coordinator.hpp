// GroupCoordinator: all consumer groups of this data center that have members, and when something
// of them is due. Pure: the caller passes the time, and delivers the completions (group.hpp).
//
//   coordinator.Join(request, ticket, now, out);   // the result comes now or later, in `out`
//   coordinator.Tick(now, out);                    // at NextDeadline()
//
// A group without members is forgotten here; its committed offsets are the engine's.
//
// Owned by the GroupService; one thread. Invariants: at most kMaxActiveGroups groups, with at most
// kMaxGroupBytes of metadata and assignments; NextDeadline() is never later than that of a group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "queue/groups/consumer_group.hpp"
#include "queue/groups/group_types.hpp"

namespace meridian::queue {

class GroupCoordinator {
 public:
  // `seed`: of member ids; from the kernel's entropy in programs.
  explicit GroupCoordinator(uint64_t seed) : random_(seed) {}

  void Join(JoinRequest request, Ticket ticket, TimePoint now, std::vector<Completion>& out);
  void Sync(SyncRequest request, Ticket ticket, TimePoint now, std::vector<Completion>& out);
  [[nodiscard]] ErrorCode Heartbeat(std::string_view group, const MemberIdentity& member,
                                    int32_t generation, TimePoint now);
  [[nodiscard]] ErrorCode Leave(std::string_view group, const MemberIdentity& member, TimePoint now,
                                std::vector<Completion>& out);
  [[nodiscard]] ErrorCode CheckCommit(std::string_view group, const MemberIdentity& member,
                                      int32_t generation, TimePoint now);
  // The client that waits for the response of `ticket` of this group is gone.
  void Abandon(std::string_view group, Ticket ticket, TimePoint now);

  void Tick(TimePoint now, std::vector<Completion>& out);
  // kNever: nothing is due.
  TimePoint NextDeadline() const { return due_.empty() ? kNever : due_.begin()->first; }

  // Null: the group has no members.
  const ConsumerGroup* Find(std::string_view group) const;
  // Calls `visit(name, group)` for each group, by name.
  template <class Visit>
  void ForEach(Visit visit) const {
    for (const auto& [name, entry] : groups_) visit(name, entry.group);
  }
  size_t groups() const { return groups_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    ConsumerGroup group;
    size_t counted_bytes = 0;  // in bytes_
    TimePoint due = kNever;    // in due_, unless kNever
  };
  using Groups = std::map<std::string, Entry, std::less<>>;

  [[nodiscard]] ErrorCode CheckJoin(const JoinRequest& request) const;
  std::string NewMemberId(std::string_view client_id);
  // After a change of the group: counts its bytes, schedules it, or forgets it.
  void Settle(Groups::iterator group);

  Random random_;
  Groups groups_;
  std::set<std::pair<TimePoint, std::string>> due_;
  size_t bytes_ = 0;
};

}  // namespace meridian::queue
