#include "wire/kafka/messages/metadata.hpp"

#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {

constexpr Schema MetadataRequest::Topic::kSchema{{
    Of<&Topic::id>({.from = 10}),
    Of<&Topic::name>({.nullable_from = 10}),
}};

constexpr Schema MetadataRequest::kSchema{{
    Of<&MetadataRequest::topics>({.nullable_from = 1}),
    Of<&MetadataRequest::allow_auto_topic_creation>({.from = 4}),
    Of<&MetadataRequest::include_cluster_authorized_operations>({.from = 8, .to = 10}),
    Of<&MetadataRequest::include_topic_authorized_operations>({.from = 8}),
}};

constexpr Schema MetadataResponse::Broker::kSchema{{
    Of<&Broker::node_id>(),
    Of<&Broker::host>(),
    Of<&Broker::port>(),
    Of<&Broker::rack>({.from = 1, .nullable_from = 1}),
}};

constexpr Schema MetadataResponse::Topic::Partition::kSchema{{
    Of<&Partition::error>(),
    Of<&Partition::index>(),
    Of<&Partition::leader_id>(),
    Of<&Partition::leader_epoch>({.from = 7}),
    Of<&Partition::replica_nodes>(),
    Of<&Partition::isr_nodes>(),
    Of<&Partition::offline_replicas>({.from = 5}),
}};

constexpr Schema MetadataResponse::Topic::kSchema{{
    Of<&Topic::error>(),
    Of<&Topic::name>({.nullable_from = 12}),
    Of<&Topic::id>({.from = 10}),
    Of<&Topic::is_internal>({.from = 1}),
    Of<&Topic::partitions>(),
    Of<&Topic::authorized_operations>({.from = 8}),
}};

constexpr Schema MetadataResponse::kSchema{{
    Of<&MetadataResponse::throttle_time_ms>({.from = 3}),
    Of<&MetadataResponse::brokers>(),
    Of<&MetadataResponse::cluster_id>({.from = 2, .nullable_from = 2}),
    Of<&MetadataResponse::controller_id>({.from = 1}),
    Of<&MetadataResponse::topics>(),
    Of<&MetadataResponse::cluster_authorized_operations>({.from = 8, .to = 10}),
}};

constexpr Schema DescribeClusterRequest::kSchema{{
    Of<&DescribeClusterRequest::include_cluster_authorized_operations>(),
    Of<&DescribeClusterRequest::endpoint_type>({.from = 1}),
}};

constexpr Schema DescribeClusterResponse::Broker::kSchema{{
    Of<&Broker::id>(),
    Of<&Broker::host>(),
    Of<&Broker::port>(),
    Of<&Broker::rack>({.nullable_from = 0}),
}};

constexpr Schema DescribeClusterResponse::kSchema{{
    Of<&DescribeClusterResponse::throttle_time_ms>(),
    Of<&DescribeClusterResponse::error>(),
    Of<&DescribeClusterResponse::error_message>({.nullable_from = 0}),
    Of<&DescribeClusterResponse::endpoint_type>({.from = 1}),
    Of<&DescribeClusterResponse::cluster_id>(),
    Of<&DescribeClusterResponse::controller_id>(),
    Of<&DescribeClusterResponse::brokers>(),
    Of<&DescribeClusterResponse::cluster_authorized_operations>(),
}};

}  // namespace meridian::wire::kafka
