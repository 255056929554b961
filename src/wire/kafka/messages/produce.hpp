// Produce: a producer's record sets, by topic and partition (Kafka's ProduceRequest.json,
// ProduceResponse.json). Pure data; decoded strings are views into the input.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::wire::kafka {

struct ProduceRequest {
  static constexpr ApiKey kApi = ApiKey::kProduce;

  struct Topic {
    struct Partition {
      int32_t index = 0;
      RecordSet records;

      static const Schema kSchema;
    };

    std::string_view name;
    std::vector<Partition> partitions;

    static const Schema kSchema;
  };

  std::optional<std::string_view> transactional_id;
  int16_t acks = 0;  // 0: no response; 1: the home has it; -1 (all): durable as the topic demands
  int32_t timeout_ms = 0;
  std::vector<Topic> topics;

  static const Schema kSchema;
};

struct ProduceResponse {
  static constexpr ApiKey kApi = ApiKey::kProduce;

  struct Topic {
    struct Partition {
      struct RecordError {
        int32_t batch_index = 0;
        std::optional<std::string_view> message;

        static const Schema kSchema;
      };

      struct Leader {
        int32_t id = -1;
        int32_t epoch = -1;

        static const Schema kSchema;
      };

      int32_t index = 0;
      ErrorCode error = ErrorCode::kNone;
      int64_t base_offset = 0;
      int64_t log_append_time_ms = -1;  // -1: the topic has CreateTime
      int64_t log_start_offset = -1;
      std::vector<RecordError> record_errors;  // records for which the batch was refused
      std::optional<std::string_view> error_message;
      std::optional<Leader> current_leader;

      static const Schema kSchema;
    };

    std::string_view name;
    std::vector<Partition> partitions;

    static const Schema kSchema;
  };

  struct NodeEndpoint {
    int32_t node_id = 0;
    std::string_view host;
    int32_t port = 0;
    std::optional<std::string_view> rack;

    static const Schema kSchema;
  };

  std::vector<Topic> topics;
  int32_t throttle_time_ms = 0;
  std::vector<NodeEndpoint> node_endpoints;  // of the leaders that `current_leader` names

  static const Schema kSchema;
};

}  // namespace meridian::wire::kafka
