#include "wire/kafka/messages/groups.hpp"

#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {

constexpr Schema DescribeGroupsRequest::kSchema{{
    Of<&DescribeGroupsRequest::groups>(),
    Of<&DescribeGroupsRequest::include_authorized_operations>({.from = 3}),
}};

constexpr Schema DescribeGroupsResponse::Group::Member::kSchema{{
    Of<&Member::id>(),
    Of<&Member::group_instance_id>({.from = 4, .nullable_from = 4}),
    Of<&Member::client_id>(),
    Of<&Member::client_host>(),
    Of<&Member::metadata>(),
    Of<&Member::assignment>(),
}};

constexpr Schema DescribeGroupsResponse::Group::kSchema{{
    Of<&Group::error>(),
    Of<&Group::id>(),
    Of<&Group::state>(),
    Of<&Group::protocol_type>(),
    Of<&Group::protocol_data>(),
    Of<&Group::members>(),
    Of<&Group::authorized_operations>({.from = 3}),
}};

constexpr Schema DescribeGroupsResponse::kSchema{{
    Of<&DescribeGroupsResponse::throttle_time_ms>({.from = 1}),
    Of<&DescribeGroupsResponse::groups>(),
}};

constexpr Schema ListGroupsRequest::kSchema{{
    Of<&ListGroupsRequest::states_filter>({.from = 4}),
}};

constexpr Schema ListGroupsResponse::Group::kSchema{{
    Of<&Group::id>(),
    Of<&Group::protocol_type>(),
    Of<&Group::state>({.from = 4}),
}};

constexpr Schema ListGroupsResponse::kSchema{{
    Of<&ListGroupsResponse::throttle_time_ms>({.from = 1}),
    Of<&ListGroupsResponse::error>(),
    Of<&ListGroupsResponse::groups>(),
}};

constexpr Schema DeleteGroupsRequest::kSchema{{
    Of<&DeleteGroupsRequest::groups>(),
}};

constexpr Schema DeleteGroupsResponse::Result::kSchema{{
    Of<&Result::group_id>(),
    Of<&Result::error>(),
}};

constexpr Schema DeleteGroupsResponse::kSchema{{
    Of<&DeleteGroupsResponse::throttle_time_ms>(),
    Of<&DeleteGroupsResponse::results>(),
}};

}  // namespace meridian::wire::kafka
