#include "wire/kafka/messages/topics.hpp"

#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {

constexpr Schema CreateTopicsRequest::Topic::Assignment::kSchema{{
    Of<&Assignment::partition>(),
    Of<&Assignment::broker_ids>(),
}};

constexpr Schema CreateTopicsRequest::Topic::Config::kSchema{{
    Of<&Config::name>(),
    Of<&Config::value>({.nullable_from = 0}),
}};

constexpr Schema CreateTopicsRequest::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::num_partitions>(),
    Of<&Topic::replication_factor>(),
    Of<&Topic::assignments>(),
    Of<&Topic::configs>(),
}};

constexpr Schema CreateTopicsRequest::kSchema{{
    Of<&CreateTopicsRequest::topics>(),
    Of<&CreateTopicsRequest::timeout_ms>(),
    Of<&CreateTopicsRequest::validate_only>({.from = 1}),
}};

constexpr Schema CreateTopicsResponse::Topic::Config::kSchema{{
    Of<&Config::name>(),
    Of<&Config::value>({.nullable_from = 5}),
    Of<&Config::read_only>(),
    Of<&Config::source>(),
    Of<&Config::is_sensitive>(),
}};

constexpr Schema CreateTopicsResponse::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::id>({.from = 7}),
    Of<&Topic::error>(),
    Of<&Topic::error_message>({.from = 1, .nullable_from = 0}),
    Of<&Topic::num_partitions>({.from = 5}),
    Of<&Topic::replication_factor>({.from = 5}),
    Of<&Topic::configs>({.from = 5, .nullable_from = 5}),
    Of<&Topic::topic_config_error>({.from = 5, .tag = 0}),
}};

constexpr Schema CreateTopicsResponse::kSchema{{
    Of<&CreateTopicsResponse::throttle_time_ms>({.from = 2}),
    Of<&CreateTopicsResponse::topics>(),
}};

constexpr Schema DeleteTopicsRequest::Topic::kSchema{{
    Of<&Topic::name>({.nullable_from = 6}),
    Of<&Topic::id>(),
}};

constexpr Schema DeleteTopicsRequest::kSchema{{
    Of<&DeleteTopicsRequest::topics>({.from = 6}),
    Of<&DeleteTopicsRequest::topic_names>({.from = 0, .to = 5}),
    Of<&DeleteTopicsRequest::timeout_ms>(),
}};

constexpr Schema DeleteTopicsResponse::Topic::kSchema{{
    Of<&Topic::name>({.nullable_from = 6}),
    Of<&Topic::id>({.from = 6}),
    Of<&Topic::error>(),
    Of<&Topic::error_message>({.from = 5, .nullable_from = 5}),
}};

constexpr Schema DeleteTopicsResponse::kSchema{{
    Of<&DeleteTopicsResponse::throttle_time_ms>({.from = 1}),
    Of<&DeleteTopicsResponse::topics>(),
}};

constexpr Schema CreatePartitionsRequest::Topic::Assignment::kSchema{{
    Of<&Assignment::broker_ids>(),
}};

constexpr Schema CreatePartitionsRequest::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::count>(),
    Of<&Topic::assignments>({.nullable_from = 0}),
}};

constexpr Schema CreatePartitionsRequest::kSchema{{
    Of<&CreatePartitionsRequest::topics>(),
    Of<&CreatePartitionsRequest::timeout_ms>(),
    Of<&CreatePartitionsRequest::validate_only>(),
}};

constexpr Schema CreatePartitionsResponse::Result::kSchema{{
    Of<&Result::topic>(),
    Of<&Result::error>(),
    Of<&Result::error_message>({.nullable_from = 0}),
}};

constexpr Schema CreatePartitionsResponse::kSchema{{
    Of<&CreatePartitionsResponse::throttle_time_ms>(),
    Of<&CreatePartitionsResponse::results>(),
}};

constexpr Schema DeleteRecordsRequest::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::offset>(),
}};

constexpr Schema DeleteRecordsRequest::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema DeleteRecordsRequest::kSchema{{
    Of<&DeleteRecordsRequest::topics>(),
    Of<&DeleteRecordsRequest::timeout_ms>(),
}};

constexpr Schema DeleteRecordsResponse::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::low_watermark>(),
    Of<&Partition::error>(),
}};

constexpr Schema DeleteRecordsResponse::Topic::kSchema{{
    Of<&Topic::name>(),
    Of<&Topic::partitions>(),
}};

constexpr Schema DeleteRecordsResponse::kSchema{{
    Of<&DeleteRecordsResponse::throttle_time_ms>(),
    Of<&DeleteRecordsResponse::topics>(),
}};

}  // namespace meridian::wire::kafka
