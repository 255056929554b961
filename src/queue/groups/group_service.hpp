// GroupService: the consumer groups for fibers: a JoinGroup or SyncGroup is awaited until its
// response is known, and what is due happens at its time.
//
//   JoinResult result = co_await groups.Join(std::move(request), groups.NewTicket());
//
// Owned by the Queue; one thread: the main loop's. Close before it is destroyed. Invariant: each
// fiber that waits has an entry in waits_ under its ticket.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/groups/group_coordinator.hpp"
#include "queue/groups/group_types.hpp"

namespace meridian::queue {

class GroupService {
 public:
  // `seed`: of member ids.
  GroupService(io::Loop& loop, uint64_t seed);
  GroupService(const GroupService&) = delete;
  GroupService& operator=(const GroupService&) = delete;

  // Any thread.
  Ticket NewTicket() { return 1 + last_ticket_.fetch_add(1, std::memory_order_relaxed); }

  // Each ends with an error of the protocol when the wait was abandoned or the service was closed.
  io::Task<JoinResult> Join(JoinRequest request, Ticket ticket);
  io::Task<SyncResult> Sync(SyncRequest request, Ticket ticket);
  // The client that waits with `ticket` is gone, so its wait ends. Does nothing for another ticket.
  void Abandon(Ticket ticket);

  [[nodiscard]] ErrorCode Heartbeat(std::string_view group, const MemberIdentity& member,
                                    int32_t generation);
  [[nodiscard]] ErrorCode Leave(std::string_view group, const MemberIdentity& member);
  [[nodiscard]] ErrorCode CheckCommit(std::string_view group, const MemberIdentity& member,
                                      int32_t generation);
  const GroupCoordinator& coordinator() const { return coordinator_; }
  // False: another data center has the groups. All waits end, and everything is refused with
  // NOT_COORDINATOR.
  void SetCoordinator(bool is_coordinator);
  bool is_coordinator() const { return is_coordinator_; }

  // Ends all waits, refuses what comes later, and returns when nothing waits.
  io::Task<void> Close();

 private:
  struct Wait {
    std::string group;
    std::optional<std::variant<JoinResult, SyncResult>> result = {};
    bool abandoned = false;
    io::WaitQueue woken = {};
  };

  template <class T>
  io::Task<T> Await(Ticket ticket, Wait& wait);
  void Deliver();
  bool serves() const { return is_coordinator_ && !closed_; }
  ErrorCode refusal() const;
  io::Task<void> TickRegularly();

  io::Loop& loop_;
  GroupCoordinator coordinator_;
  std::atomic<Ticket> last_ticket_ = 0;
  std::map<Ticket, Wait*> waits_;
  std::vector<Completion> completions_;
  bool is_coordinator_ = true;
  bool closed_ = false;
  io::WaitQueue deadline_changed_;
  io::WaitQueue all_ended_;
  io::Scope scope_;
};

}  // namespace meridian::queue
