#include "queue/config.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "queue/limits.hpp"
#include "site/key_description.hpp"
#include "site/load/table_reader.hpp"
#include "site/reach.hpp"
#include "site/section.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"

namespace meridian::queue {
namespace {

constexpr site::KeyDescription kKeys[] = {
    {.table = "queue",
     .sentence = "The message queue, which speaks the Kafka protocol. It runs where the file has "
                 "this table."},
    {.table = "queue", .key = "port", .sentence = "The port for Kafka clients."},
    {.table = "queue",
     .key = "external",
     .sentence = "The brokers of a Kafka cluster elsewhere that is used instead, or `$NAME` of the "
                 "environment variable that holds them.",
     .fallback = "Meridian runs the tier",
     .limits = "a URL that begins with `kafka://` or `kafka+ssl://`"},
    {.table = "queue",
     .key = "threads",
     .sentence = "The threads that serve clients.",
     .fallback = "`[agent] cores`"},
    {.table = "queue",
     .key = "auto_create",
     .sentence = "Whether a topic is created when a client first asks for it."},
    {.table = "queue",
     .key = "partitions",
     .sentence = "The partitions of a topic that is created without a number of its own."},
    {.table = "queue",
     .key = "retention",
     .sentence = "How long messages are kept, where a topic does not say otherwise."},
    {.table = "queue",
     .key = "retention_size",
     .sentence = "The bytes that a partition keeps, where a topic does not say otherwise; the "
                 "oldest messages are removed first.",
     .fallback = "no limit"},
    {.table = "queue",
     .key = "max_clients",
     .sentence = "The clients' connections that are open at the same time."},
};

Config Parse(site::TableReader& reader, const site::Site& /*site*/) {
  Config config;
  config.auto_create = reader.Boolean("auto_create", config.auto_create);
  config.partitions = static_cast<int32_t>(reader.Integer(
      "partitions", {.min = 1, .max = kMaxPartitionsOfTopic, .fallback = config.partitions}));
  config.retention = reader.Duration(
      "retention", {.min = kMinRetention, .max = kMaxRetention, .fallback = config.retention});
  if (reader.Has("retention_size")) {
    config.retention_bytes =
        reader.Size("retention_size", {.min = kMinRetentionBytes, .max = kMaxRetentionBytes});
  }
  config.max_clients = static_cast<size_t>(
      reader.Integer("max_clients", {.min = 1,
                                     .max = static_cast<int64_t>(kMaxClients),
                                     .fallback = static_cast<int64_t>(config.max_clients)}));
  return config;
}

// "k1:9092,k2:9092" of "kafka://user@k1:9092,k2:9092/path?query".
std::string BrokersOf(std::string_view url) {
  std::string_view rest = url.substr(url.find("://") + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  size_t at = rest.rfind('@');
  return std::string(at == std::string_view::npos ? rest : rest.substr(at + 1));
}

}  // namespace

site::Section ConfigSection() { return site::Section::Of<Config>("queue", &Parse, kKeys); }

std::vector<std::pair<std::string, std::string>> ApplicationVariables(const site::Site& site,
                                                                      const site::DataCenter& here,
                                                                      site::Hosting hosting) {
  if (auto external = site.externals.find("queue"); external != site.externals.end()) {
    return {{"KAFKA_BROKERS", BrokersOf(external->second.url.Reveal())}};
  }
  if (std::ranges::find(site.tiers, "queue", &site::TierDescription::name) == site.tiers.end()) {
    return {};
  }
  Endpoint at{site::HostAddress(here, hosting), site.ports.queue};
  return {{"KAFKA_BROKERS", at.ToString()}};
}

}  // namespace meridian::queue
