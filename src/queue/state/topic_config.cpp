#include "queue/state/topic_config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/core.h>

#include "base/result.hpp"
#include "queue/state/limits.hpp"

namespace meridian::queue {
namespace {

constexpr int64_t kMaxLong = std::numeric_limits<int64_t>::max();
// A thousand years: a time added to it does not overflow.
constexpr int64_t kMaxDeleteRetentionMs = int64_t{365'000} * 24 * 3600 * 1000;

constexpr std::array kKeys = {
    ConfigKey{"cleanup.policy", ConfigKind::kList,
              "What happens to old records: delete, compact, or both."},
    ConfigKey{"compression.type", ConfigKind::kText,
              "Only producer: batches stay as the producer has compressed them."},
    ConfigKey{"delete.retention.ms", ConfigKind::kLong,
              "How long tombstones of a compacted topic stay."},
    ConfigKey{"max.message.bytes", ConfigKind::kInt, "The largest batch that is accepted."},
    ConfigKey{"meridian.delay.ms", ConfigKind::kLong,
              "How long consumers do not see a record after it was published."},
    ConfigKey{"meridian.sync.datacenters", ConfigKind::kInt,
              "Data centers that have a batch before acks=all is answered; 0: as the site says."},
    ConfigKey{"message.timestamp.type", ConfigKind::kText,
              "CreateTime keeps the producer's timestamps, LogAppendTime sets ours."},
    ConfigKey{"min.insync.replicas", ConfigKind::kInt,
              "Accepted and reported; meridian.sync.datacenters decides."},
    ConfigKey{"retention.bytes", ConfigKind::kLong,
              "The size of a partition past which its oldest segments go; -1: no limit."},
    ConfigKey{"retention.ms", ConfigKind::kLong, "How long records stay; -1: for ever."},
    ConfigKey{"segment.bytes", ConfigKind::kInt, "The size at which a new segment is begun."},
    ConfigKey{"segment.ms", ConfigKind::kLong, "The age at which a new segment is begun."},
};

// The keys whose values are numbers.
struct NumberKey {
  std::string_view name;
  int64_t TopicConfig::* field;
  int64_t min;
  int64_t max;
};

constexpr std::array kNumberKeys = {
    NumberKey{"delete.retention.ms", &TopicConfig::delete_retention_ms, 0, kMaxDeleteRetentionMs},
    NumberKey{"max.message.bytes", &TopicConfig::max_message_bytes, 1024, kMaxMaxMessageBytes},
    NumberKey{"meridian.delay.ms", &TopicConfig::delay_ms, 0, kMaxDelayMs},
    NumberKey{kCopiesKey, &TopicConfig::sync_datacenters, 0, kMaxSyncDataCenters},
    NumberKey{"min.insync.replicas", &TopicConfig::min_insync_replicas, 1, 16},
    NumberKey{"retention.bytes", &TopicConfig::retention_bytes, -1, kMaxLong},
    NumberKey{"retention.ms", &TopicConfig::retention_ms, -1, kMaxLong},
    NumberKey{"segment.bytes", &TopicConfig::segment_bytes, 1024 * 1024, int64_t{1} << 30},
    NumberKey{"segment.ms", &TopicConfig::segment_ms, 1000, kMaxLong},
};

const NumberKey* FindNumberKey(std::string_view name) {
  const auto* found = std::ranges::find(kNumberKeys, name, &NumberKey::name);
  return found == kNumberKeys.end() ? nullptr : found;
}

Result<void> SetNumber(const NumberKey& key, std::string_view value, TopicConfig& config) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size()) {
    return Fail(Errc::kInvalid, "{}: \"{}\" is not a number", key.name, value);
  }
  if (number < key.min || number > key.max) {
    return Fail(Errc::kInvalid, "{}: {} is not between {} and {}", key.name, number, key.min,
                key.max);
  }
  config.*key.field = number;
  return {};
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

Result<void> SetCleanupPolicy(std::string_view value, TopicConfig& config) {
  config.deletes = false;
  config.compacts = false;
  for (std::string_view rest = value; !rest.empty();) {
    size_t comma = rest.find(',');
    std::string_view word = Trimmed(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    if (word == "delete") {
      config.deletes = true;
    } else if (word == "compact") {
      config.compacts = true;
    } else {
      return Fail(Errc::kInvalid, "cleanup.policy: \"{}\" is neither delete nor compact", word);
    }
  }
  return {};
}

Result<void> SetText(std::string_view key, std::string_view value, TopicConfig& config) {
  if (key == "cleanup.policy") return SetCleanupPolicy(value, config);
  if (key == "message.timestamp.type") {
    if (value != "CreateTime" && value != "LogAppendTime") {
      return Fail(Errc::kInvalid, "{}: \"{}\" is neither CreateTime nor LogAppendTime", key, value);
    }
    config.append_time = value == "LogAppendTime";
    return {};
  }
  if (key == "compression.type") {
    if (value == "producer") return {};
    return Fail(Errc::kInvalid, "compression.type: only producer is supported, not \"{}\"", value);
  }
  return Fail(Errc::kInvalid, "there is no configuration key \"{}\"", key);
}

}  // namespace

std::span<const ConfigKey> ConfigKeys() { return kKeys; }

Result<TopicConfig> ParseTopicConfig(const TopicOverrides& overrides, const TopicConfig& defaults) {
  if (overrides.size() > kMaxTopicOverrides) {
    return Fail(Errc::kInvalid, "more than {} configuration keys", kMaxTopicOverrides);
  }
  TopicConfig config = defaults;
  for (const auto& [key, value] : overrides) {
    if (value.size() > kMaxConfigValueBytes) {
      return Fail(Errc::kInvalid, "{}: a value of {} bytes", key.substr(0, kMaxConfigValueBytes),
                  value.size());
    }
    const NumberKey* number = FindNumberKey(key);
    Result<void> set =
        number != nullptr ? SetNumber(*number, value, config) : SetText(key, value, config);
    if (!set) return Fail(std::move(set.error()));
  }
  return config;
}

std::string ConfigValue(const TopicConfig& config, std::string_view key) {
  if (const NumberKey* number = FindNumberKey(key)) return fmt::format("{}", config.*number->field);
  if (key == "cleanup.policy") {
    if (config.deletes && config.compacts) return "compact,delete";
    if (config.compacts) return "compact";
    return config.deletes ? "delete" : "";
  }
  if (key == "message.timestamp.type") return config.append_time ? "LogAppendTime" : "CreateTime";
  return key == "compression.type" ? "producer" : "";
}

Result<void> CheckTopicName(std::string_view name) {
  if (name.empty()) return Fail(Errc::kInvalid, "a topic's name is empty");
  if (name.size() > kMaxTopicNameBytes) {
    return Fail(Errc::kInvalid, "a topic's name has at most {} characters", kMaxTopicNameBytes);
  }
  if (name == "." || name == "..") return Fail(Errc::kInvalid, "a topic cannot be named {}", name);
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (!std::ranges::all_of(name, allowed)) {
    return Fail(Errc::kInvalid, "a topic's name has only letters, digits, '.', '_' and '-'");
  }
  if (name.starts_with("__")) {
    return Fail(Errc::kInvalid, "names that begin with __ are kept for internal topics");
  }
  return {};
}

}  // namespace meridian::queue
