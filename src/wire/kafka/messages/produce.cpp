#include "wire/kafka/messages/produce.hpp"

#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {

constexpr Schema ProduceRequest::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::records>({.nullable_from = 0}),
}};

constexpr Schema ProduceRequest::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema ProduceRequest::kSchema{{
    Of<&ProduceRequest::transactional_id>({.from = 3, .nullable_from = 3}),
    Of<&ProduceRequest::acks>(),
    Of<&ProduceRequest::timeout_ms>(),
    Of<&ProduceRequest::topics>(),
}};

constexpr Schema ProduceResponse::Topic::Partition::RecordError::kSchema{{
    Of<&RecordError::batch_index>(),
    Of<&RecordError::message>({.nullable_from = 8}),
}};

constexpr Schema ProduceResponse::Topic::Partition::Leader::kSchema{{
    Of<&Leader::id>(),
    Of<&Leader::epoch>(),
}};

constexpr Schema ProduceResponse::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::error>(),
    Of<&Partition::base_offset>(),
    Of<&Partition::log_append_time_ms>({.from = 2}),
    Of<&Partition::log_start_offset>({.from = 5}),
    Of<&Partition::record_errors>({.from = 8}),
    Of<&Partition::error_message>({.from = 8, .nullable_from = 8}),
    Of<&Partition::current_leader>({.from = 10, .tag = 0}),
}};

constexpr Schema ProduceResponse::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema ProduceResponse::NodeEndpoint::kSchema{{
    Of<&NodeEndpoint::node_id>(),
    Of<&NodeEndpoint::host>(),
    Of<&NodeEndpoint::port>(),
    Of<&NodeEndpoint::rack>({.nullable_from = 10}),
}};

constexpr Schema ProduceResponse::kSchema{{
    Of<&ProduceResponse::topics>(),
    Of<&ProduceResponse::throttle_time_ms>({.from = 1}),
    Of<&ProduceResponse::node_endpoints>({.from = 10, .tag = 0}),
}};

}  // namespace meridian::wire::kafka
