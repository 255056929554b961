#include "queue/config.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "queue/limits.hpp"
#include "queue/site_topics.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/topic_config.hpp"
#include "site/key_description.hpp"
#include "site/load/spelling.hpp"
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
     .key = "loss",
     .sentence =
         "When a message is acknowledged. `none`: when the disk of another data center has it as "
         "well, so none is lost with its data center. `local`: when the disk of its own has it."},
    {.table = "queue",
     .key = "max_clients",
     .sentence = "The clients' connections that are open at the same time."},
    {.table = "queue.topic",
     .sentence =
         "Topics that the queue makes when it starts, each in a table with its name; a name "
         "with dots is quoted. More partitions and changed keys are applied at the next "
         "start; partitions and topics are never removed.",
     .limits = "at most 1000 topics"},
    {.table = "queue.topic.NAME", .sentence = "A topic."},
    {.table = "queue.topic.NAME",
     .key = "partitions",
     .sentence = "How many partitions the topic has.",
     .fallback = "`[queue] partitions`"},
    {.table = "queue.topic.NAME",
     .key = "retention",
     .sentence = "How long messages are kept.",
     .fallback = "`[queue] retention`"},
    {.table = "queue.topic.NAME",
     .key = "retention_size",
     .sentence = "The bytes that a partition keeps; the oldest messages are removed first.",
     .fallback = "`[queue] retention_size`"},
    {.table = "queue.topic.NAME",
     .key = "compact",
     .sentence = "Whether of each key the last message stays, and older ones go; with `retention` "
                 "or `retention_size` in the table these remove messages as well.",
     .fallback = "false"},
    {.table = "queue.topic.NAME",
     .key = "delay",
     .sentence = "How long after it was published consumers get a message.",
     .fallback = "\"0s\""},
    {.table = "queue.topic.NAME",
     .key = "home",
     .sentence = "The data center that takes and hands out the topic's messages, from its creation "
                 "on. Later `meridian queue promote` moves it, and nothing else.",
     .fallback = "the controller"},
    {.table = "queue.topic.NAME",
     .key = "copies",
     .sentence = "In how many other data centers a message must be on disk before it is "
                 "acknowledged; with 0 `[queue] loss` decides.",
     .fallback = "0"},
};
static_assert(kMaxDeclaredTopics == 1000, "a description above says so");

std::string Milliseconds(Duration duration) {
  return fmt::format("{}", std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

// Of those with a queue.
size_t OtherDataCenters(const site::Site& site) {
  const auto count = std::ranges::count(site.datacenters, false, &site::DataCenter::edge_only);
  return count == 0 ? 0 : static_cast<size_t>(count) - 1;
}

// The home, and the copies elsewhere.
void ParsePlaces(const site::Site& site, site::TableReader& table, DeclaredTopic& topic) {
  if (table.Has("home")) {
    topic.home = site::ReadDataCenterName(table, "home", site);
    const site::DataCenter* home = site.FindDataCenter(topic.home);
    if (home != nullptr && home->edge_only) {
      table.Reject("home", fmt::format("\"{}\" is an edge place, which has no queue", topic.home));
    }
  }
  if (!table.Has("copies")) return;
  const auto copies =
      static_cast<size_t>(table.Integer("copies", {.min = 0, .max = kMaxSyncDataCenters}));
  const size_t others = OtherDataCenters(site);
  if (copies > others) {
    table.Reject("copies", fmt::format("{} copies in other data centers are asked for, and the "
                                       "site has {} other{} with a queue",
                                       copies, others, others == 1 ? "" : "s"));
  }
  topic.overrides.emplace(kCopiesKey, fmt::format("{}", copies));
}

DeclaredTopic ParseTopic(const std::string& name, const site::Site& site,
                         site::TableReader& table) {
  DeclaredTopic topic{.name = name};
  TopicOverrides& overrides = topic.overrides;
  if (table.Has("partitions")) {
    topic.partitions = static_cast<uint32_t>(
        table.Integer("partitions", {.min = 1, .max = kMaxPartitionsOfTopic}));
  }
  const bool has_retention = table.Has("retention");
  if (has_retention) {
    overrides.emplace(
        kRetentionKey,
        Milliseconds(table.Duration("retention", {.min = kMinRetention, .max = kMaxRetention})));
  }
  const bool has_retention_size = table.Has("retention_size");
  if (has_retention_size) {
    const uint64_t bytes =
        table.Size("retention_size", {.min = kMinRetentionBytes, .max = kMaxRetentionBytes});
    overrides.emplace(kRetentionBytesKey, fmt::format("{}", bytes));
  }
  if (table.Has("compact")) {
    const bool compacts = table.Boolean("compact", {});
    const bool deletes = !compacts || has_retention || has_retention_size;
    overrides.emplace(kCleanupPolicyKey, !compacts ? "delete"
                                         : deletes ? "compact,delete"
                                                   : "compact");
  }
  if (table.Has("delay")) {
    overrides.emplace(
        kDelayKey,
        Milliseconds(table.Duration(
            "delay", {.min = Duration::zero(), .max = std::chrono::milliseconds{kMaxDelayMs}})));
  }
  ParsePlaces(site, table, topic);
  return topic;
}

std::vector<DeclaredTopic> ParseTopics(site::TableReader& reader, const site::Site& site) {
  site::TableReader tables = reader.Table("topic");
  std::vector<site::NamedTable> named = tables.NamedTables();
  std::vector<DeclaredTopic> topics;
  if (named.size() > kMaxDeclaredTopics) {
    reader.Reject("topic", fmt::format("{} topics are too many; at most {} are allowed",
                                       named.size(), kMaxDeclaredTopics));
    return topics;
  }
  for (auto& [name, table] : named) {
    if (Result<void> good = CheckTopicName(name); !good) {
      tables.RejectKey(name,
                       fmt::format("\"{}\" cannot name a topic: {}", name, good.error().message));
    }
    topics.push_back(ParseTopic(name, site, table));
  }
  return topics;
}

bool HasQueue(const site::Site& site) {
  return site.externals.contains("queue") ||
         std::ranges::find(site.tiers, "queue", &site::TierDescription::name) != site.tiers.end();
}

// Records why the queue cannot have the topic that a worker consumes.
void CheckWorker(const site::Worker& worker, const site::Site& site, const Config& config,
                 site::TableReader& table) {
  if (!HasQueue(site)) {
    table.Reject(
        "topic",
        fmt::format("worker \"{}\" consumes a topic, but the site has no queue", worker.name),
        "add the table [queue]");
    return;
  }
  Result<void> good = CheckTopicName(worker.topic);
  if (!good) {
    table.Reject("topic",
                 fmt::format("\"{}\" cannot name a topic: {}", worker.topic, good.error().message));
    return;
  }
  if (DeadLetterTopic(worker).size() > kMaxTopicNameBytes) {
    table.Reject("topic",
                 fmt::format("with retries the name of the topic of dead letters has more than {} "
                             "characters: TOPIC.{}.dead-letter",
                             kMaxTopicNameBytes, worker.name),
                 "shorten the topic's name");
  }
  const bool declared =
      std::ranges::find(config.topics, worker.topic, &DeclaredTopic::name) != config.topics.end();
  if (config.auto_create || declared || site.externals.contains("queue")) return;
  std::vector<std::string> known;
  for (const DeclaredTopic& topic : config.topics) known.push_back(topic.name);
  std::optional<std::string> nearest = site::Nearest(worker.topic, known);
  table.Reject(
      "topic",
      fmt::format("there is no topic \"{}\", and [queue] auto_create is off", worker.topic),
      nearest ? fmt::format("did you mean \"{}\"?", *nearest)
              : fmt::format("declare it: [queue.topic.{}]", worker.topic));
}

Config Parse(site::TableReader& reader, const site::Site& site) {
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
  config.loss =
      reader.Choice<Loss>("loss", {{"none", Loss::kNone}, {"local", Loss::kLocal}}, config.loss);
  config.max_clients = static_cast<size_t>(
      reader.Integer("max_clients", {.min = 1,
                                     .max = static_cast<int64_t>(kMaxClients),
                                     .fallback = static_cast<int64_t>(config.max_clients)}));
  config.topics = ParseTopics(reader, site);
  site::TableReader workers = reader.TopTable("worker");
  for (const site::Worker& worker : site.workers) {
    if (worker.topic.empty()) continue;
    site::TableReader table = workers.Table(worker.name);
    CheckWorker(worker, site, config, table);
  }
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
