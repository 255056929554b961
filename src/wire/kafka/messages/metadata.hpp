// Metadata: brokers, topics and leaders, and DescribeCluster (Kafka's MetadataRequest.json and so
// on). Pure data; decoded strings are views into the input.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::wire::kafka {

inline constexpr int32_t kOperationsNotRequested = INT32_MIN;  // value of …_authorized_operations

struct MetadataRequest {
  static constexpr ApiKey kApi = ApiKey::kMetadata;

  struct Topic {
    Uuid id{};
    std::optional<std::string_view> name;

    static const Schema kSchema;
  };

  // Null: all topics; in version 0 an empty array means all.
  std::optional<std::vector<Topic>> topics;
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;

  static const Schema kSchema;
};

struct MetadataResponse {
  static constexpr ApiKey kApi = ApiKey::kMetadata;

  struct Broker {
    int32_t node_id = 0;
    std::string_view host;
    int32_t port = 0;
    std::optional<std::string_view> rack;

    static const Schema kSchema;
  };

  struct Topic {
    struct Partition {
      ErrorCode error = ErrorCode::kNone;
      int32_t index = 0;
      int32_t leader_id = -1;
      int32_t leader_epoch = -1;
      std::vector<int32_t> replica_nodes;
      std::vector<int32_t> isr_nodes;
      std::vector<int32_t> offline_replicas;

      static const Schema kSchema;
    };

    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string_view> name;
    Uuid id{};
    bool is_internal = false;
    std::vector<Partition> partitions;
    int32_t authorized_operations = kOperationsNotRequested;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Broker> brokers;
  std::optional<std::string_view> cluster_id;
  int32_t controller_id = -1;
  std::vector<Topic> topics;
  int32_t cluster_authorized_operations = kOperationsNotRequested;

  static const Schema kSchema;
};

struct DescribeClusterRequest {
  static constexpr ApiKey kApi = ApiKey::kDescribeCluster;

  bool include_cluster_authorized_operations = false;
  int8_t endpoint_type = 1;  // 1: brokers, 2: controllers

  static const Schema kSchema;
};

struct DescribeClusterResponse {
  static constexpr ApiKey kApi = ApiKey::kDescribeCluster;

  struct Broker {
    int32_t id = 0;
    std::string_view host;
    int32_t port = 0;
    std::optional<std::string_view> rack;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  ErrorCode error = ErrorCode::kNone;
  std::optional<std::string_view> error_message;
  int8_t endpoint_type = 1;
  std::string_view cluster_id;
  int32_t controller_id = -1;
  std::vector<Broker> brokers;
  int32_t cluster_authorized_operations = kOperationsNotRequested;

  static const Schema kSchema;
};

}  // namespace meridian::wire::kafka
