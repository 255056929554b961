// The APIs that the queue tier serves: keys, names and versions. ApiVersions is answered from this
// table, and requests of other APIs or versions are refused by it. Immutable; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace meridian::wire::kafka {

enum class ApiKey : int16_t {
  kProduce = 0,
  kFetch = 1,
  kListOffsets = 2,
  kMetadata = 3,
  kOffsetCommit = 8,
  kOffsetFetch = 9,
  kFindCoordinator = 10,
  kJoinGroup = 11,
  kHeartbeat = 12,
  kLeaveGroup = 13,
  kSyncGroup = 14,
  kDescribeGroups = 15,
  kListGroups = 16,
  kApiVersions = 18,
  kCreateTopics = 19,
  kDeleteTopics = 20,
  kDeleteRecords = 21,
  kInitProducerId = 22,
  kOffsetForLeaderEpoch = 23,
  kDescribeConfigs = 32,
  kAlterConfigs = 33,
  kCreatePartitions = 37,
  kDeleteGroups = 42,
  kIncrementalAlterConfigs = 44,
  kOffsetDelete = 47,
  kDescribeCluster = 60,
};

// No version of a message is that high: "never" in tables of versions.
inline constexpr int16_t kNoVersion = INT16_MAX;

struct ApiDescription {
  ApiKey key;
  std::string_view name;
  int16_t min_version;  // advertised
  int16_t max_version;
  int16_t flexible_from;  // first version with compact lengths and tagged fields; kNoVersion: none
  // Requests of versions below are decoded, and answered with an error. Differs from min_version
  // for Produce alone: librdkafka 2.0 compresses only for brokers that advertise versions below 3.
  int16_t served_from;

  bool Supports(int16_t version) const { return version >= min_version && version <= max_version; }
  bool flexible(int16_t version) const { return version >= flexible_from; }
};

// In ascending order of their keys.
std::span<const ApiDescription> SupportedApis();

// Null: the API is not in the table.
const ApiDescription* FindApi(int16_t key);

}  // namespace meridian::wire::kafka
