// FindCoordinator, JoinGroup, SyncGroup, Heartbeat and LeaveGroup: the membership of consumer
// groups (Kafka's JoinGroupRequest.json and so on). Pure data; decoded strings are views into the
// input.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::wire::kafka {

struct FindCoordinatorRequest {
  static constexpr ApiKey kApi = ApiKey::kFindCoordinator;

  std::string_view key;
  int8_t key_type = 0;  // 0: group, 1: transactional id
  std::vector<std::string_view> keys;

  static const Schema kSchema;
};

struct FindCoordinatorResponse {
  static constexpr ApiKey kApi = ApiKey::kFindCoordinator;

  struct Coordinator {
    std::string_view key;
    int32_t node_id = -1;
    std::string_view host;
    int32_t port = -1;
    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string_view> error_message;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  ErrorCode error = ErrorCode::kNone;
  std::optional<std::string_view> error_message;
  int32_t node_id = -1;
  std::string_view host;
  int32_t port = -1;
  std::vector<Coordinator> coordinators;

  static const Schema kSchema;
};

struct JoinGroupRequest {
  static constexpr ApiKey kApi = ApiKey::kJoinGroup;

  struct Protocol {
    std::string_view name;
    Bytes metadata;

    static const Schema kSchema;
  };

  std::string_view group_id;
  int32_t session_timeout_ms = 0;
  int32_t rebalance_timeout_ms = -1;                  // -1: the session timeout
  std::string_view member_id;                         // empty: a new member
  std::optional<std::string_view> group_instance_id;  // of a static member
  std::string_view protocol_type;
  std::vector<Protocol> protocols;  // in the member's order of preference
  std::optional<std::string_view> reason;

  static const Schema kSchema;
};

struct JoinGroupResponse {
  static constexpr ApiKey kApi = ApiKey::kJoinGroup;

  struct Member {
    std::string_view id;
    std::optional<std::string_view> group_instance_id;
    Bytes metadata;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  ErrorCode error = ErrorCode::kNone;
  int32_t generation_id = -1;
  std::optional<std::string_view> protocol_type;
  std::optional<std::string_view> protocol_name;
  std::string_view leader;
  bool skip_assignment = false;
  std::string_view member_id;
  std::vector<Member> members;  // for the leader alone

  static const Schema kSchema;
};

struct SyncGroupRequest {
  static constexpr ApiKey kApi = ApiKey::kSyncGroup;

  struct Assignment {
    std::string_view member_id;
    Bytes assignment;

    static const Schema kSchema;
  };

  std::string_view group_id;
  int32_t generation_id = 0;
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;
  std::optional<std::string_view> protocol_type;
  std::optional<std::string_view> protocol_name;
  std::vector<Assignment> assignments;  // from the leader alone

  static const Schema kSchema;
};

struct SyncGroupResponse {
  static constexpr ApiKey kApi = ApiKey::kSyncGroup;

  int32_t throttle_time_ms = 0;
  ErrorCode error = ErrorCode::kNone;
  std::optional<std::string_view> protocol_type;
  std::optional<std::string_view> protocol_name;
  Bytes assignment;

  static const Schema kSchema;
};

struct HeartbeatRequest {
  static constexpr ApiKey kApi = ApiKey::kHeartbeat;

  std::string_view group_id;
  int32_t generation_id = 0;
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;

  static const Schema kSchema;
};

struct HeartbeatResponse {
  static constexpr ApiKey kApi = ApiKey::kHeartbeat;

  int32_t throttle_time_ms = 0;
  ErrorCode error = ErrorCode::kNone;

  static const Schema kSchema;
};

struct LeaveGroupRequest {
  static constexpr ApiKey kApi = ApiKey::kLeaveGroup;

  struct Member {
    std::string_view id;
    std::optional<std::string_view> group_instance_id;
    std::optional<std::string_view> reason;

    static const Schema kSchema;
  };

  std::string_view group_id;
  std::string_view member_id;
  std::vector<Member> members;

  static const Schema kSchema;
};

struct LeaveGroupResponse {
  static constexpr ApiKey kApi = ApiKey::kLeaveGroup;

  struct Member {
    std::string_view id;
    std::optional<std::string_view> group_instance_id;
    ErrorCode error = ErrorCode::kNone;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  ErrorCode error = ErrorCode::kNone;
  std::vector<Member> members;

  static const Schema kSchema;
};

}  // namespace meridian::wire::kafka
