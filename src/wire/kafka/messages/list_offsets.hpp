// ListOffsets: offsets by time, and OffsetForLeaderEpoch: the end of a leader epoch (Kafka's
// ListOffsetsRequest.json and so on). Pure data; decoded strings are views into the input.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::wire::kafka {

inline constexpr int64_t kLatestTimestamp = -1;        // asks for the next offset to be written
inline constexpr int64_t kEarliestTimestamp = -2;      // for the first offset of the log
inline constexpr int64_t kMaxTimestampTimestamp = -3;  // for the record with the greatest timestamp

struct ListOffsetsRequest {
  static constexpr ApiKey kApi = ApiKey::kListOffsets;

  struct Topic {
    struct Partition {
      int32_t index = 0;
      int32_t current_leader_epoch = -1;
      int64_t timestamp_ms = 0;  // or one of the constants above

      static const Schema kSchema;
    };

    std::string_view name;
    std::vector<Partition> partitions;

    static const Schema kSchema;
  };

  int32_t replica_id = -1;
  int8_t isolation_level = 0;
  std::vector<Topic> topics;

  static const Schema kSchema;
};

struct ListOffsetsResponse {
  static constexpr ApiKey kApi = ApiKey::kListOffsets;

  struct Topic {
    struct Partition {
      int32_t index = 0;
      ErrorCode error = ErrorCode::kNone;
      int64_t timestamp_ms = -1;
      int64_t offset = -1;
      int32_t leader_epoch = -1;

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

struct OffsetForLeaderEpochRequest {
  static constexpr ApiKey kApi = ApiKey::kOffsetForLeaderEpoch;

  struct Topic {
    struct Partition {
      int32_t index = 0;
      int32_t current_leader_epoch = -1;
      int32_t leader_epoch = 0;

      static const Schema kSchema;
    };

    std::string_view name;
    std::vector<Partition> partitions;

    static const Schema kSchema;
  };

  int32_t replica_id = -2;
  std::vector<Topic> topics;

  static const Schema kSchema;
};

struct OffsetForLeaderEpochResponse {
  static constexpr ApiKey kApi = ApiKey::kOffsetForLeaderEpoch;

  struct Topic {
    struct Partition {
      ErrorCode error = ErrorCode::kNone;
      int32_t index = 0;
      int32_t leader_epoch = -1;
      int64_t end_offset = -1;

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
