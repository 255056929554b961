// ConsumerGroup: the state machine of one consumer group: which members it has, when they
// rebalance, which assignment is in force. Pure: the caller passes the time and delivers the
// completions. It follows Kafka's classic protocol (JoinGroup 0-9, SyncGroup 0-5), with static
// members (KIP-345), member ids that are told first (KIP-394), and cooperative rebalancing, which
// is up to the members.
//
//   Empty -> PreparingRebalance -> CompletingRebalance -> Stable -> PreparingRebalance ...
//
// A rebalance begins when a member joins, leaves, changes its protocols or misses its session
// timeout. All members must join again; when all have, or the longest rebalance timeout is over,
// the next generation begins with those that have (a static member that has not joined stays).
// The leader sends the assignment, and each member gets its part. A member that waits for a
// response does not miss its session timeout. A member that joined but does not ask for its
// assignment within the rebalance timeout is removed.
//
// Membership is not durable: after a restart the members are unknown and join again. Member ids are
// random, so a request of an earlier incarnation is refused whatever its generation.
//
// Owned by the GroupCoordinator; one thread. Invariants: each ticket is completed at most once; a
// member waits for at most one response; the leader is a member, but in an empty group; the
// generation increases with each rebalance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "queue/groups/group_types.hpp"
#include "queue/groups/protocol_choice.hpp"

namespace meridian::queue {

class ConsumerGroup {
 public:
  // `new_member_id`: random and unique, for a member that has none. The result of a member that
  // must wait comes as a completion; nothing of the request is kept after an error.
  void Join(JoinRequest request, std::string new_member_id, Ticket ticket, TimePoint now,
            std::vector<Completion>& out);
  void Sync(SyncRequest request, Ticket ticket, TimePoint now, std::vector<Completion>& out);
  [[nodiscard]] ErrorCode Heartbeat(const MemberIdentity& member, int32_t generation,
                                    TimePoint now);
  [[nodiscard]] ErrorCode Leave(const MemberIdentity& member, TimePoint now,
                                std::vector<Completion>& out);
  // Whether the member may commit offsets. A generation below 0 is a consumer that is no member,
  // which may commit for a group without members. Counts as a heartbeat.
  [[nodiscard]] ErrorCode CheckCommit(const MemberIdentity& member, int32_t generation,
                                      TimePoint now);
  // The client that waits for the response of `ticket` is gone: its session timeout counts from
  // now on.
  void Abandon(Ticket ticket, TimePoint now);

  // Does what is due; NextDeadline says when to call it at the latest.
  void Tick(TimePoint now, std::vector<Completion>& out);
  TimePoint NextDeadline() const;

  GroupState state() const { return state_; }
  int32_t generation() const { return generation_; }
  const std::string& protocol_type() const { return protocol_type_; }
  size_t members() const { return members_.size(); }
  bool forgettable() const { return members_.empty() && pending_.empty(); }
  size_t bytes() const;  // about what it takes in memory
  GroupDescription Describe() const;

 private:
  enum class Waiting : uint8_t { kNothing, kJoin, kSync };
  struct Member {
    std::string instance_id;
    std::string client_id;
    std::string client_host;
    Duration session_timeout{};
    Duration rebalance_timeout{};
    std::vector<GroupProtocol> protocols;
    std::vector<uint8_t> assignment;
    Waiting waiting = Waiting::kNothing;
    Ticket ticket = 0;
    bool joined = false;  // in the rebalance that is under way
    TimePoint expiry{};   // of its session, while it waits for nothing

    size_t bytes() const;
  };
  using Members = std::map<std::string, Member, std::less<>>;

  [[nodiscard]] ErrorCode CheckJoin(const JoinRequest& request) const;
  // The member that the identity names, or why there is none (unknown, or fenced).
  std::variant<Members::iterator, ErrorCode> Find(const MemberIdentity& identity);
  void JoinNew(JoinRequest request, std::string new_member_id, Ticket ticket, TimePoint now,
               std::vector<Completion>& out);
  void ReplaceStatic(JoinRequest request, std::string new_member_id, Ticket ticket, TimePoint now,
                     std::vector<Completion>& out);
  void Rejoin(Members::iterator member, JoinRequest request, Ticket ticket, TimePoint now,
              std::vector<Completion>& out);
  Members::iterator Add(JoinRequest& request, std::string member_id);
  void Update(Member& member, JoinRequest& request);
  void AwaitJoin(Members::iterator member, Ticket ticket, TimePoint now,
                 std::vector<Completion>& out);
  void Remove(Members::iterator member, TimePoint now, std::vector<Completion>& out);
  void Erase(Members::iterator member);

  void PrepareRebalance(TimePoint now, std::vector<Completion>& out);
  void CompleteJoinIfAllHave(TimePoint now, std::vector<Completion>& out);
  void CompleteJoin(TimePoint now, std::vector<Completion>& out);
  void CompleteSync(SyncRequest& request, TimePoint now, std::vector<Completion>& out);
  void ExpireMembers(TimePoint now, std::vector<Completion>& out);
  void RemoveUnsynced(TimePoint now, std::vector<Completion>& out);
  void Complete(Member& member, std::variant<JoinResult, SyncResult> result, TimePoint now,
                std::vector<Completion>& out);
  JoinResult ResultFor(Members::const_iterator member) const;
  std::vector<ProtocolList> ProtocolsOf(std::string_view except = {}) const;
  Duration LongestRebalanceTimeout() const;

  GroupState state_ = GroupState::kEmpty;
  int32_t generation_ = 0;
  std::string protocol_type_;
  std::string protocol_;
  std::string leader_;
  Members members_;
  std::map<std::string, std::string, std::less<>> static_members_;  // member id by instance id
  std::map<std::string, TimePoint, std::less<>> pending_;           // told their id, with expiry
  // While a rebalance is prepared: when it ends at the latest. While it completes: when members
  // that have not asked for their assignment are removed.
  TimePoint rebalance_deadline_ = kNever;
  // Of an empty group's first rebalance: it waits until then for further members.
  std::optional<TimePoint> initial_wait_;
  size_t bytes_ = 0;
};

}  // namespace meridian::queue
