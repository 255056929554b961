// CreateTopics, DeleteTopics, CreatePartitions and DeleteRecords (Kafka's CreateTopicsRequest.json
// and so on). Pure data; decoded strings are views into the input.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::wire::kafka {

struct CreateTopicsRequest {
  static constexpr ApiKey kApi = ApiKey::kCreateTopics;

  struct Topic {
    struct Assignment {
      int32_t partition = 0;
      std::vector<int32_t> broker_ids;

      static const Schema kSchema;
    };

    struct Config {
      std::string_view name;
      std::optional<std::string_view> value;

      static const Schema kSchema;
    };

    std::string_view name;
    int32_t num_partitions = -1;  // -1: the broker's default, or as `assignments` say
    int16_t replication_factor = -1;
    std::vector<Assignment> assignments;
    std::vector<Config> configs;

    static const Schema kSchema;
  };

  std::vector<Topic> topics;
  int32_t timeout_ms = 60000;
  bool validate_only = false;

  static const Schema kSchema;
};

struct CreateTopicsResponse {
  static constexpr ApiKey kApi = ApiKey::kCreateTopics;

  struct Topic {
    struct Config {
      std::string_view name;
      std::optional<std::string_view> value;
      bool read_only = false;
      int8_t source = -1;
      bool is_sensitive = false;

      static const Schema kSchema;
    };

    std::string_view name;
    Uuid id{};
    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string_view> error_message;
    int32_t num_partitions = -1;
    int16_t replication_factor = -1;
    std::optional<std::vector<Config>> configs;
    std::optional<ErrorCode> topic_config_error;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  static const Schema kSchema;
};

struct DeleteTopicsRequest {
  static constexpr ApiKey kApi = ApiKey::kDeleteTopics;

  struct Topic {
    std::optional<std::string_view> name;
    Uuid id{};

    static const Schema kSchema;
  };

  std::vector<Topic> topics;
  std::vector<std::string_view> topic_names;
  int32_t timeout_ms = 0;

  static const Schema kSchema;
};

struct DeleteTopicsResponse {
  static constexpr ApiKey kApi = ApiKey::kDeleteTopics;

  struct Topic {
    std::optional<std::string_view> name;
    Uuid id{};
    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string_view> error_message;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  static const Schema kSchema;
};

struct CreatePartitionsRequest {
  static constexpr ApiKey kApi = ApiKey::kCreatePartitions;

  struct Topic {
    struct Assignment {
      std::vector<int32_t> broker_ids;

      static const Schema kSchema;
    };

    std::string_view name;
    int32_t count = 0;  // of all partitions, the present ones included
    std::optional<std::vector<Assignment>> assignments;

    static const Schema kSchema;
  };

  std::vector<Topic> topics;
  int32_t timeout_ms = 0;
  bool validate_only = false;

  static const Schema kSchema;
};

struct CreatePartitionsResponse {
  static constexpr ApiKey kApi = ApiKey::kCreatePartitions;

  struct Result {
    std::string_view topic;
    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string_view> error_message;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  static const Schema kSchema;
};

struct DeleteRecordsRequest {
  static constexpr ApiKey kApi = ApiKey::kDeleteRecords;

  struct Topic {
    struct Partition {
      int32_t index = 0;
      int64_t offset = 0;  // records below are deleted; -1: all up to the high watermark

      static const Schema kSchema;
    };

    std::string_view name;
    std::vector<Partition> partitions;

    static const Schema kSchema;
  };

  std::vector<Topic> topics;
  int32_t timeout_ms = 0;

  static const Schema kSchema;
};

struct DeleteRecordsResponse {
  static constexpr ApiKey kApi = ApiKey::kDeleteRecords;

  struct Topic {
    struct Partition {
      int32_t index = 0;
      int64_t low_watermark = -1;
      ErrorCode error = ErrorCode::kNone;

      static const Schema kSchema;
    };

    std::string_view name;
    std::vector<Partition> partitions;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  static const Schema kSchema;
};

}  // namespace meridian::wire::kafka
