// TopicConfig: the configuration of a topic, by Kafka's own names of keys. Pure.
//
// What a topic sets itself are its overrides: texts by key, as a client gave them. They are what
// the journal keeps. All else comes from the defaults.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "queue/state/limits.hpp"

namespace meridian::queue {

using TopicOverrides = std::map<std::string, std::string, std::less<>>;

struct TopicConfig {
  // Of numbers, -1 means without limit where a key allows it.
  int64_t retention_ms = int64_t{7} * 24 * 3600 * 1000;
  int64_t retention_bytes = -1;
  int64_t segment_bytes = int64_t{64} * 1024 * 1024;
  int64_t segment_ms = int64_t{7} * 24 * 3600 * 1000;
  int64_t max_message_bytes = kDefaultMaxMessageBytes;
  int64_t min_insync_replicas = 1;
  int64_t delete_retention_ms = int64_t{24} * 3600 * 1000;
  int64_t sync_datacenters = 0;  // 0: as the site says
  int64_t delay_ms = 0;
  bool deletes = true;       // cleanup.policy has "delete"
  bool compacts = false;     // it has "compact"
  bool append_time = false;  // message.timestamp.type is LogAppendTime

  bool operator==(const TopicConfig&) const = default;
};

// Keys that site.toml sets in its own words.
inline constexpr std::string_view kRetentionKey = "retention.ms";
inline constexpr std::string_view kRetentionBytesKey = "retention.bytes";
inline constexpr std::string_view kCleanupPolicyKey = "cleanup.policy";
inline constexpr std::string_view kDelayKey = "meridian.delay.ms";
inline constexpr std::string_view kCopiesKey = "meridian.sync.datacenters";
inline constexpr int64_t kMaxSyncDataCenters = 16;

enum class ConfigKind : uint8_t { kLong, kInt, kText, kList };

// A key, for DescribeConfigs and for documentation.
struct ConfigKey {
  std::string_view name;
  ConfigKind kind = ConfigKind::kText;
  std::string_view sentence;
};

// All keys, by name.
std::span<const ConfigKey> ConfigKeys();

// kInvalid: a key is unknown, or its value is not allowed; the message says what is.
Result<TopicConfig> ParseTopicConfig(const TopicOverrides& overrides,
                                     const TopicConfig& defaults = {});

// The value of a key of ConfigKeys, as text.
std::string ConfigValue(const TopicConfig& config, std::string_view key);

// Kafka's rules of topic names, and ours: names that begin with "__" are kept for internal topics.
// kInvalid: the message says which rule.
Result<void> CheckTopicName(std::string_view name);

}  // namespace meridian::queue
