#include "wire/kafka/messages/membership.hpp"

#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {

constexpr Schema FindCoordinatorRequest::kSchema{{
    Of<&FindCoordinatorRequest::key>({.from = 0, .to = 3}),
    Of<&FindCoordinatorRequest::key_type>({.from = 1}),
    Of<&FindCoordinatorRequest::keys>({.from = 4}),
}};

constexpr Schema FindCoordinatorResponse::Coordinator::kSchema{{
    Of<&Coordinator::key>(),
    Of<&Coordinator::node_id>(),
    Of<&Coordinator::host>(),
    Of<&Coordinator::port>(),
    Of<&Coordinator::error>(),
    Of<&Coordinator::error_message>({.nullable_from = 4}),
}};

constexpr Schema FindCoordinatorResponse::kSchema{{
    Of<&FindCoordinatorResponse::throttle_time_ms>({.from = 1}),
    Of<&FindCoordinatorResponse::error>({.from = 0, .to = 3}),
    Of<&FindCoordinatorResponse::error_message>({.from = 1, .to = 3, .nullable_from = 1}),
    Of<&FindCoordinatorResponse::node_id>({.from = 0, .to = 3}),
    Of<&FindCoordinatorResponse::host>({.from = 0, .to = 3}),
    Of<&FindCoordinatorResponse::port>({.from = 0, .to = 3}),
    Of<&FindCoordinatorResponse::coordinators>({.from = 4}),
}};

constexpr Schema JoinGroupRequest::Protocol::kSchema{{
    Of<&Protocol::name>(),
    Of<&Protocol::metadata>(),
}};

constexpr Schema JoinGroupRequest::kSchema{{
    Of<&JoinGroupRequest::group_id>(),
    Of<&JoinGroupRequest::session_timeout_ms>(),
    Of<&JoinGroupRequest::rebalance_timeout_ms>({.from = 1}),
    Of<&JoinGroupRequest::member_id>(),
    Of<&JoinGroupRequest::group_instance_id>({.from = 5, .nullable_from = 5}),
    Of<&JoinGroupRequest::protocol_type>(),
    Of<&JoinGroupRequest::protocols>(),
    Of<&JoinGroupRequest::reason>({.from = 8, .nullable_from = 8}),
}};

constexpr Schema JoinGroupResponse::Member::kSchema{{
    Of<&Member::id>(),
    Of<&Member::group_instance_id>({.from = 5, .nullable_from = 5}),
    Of<&Member::metadata>(),
}};

constexpr Schema JoinGroupResponse::kSchema{{
    Of<&JoinGroupResponse::throttle_time_ms>({.from = 2}),
    Of<&JoinGroupResponse::error>(),
    Of<&JoinGroupResponse::generation_id>(),
    Of<&JoinGroupResponse::protocol_type>({.from = 7, .nullable_from = 7}),
    Of<&JoinGroupResponse::protocol_name>({.nullable_from = 7}),
    Of<&JoinGroupResponse::leader>(),
    Of<&JoinGroupResponse::skip_assignment>({.from = 9}),
    Of<&JoinGroupResponse::member_id>(),
    Of<&JoinGroupResponse::members>(),
}};

constexpr Schema SyncGroupRequest::Assignment::kSchema{{
    Of<&Assignment::member_id>(),
    Of<&Assignment::assignment>(),
}};

constexpr Schema SyncGroupRequest::kSchema{{
    Of<&SyncGroupRequest::group_id>(),
    Of<&SyncGroupRequest::generation_id>(),
    Of<&SyncGroupRequest::member_id>(),
    Of<&SyncGroupRequest::group_instance_id>({.from = 3, .nullable_from = 3}),
    Of<&SyncGroupRequest::protocol_type>({.from = 5, .nullable_from = 5}),
    Of<&SyncGroupRequest::protocol_name>({.from = 5, .nullable_from = 5}),
    Of<&SyncGroupRequest::assignments>(),
}};

constexpr Schema SyncGroupResponse::kSchema{{
    Of<&SyncGroupResponse::throttle_time_ms>({.from = 1}),
    Of<&SyncGroupResponse::error>(),
    Of<&SyncGroupResponse::protocol_type>({.from = 5, .nullable_from = 5}),
    Of<&SyncGroupResponse::protocol_name>({.from = 5, .nullable_from = 5}),
    Of<&SyncGroupResponse::assignment>(),
}};

constexpr Schema HeartbeatRequest::kSchema{{
    Of<&HeartbeatRequest::group_id>(),
    Of<&HeartbeatRequest::generation_id>(),
    Of<&HeartbeatRequest::member_id>(),
    Of<&HeartbeatRequest::group_instance_id>({.from = 3, .nullable_from = 3}),
}};

constexpr Schema HeartbeatResponse::kSchema{{
    Of<&HeartbeatResponse::throttle_time_ms>({.from = 1}),
    Of<&HeartbeatResponse::error>(),
}};

constexpr Schema LeaveGroupRequest::Member::kSchema{{
    Of<&Member::id>(),
    Of<&Member::group_instance_id>({.nullable_from = 3}),
    Of<&Member::reason>({.from = 5, .nullable_from = 5}),
}};

constexpr Schema LeaveGroupRequest::kSchema{{
    Of<&LeaveGroupRequest::group_id>(),
    Of<&LeaveGroupRequest::member_id>({.from = 0, .to = 2}),
    Of<&LeaveGroupRequest::members>({.from = 3}),
}};

constexpr Schema LeaveGroupResponse::Member::kSchema{{
    Of<&Member::id>(),
    Of<&Member::group_instance_id>({.nullable_from = 3}),
    Of<&Member::error>(),
}};

constexpr Schema LeaveGroupResponse::kSchema{{
    Of<&LeaveGroupResponse::throttle_time_ms>({.from = 1}),
    Of<&LeaveGroupResponse::error>(),
    Of<&LeaveGroupResponse::members>({.from = 3}),
}};

}  // namespace meridian::wire::kafka
