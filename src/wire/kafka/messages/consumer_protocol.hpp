// The protocol "consumer" between the members of a group: what JoinGroup and SyncGroup carry as
// opaque bytes (Kafka's ConsumerProtocolSubscription.json, ConsumerProtocolAssignment.json).
// Brokers do not read it; tools that describe groups do. Pure data; decoded strings are views into
// the input.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/kafka/codec.hpp"

namespace meridian::wire::kafka {

struct ConsumerPartitions {
  std::string_view topic;
  std::vector<int32_t> partitions;

  static const Schema kSchema;
};

// The member's metadata in JoinGroup.
struct ConsumerSubscription {
  std::vector<std::string_view> topics;
  std::optional<Bytes> user_data;
  std::vector<ConsumerPartitions> owned_partitions;
  int32_t generation_id = -1;
  std::optional<std::string_view> rack_id;

  static const Schema kSchema;
};

// The member's assignment in SyncGroup.
struct ConsumerAssignment {
  std::vector<ConsumerPartitions> assigned_partitions;
  std::optional<Bytes> user_data;

  static const Schema kSchema;
};

// Both begin with their version. kInvalid: malformed, or of a version above 3.
Result<ConsumerSubscription> DecodeSubscription(Bytes metadata);
Result<ConsumerAssignment> DecodeAssignment(Bytes assignment);

}  // namespace meridian::wire::kafka
