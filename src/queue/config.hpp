// The queue tier's settings: [queue] of site.toml. docs/site.toml.md says what each key is for;
// config.cpp describes and reads them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "queue/limits.hpp"
#include "queue/state/topic_config.hpp"
#include "site/reach.hpp"
#include "site/section.hpp"
#include "site/site.hpp"

namespace meridian::queue {

// When a message with acks=all is acknowledged, where the site has several data centers.
enum class Loss : uint8_t {
  kNone,   // it is on disk here and in another data center
  kLocal,  // it is on disk here
};

// What site.toml says of a topic.
struct DeclaredTopic {
  std::string name;
  std::optional<uint32_t> partitions = {};  // nothing: a new one has [queue] partitions
  TopicOverrides overrides = {};  // Kafka's keys; those that are not here stay as they are
  std::string home = {};          // a data center; empty: the controller

  bool operator==(const DeclaredTopic&) const = default;
};

struct Config {
  bool auto_create = true;  // of topics that clients name
  int32_t partitions = 1;   // of a topic that is created without a number
  Duration retention = std::chrono::hours{24 * 7};
  uint64_t retention_bytes = 0;  // of a partition; 0: without limit
  Loss loss = Loss::kNone;
  size_t max_clients = kMaxClients;
  std::vector<DeclaredTopic> topics;  // [queue.topic.NAME], in the order of the file
};

site::Section ConfigSection();

// Environment variables of applications: KAFKA_BROKERS, "host:port" of the queue of this data
// center or of the external one, separated by commas. Empty: the site has no queue.
std::vector<std::pair<std::string, std::string>> ApplicationVariables(const site::Site& site,
                                                                      const site::DataCenter& here,
                                                                      site::Hosting hosting);

}  // namespace meridian::queue
