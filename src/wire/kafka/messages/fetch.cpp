#include "wire/kafka/messages/fetch.hpp"

#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {

constexpr Schema FetchRequest::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::current_leader_epoch>({.from = 9}),
    Of<&Partition::fetch_offset>(),
    Of<&Partition::last_fetched_epoch>({.from = 12}),
    Of<&Partition::log_start_offset>({.from = 5}),
    Of<&Partition::max_bytes>(),
}};

constexpr Schema FetchRequest::Topic::kSchema{{
    Of<&Topic::name>({.to = 12}),
    Of<&Topic::id>({.from = 13}),
    Of<&Topic::partitions>(),
}};

constexpr Schema FetchRequest::ForgottenTopic::kSchema{{
    Of<&ForgottenTopic::name>({.to = 12}),
    Of<&ForgottenTopic::id>({.from = 13}),
    Of<&ForgottenTopic::partitions>(),
}};

constexpr Schema FetchRequest::kSchema{{
    Of<&FetchRequest::replica_id>(),
    Of<&FetchRequest::max_wait_ms>(),
    Of<&FetchRequest::min_bytes>(),
    Of<&FetchRequest::max_bytes>({.from = 3}),
    Of<&FetchRequest::isolation_level>({.from = 4}),
    Of<&FetchRequest::session_id>({.from = 7}),
    Of<&FetchRequest::session_epoch>({.from = 7}),
    Of<&FetchRequest::topics>(),
    Of<&FetchRequest::forgotten_topics>({.from = 7}),
    Of<&FetchRequest::rack_id>({.from = 11}),
    Of<&FetchRequest::cluster_id>({.from = 12, .nullable_from = 12, .tag = 0}),
}};

constexpr Schema FetchResponse::Topic::Partition::AbortedTransaction::kSchema{{
    Of<&AbortedTransaction::producer_id>(),
    Of<&AbortedTransaction::first_offset>(),
}};

constexpr Schema FetchResponse::Topic::Partition::DivergingEpoch::kSchema{{
    Of<&DivergingEpoch::epoch>(),
    Of<&DivergingEpoch::end_offset>(),
}};

constexpr Schema FetchResponse::Topic::Partition::Leader::kSchema{{
    Of<&Leader::id>(),
    Of<&Leader::epoch>(),
}};

constexpr Schema FetchResponse::Topic::Partition::SnapshotId::kSchema{{
    Of<&SnapshotId::end_offset>(),
    Of<&SnapshotId::epoch>(),
}};

constexpr Schema FetchResponse::Topic::Partition::kSchema{{
    Of<&Partition::index>(),
    Of<&Partition::error>(),
    Of<&Partition::high_watermark>(),
    Of<&Partition::last_stable_offset>({.from = 4}),
    Of<&Partition::log_start_offset>({.from = 5}),
    Of<&Partition::aborted_transactions>({.from = 4, .nullable_from = 4}),
    Of<&Partition::preferred_read_replica>({.from = 11}),
    Of<&Partition::records>({.nullable_from = 0}),
    Of<&Partition::diverging_epoch>({.from = 12, .tag = 0}),
    Of<&Partition::current_leader>({.from = 12, .tag = 1}),
    Of<&Partition::snapshot_id>({.from = 12, .tag = 2}),
}};

constexpr Schema FetchResponse::Topic::kSchema{{
    Of<&Topic::name>({.to = 12}),
    Of<&Topic::id>({.from = 13}),
    Of<&Topic::partitions>(),
}};

constexpr Schema FetchResponse::kSchema{{
    Of<&FetchResponse::throttle_time_ms>({.from = 1}),
    Of<&FetchResponse::error>({.from = 7}),
    Of<&FetchResponse::session_id>({.from = 7}),
    Of<&FetchResponse::topics>(),
}};

}  // namespace meridian::wire::kafka
