// Fetch: record sets from an offset on, by topic and partition (Kafka's FetchRequest.json,
// FetchResponse.json). Pure data; decoded strings are views into the input.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::wire::kafka {

struct FetchRequest {
  static constexpr ApiKey kApi = ApiKey::kFetch;

  struct Topic {
    struct Partition {
      int32_t index = 0;
      int32_t current_leader_epoch = -1;
      int64_t fetch_offset = 0;
      int32_t last_fetched_epoch = -1;
      int64_t log_start_offset = -1;
      int32_t max_bytes = 0;

      static const Schema kSchema;
    };

    std::string_view name;
    Uuid id{};  // in place of the name from version 13 on
    std::vector<Partition> partitions;

    static const Schema kSchema;
  };

  struct ForgottenTopic {
    std::string_view name;
    Uuid id{};  // in place of the name from version 13 on
    std::vector<int32_t> partitions;

    static const Schema kSchema;
  };

  std::optional<std::string_view> cluster_id;
  int32_t replica_id = -1;  // -1: a consumer
  int32_t max_wait_ms = 0;
  int32_t min_bytes = 0;
  int32_t max_bytes = INT32_MAX;
  int8_t isolation_level = 0;  // 0: read uncommitted, 1: read committed
  int32_t session_id = 0;
  int32_t session_epoch = -1;  // -1: without a fetch session
  std::vector<Topic> topics;
  std::vector<ForgottenTopic> forgotten_topics;  // leave the fetch session
  std::string_view rack_id;

  static const Schema kSchema;
};

struct FetchResponse {
  static constexpr ApiKey kApi = ApiKey::kFetch;

  struct Topic {
    struct Partition {
      struct AbortedTransaction {
        int64_t producer_id = 0;
        int64_t first_offset = 0;

        static const Schema kSchema;
      };

      struct DivergingEpoch {
        int32_t epoch = -1;
        int64_t end_offset = -1;

        static const Schema kSchema;
      };

      struct Leader {
        int32_t id = -1;
        int32_t epoch = -1;

        static const Schema kSchema;
      };

      struct SnapshotId {
        int64_t end_offset = -1;
        int32_t epoch = -1;

        static const Schema kSchema;
      };

      int32_t index = 0;
      ErrorCode error = ErrorCode::kNone;
      int64_t high_watermark = -1;
      int64_t last_stable_offset = -1;
      int64_t log_start_offset = -1;
      // Null: read uncommitted.
      std::optional<std::vector<AbortedTransaction>> aborted_transactions;
      int32_t preferred_read_replica = -1;
      RecordSet records;
      std::optional<DivergingEpoch> diverging_epoch;
      std::optional<Leader> current_leader;
      std::optional<SnapshotId> snapshot_id;

      static const Schema kSchema;
    };

    std::string_view name;
    Uuid id{};  // in place of the name from version 13 on
    std::vector<Partition> partitions;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  ErrorCode error = ErrorCode::kNone;
  int32_t session_id = 0;
  std::vector<Topic> topics;

  static const Schema kSchema;
};

}  // namespace meridian::wire::kafka
