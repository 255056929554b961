#include "wire/kafka/messages/offsets.hpp"

#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {

constexpr Schema OffsetCommitRequest::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::committed_offset>(),
    Of<&Partition::committed_leader_epoch>({.from = 6}),
    Of<&Partition::committed_metadata>({.nullable_from = 0}),
}};

constexpr Schema OffsetCommitRequest::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema OffsetCommitRequest::kSchema{{
    Of<&OffsetCommitRequest::group_id>(),
    Of<&OffsetCommitRequest::generation_id>({.from = 1}),
    Of<&OffsetCommitRequest::member_id>({.from = 1}),
    Of<&OffsetCommitRequest::group_instance_id>({.from = 7, .nullable_from = 7}),
    Of<&OffsetCommitRequest::retention_time_ms>({.from = 2, .to = 4}),
    Of<&OffsetCommitRequest::topics>(),
}};

constexpr Schema OffsetCommitResponse::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::error>(),
}};

constexpr Schema OffsetCommitResponse::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema OffsetCommitResponse::kSchema{{
    Of<&OffsetCommitResponse::throttle_time_ms>({.from = 3}),
    Of<&OffsetCommitResponse::topics>(),
}};

constexpr Schema OffsetFetchRequest::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema OffsetFetchRequest::Group::kSchema{{
    Of<&Group::id>(),
    Of<&Group::member_id>({.from = 9, .nullable_from = 9}),
    Of<&Group::member_epoch>({.from = 9}),
    Of<&Group::topics>({.nullable_from = 8}),
}};

constexpr Schema OffsetFetchRequest::kSchema{{
    Of<&OffsetFetchRequest::group_id>({.from = 0, .to = 7}),
    Of<&OffsetFetchRequest::topics>({.from = 0, .to = 7, .nullable_from = 2}),
    Of<&OffsetFetchRequest::groups>({.from = 8}),
    Of<&OffsetFetchRequest::require_stable>({.from = 7}),
}};

constexpr Schema OffsetFetchResponse::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::committed_offset>(),
    Of<&Partition::committed_leader_epoch>({.from = 5}),
    Of<&Partition::metadata>({.nullable_from = 0}),
    Of<&Partition::error>(),
}};

constexpr Schema OffsetFetchResponse::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema OffsetFetchResponse::Group::kSchema{{
    Of<&Group::id>(),
    Of<&Group::topics>(),
    Of<&Group::error>(),
}};

constexpr Schema OffsetFetchResponse::kSchema{{
    Of<&OffsetFetchResponse::throttle_time_ms>({.from = 3}),
    Of<&OffsetFetchResponse::topics>({.from = 0, .to = 7}),
    Of<&OffsetFetchResponse::error>({.from = 2, .to = 7}),
    Of<&OffsetFetchResponse::groups>({.from = 8}),
}};

constexpr Schema OffsetDeleteRequest::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
}};

constexpr Schema OffsetDeleteRequest::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema OffsetDeleteRequest::kSchema{{
    Of<&OffsetDeleteRequest::group_id>(),
    Of<&OffsetDeleteRequest::topics>(),
}};

constexpr Schema OffsetDeleteResponse::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::error>(),
}};

constexpr Schema OffsetDeleteResponse::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema OffsetDeleteResponse::kSchema{{
    Of<&OffsetDeleteResponse::error>(),
    Of<&OffsetDeleteResponse::throttle_time_ms>(),
    Of<&OffsetDeleteResponse::topics>(),
}};

}  // namespace meridian::wire::kafka
