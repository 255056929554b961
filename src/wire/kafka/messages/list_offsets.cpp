#include "wire/kafka/messages/list_offsets.hpp"

#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {

constexpr Schema ListOffsetsRequest::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::current_leader_epoch>({.from = 4}),
    Of<&Partition::timestamp_ms>(),
}};

constexpr Schema ListOffsetsRequest::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema ListOffsetsRequest::kSchema{{
    Of<&ListOffsetsRequest::replica_id>(),
    Of<&ListOffsetsRequest::isolation_level>({.from = 2}),
    Of<&ListOffsetsRequest::topics>(),
}};

constexpr Schema ListOffsetsResponse::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::error>(),
    Of<&Partition::timestamp_ms>(),
    Of<&Partition::offset>(),
    Of<&Partition::leader_epoch>({.from = 4}),
}};

constexpr Schema ListOffsetsResponse::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema ListOffsetsResponse::kSchema{{
    Of<&ListOffsetsResponse::throttle_time_ms>({.from = 2}),
    Of<&ListOffsetsResponse::topics>(),
}};

constexpr Schema OffsetForLeaderEpochRequest::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::current_leader_epoch>({.from = 2}),
    Of<&Partition::leader_epoch>(),
}};

constexpr Schema OffsetForLeaderEpochRequest::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema OffsetForLeaderEpochRequest::kSchema{{
    Of<&OffsetForLeaderEpochRequest::replica_id>({.from = 3}),
    Of<&OffsetForLeaderEpochRequest::topics>(),
}};

constexpr Schema OffsetForLeaderEpochResponse::Topic::Partition::kSchema{{
    Of<&Partition::error>(),
    Of<&Partition::index>(),
    Of<&Partition::leader_epoch>({.from = 1}),
    Of<&Partition::end_offset>(),
}};

constexpr Schema OffsetForLeaderEpochResponse::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema OffsetForLeaderEpochResponse::kSchema{{
    Of<&OffsetForLeaderEpochResponse::throttle_time_ms>({.from = 2}),
    Of<&OffsetForLeaderEpochResponse::topics>(),
}};

}  // namespace meridian::wire::kafka
