// OffsetCommit, OffsetFetch and OffsetDelete: the committed offsets of consumer groups (Kafka's
// OffsetCommitRequest.json and so on). Pure data; decoded strings are views into the input.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::wire::kafka {

struct OffsetCommitRequest {
  static constexpr ApiKey kApi = ApiKey::kOffsetCommit;

  struct Topic {
    struct Partition {
      int32_t index = 0;
      int64_t committed_offset = 0;
      int32_t committed_leader_epoch = -1;
      std::optional<std::string_view> committed_metadata;

      static const Schema kSchema;
    };

    std::string_view name;
    std::vector<Partition> partitions;

    static const Schema kSchema;
  };

  std::string_view group_id;
  int32_t generation_id = -1;  // -1: the consumer is not a member
  std::string_view member_id;
  std::optional<std::string_view> group_instance_id;
  int64_t retention_time_ms = -1;
  std::vector<Topic> topics;

  static const Schema kSchema;
};

struct OffsetCommitResponse {
  static constexpr ApiKey kApi = ApiKey::kOffsetCommit;

  struct Topic {
    struct Partition {
      int32_t index = 0;
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

struct OffsetFetchRequest {
  static constexpr ApiKey kApi = ApiKey::kOffsetFetch;

  struct Topic {
    std::string_view name;
    std::vector<int32_t> partitions;

    static const Schema kSchema;
  };

  struct Group {
    std::string_view id;
    std::optional<std::string_view> member_id;
    int32_t member_epoch = -1;
    std::optional<std::vector<Topic>> topics;

    static const Schema kSchema;
  };

  std::string_view group_id;
  // Null: all topics with a committed offset; also in Group.
  std::optional<std::vector<Topic>> topics;
  std::vector<Group> groups;
  bool require_stable = false;

  static const Schema kSchema;
};

struct OffsetFetchResponse {
  static constexpr ApiKey kApi = ApiKey::kOffsetFetch;

  struct Topic {
    struct Partition {
      int32_t index = 0;
      int64_t committed_offset = -1;  // -1: none
      int32_t committed_leader_epoch = -1;
      std::optional<std::string_view> metadata;
      ErrorCode error = ErrorCode::kNone;

      static const Schema kSchema;
    };

    std::string_view name;
    std::vector<Partition> partitions;

    static const Schema kSchema;
  };

  struct Group {
    std::string_view id;
    std::vector<Topic> topics;
    ErrorCode error = ErrorCode::kNone;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  ErrorCode error = ErrorCode::kNone;
  std::vector<Group> groups;

  static const Schema kSchema;
};

struct OffsetDeleteRequest {
  static constexpr ApiKey kApi = ApiKey::kOffsetDelete;

  struct Topic {
    struct Partition {
      int32_t index = 0;

      static const Schema kSchema;
    };

    std::string_view name;
    std::vector<Partition> partitions;

    static const Schema kSchema;
  };

  std::string_view group_id;
  std::vector<Topic> topics;

  static const Schema kSchema;
};

struct OffsetDeleteResponse {
  static constexpr ApiKey kApi = ApiKey::kOffsetDelete;

  struct Topic {
    struct Partition {
      int32_t index = 0;
      ErrorCode error = ErrorCode::kNone;

      static const Schema kSchema;
    };

    std::string_view name;
    std::vector<Partition> partitions;

    static const Schema kSchema;
  };

  ErrorCode error = ErrorCode::kNone;
  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  static const Schema kSchema;
};

}  // namespace meridian::wire::kafka
