// The requests and results of consumer groups, as the coordinator decides on them: values without
// the version of the protocol in which they came. Field names and meanings are those of Kafka's
// JoinGroup, SyncGroup, Heartbeat, LeaveGroup and DescribeGroups messages.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::queue {

using wire::kafka::ErrorCode;

enum class GroupState : uint8_t {
  kEmpty,                // no members
  kPreparingRebalance,   // waits for all members to join
  kCompletingRebalance,  // waits for the leader's assignment
  kStable,
};

// As DescribeGroups and ListGroups spell it.
std::string_view GroupStateName(GroupState state);

// An assignment strategy that a member supports, with what the member tells the leader about
// itself. The coordinator does not look into `metadata`.
struct GroupProtocol {
  std::string name;
  std::vector<uint8_t> metadata;

  bool operator==(const GroupProtocol&) const = default;
};

// Names the response that a request waits for; the caller chooses it, and never twice.
using Ticket = uint64_t;

// The sender of a request within a group.
struct MemberIdentity {
  std::string member_id;    // empty: it has none yet
  std::string instance_id;  // of a static member (group.instance.id); empty: a dynamic member
};

struct JoinRequest {
  std::string group;
  MemberIdentity member;
  std::string client_id;
  std::string client_host;
  Duration session_timeout{};
  Duration rebalance_timeout{};
  std::string protocol_type;
  std::vector<GroupProtocol> protocols;  // in the order of the member's preference
  // A new dynamic member is told its id first, and joins with a second request (KIP-394).
  bool requires_member_id = false;
};

struct JoinedMember {
  std::string member_id;
  std::string instance_id;
  std::vector<uint8_t> metadata;  // of the chosen protocol
};

struct JoinResult {
  ErrorCode error = ErrorCode::kNone;
  int32_t generation = -1;
  std::string protocol_type;
  std::string protocol;
  std::string leader;
  std::string member_id;
  // The leader keeps the assignment that is in force: a static leader came back (KIP-814).
  bool skip_assignment = false;
  std::vector<JoinedMember> members;  // for the leader alone
};

struct SyncRequest {
  std::string group;
  MemberIdentity member;
  int32_t generation = -1;
  std::string protocol_type;                                             // empty: not said
  std::string protocol;                                                  // empty: not said
  std::map<std::string, std::vector<uint8_t>, std::less<>> assignments;  // of the leader, by member
};

struct SyncResult {
  ErrorCode error = ErrorCode::kNone;
  std::string protocol_type;
  std::string protocol;
  std::vector<uint8_t> assignment;
};

// A response that became known: of the request with that ticket.
struct Completion {
  Ticket ticket = 0;
  std::variant<JoinResult, SyncResult> result;
};

struct MemberDescription {
  std::string member_id;
  std::string instance_id;
  std::string client_id;
  std::string client_host;
  std::vector<uint8_t> metadata;    // empty while the group is rebalancing
  std::vector<uint8_t> assignment;  // likewise
};

struct GroupDescription {
  GroupState state = GroupState::kEmpty;
  std::string protocol_type;
  std::string protocol;
  std::vector<MemberDescription> members;
};

}  // namespace meridian::queue
