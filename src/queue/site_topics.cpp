#include "queue/site_topics.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "queue/config.hpp"
#include "queue/limits.hpp"
#include "queue/state/topic_config.hpp"
#include "site/site.hpp"

namespace meridian::queue {
namespace {

using Topics = std::map<std::string, DeclaredTopic, std::less<>>;

std::string Text(Duration duration) {
  return fmt::format("{}", std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

// Adds the topic, or what the one that is there does not say itself.
void Complete(Topics& topics, DeclaredTopic topic) {
  auto [place, added] = topics.try_emplace(topic.name, topic);
  if (added) return;
  DeclaredTopic& known = place->second;
  if (!known.partitions) known.partitions = topic.partitions;
  known.overrides.merge(topic.overrides);
}

// How long the topic keeps messages, by the file.
Duration RetentionOf(const DeclaredTopic& topic, const Config& config) {
  auto own = topic.overrides.find(kRetentionKey);
  int64_t ms = 0;
  if (own == topic.overrides.end()) return config.retention;
  std::from_chars(own->second.data(), own->second.data() + own->second.size(), ms);
  return std::chrono::milliseconds{ms};
}

// Messages keep their timestamps, by which retention counts: one that the worker reads late may be
// as old as its topic allows, and has to stay for as long again.
void AddRetries(const site::Worker& worker, const Config& config, Topics& topics) {
  const DeclaredTopic source = topics.find(worker.topic)->second;
  const Duration oldest = RetentionOf(source, config) + kMaxRetryTime;
  uint32_t number = 0;
  for (const std::string& name : RetryTopics(worker)) {
    Complete(
        topics,
        {.name = name,
         .partitions = source.partitions,
         .overrides = {{std::string(kDelayKey), Text(RetryDelay(++number))},
                       {std::string(kRetentionKey), Text(oldest + RetentionOf(source, config))}}});
  }
  Complete(topics,
           {.name = DeadLetterTopic(worker),
            .partitions = source.partitions,
            .overrides = {{std::string(kRetentionKey), Text(oldest + kDeadLetterRetention)}}});
}

}  // namespace

Duration RetryDelay(uint32_t number) {
  Duration delay = kFirstRetryDelay;
  for (uint32_t i = 1; i < number && delay < kMaxRetryDelay; ++i) delay *= kRetryDelayFactor;
  return std::min(delay, kMaxRetryDelay);
}

std::vector<std::string> RetryTopics(const site::Worker& worker) {
  std::vector<std::string> topics;
  for (uint32_t number = 1; number <= worker.retries; ++number) {
    topics.push_back(fmt::format("{}.{}.retry.{}", worker.topic, worker.name, number));
  }
  return topics;
}

std::string DeadLetterTopic(const site::Worker& worker) {
  if (worker.retries == 0) return "";
  return fmt::format("{}.{}.dead-letter", worker.topic, worker.name);
}

std::vector<DeclaredTopic> TopicsOfSite(const Config& config,
                                        const std::vector<site::Worker>& workers) {
  Topics topics;
  for (const DeclaredTopic& topic : config.topics) topics.emplace(topic.name, topic);
  for (const site::Worker& worker : workers) {
    if (worker.topic.empty()) continue;
    topics.try_emplace(worker.topic, DeclaredTopic{.name = worker.topic});
    if (worker.retries > 0) AddRetries(worker, config, topics);
  }
  std::vector<DeclaredTopic> all;
  all.reserve(topics.size());
  for (auto& [name, topic] : topics) all.push_back(std::move(topic));
  return all;
}

std::map<std::string, std::vector<std::pair<std::string, std::string>>> WorkerVariables(
    const std::vector<site::Worker>& workers) {
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> variables;
  for (const site::Worker& worker : workers) {
    if (worker.retries == 0) continue;
    variables[worker.name] = {
        {"MERIDIAN_RETRY_TOPICS", fmt::format("{}", fmt::join(RetryTopics(worker), ","))},
        {"MERIDIAN_DEAD_LETTER_TOPIC", DeadLetterTopic(worker)}};
  }
  return variables;
}

}  // namespace meridian::queue
