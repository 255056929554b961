#include "cli/queue/compare/topic_differences.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "queue/config.hpp"

namespace meridian::cli {
namespace {

void AddDifferences(const queue::DeclaredTopic& asked, const RunningTopic& running,
                    std::vector<std::string>& differences) {
  if (asked.partitions && *asked.partitions != running.partitions) {
    differences.push_back(fmt::format(
        "topic {} has {} partitions, the file says {}{}", asked.name, running.partitions,
        *asked.partitions,
        *asked.partitions < running.partitions ? ": partitions are never removed" : ""));
  }
  for (const auto& [key, value] : asked.overrides) {
    auto found = running.configuration.find(key);
    if (found == running.configuration.end()) {
      differences.push_back(
          fmt::format("topic {} has no key {}, the file sets it to {}", asked.name, key, value));
    } else if (found->second != value) {
      differences.push_back(fmt::format("topic {} has {} = {}, the file says {}", asked.name, key,
                                        found->second, value));
    }
  }
  if (!asked.home.empty() && !running.home.empty() && asked.home != running.home) {
    differences.push_back(
        fmt::format("the home of topic {0} is {1}, the file says {2}; to move it: meridian queue "
                    "promote {0} --to {2}",
                    asked.name, running.home, asked.home));
  }
}

}  // namespace

std::vector<std::string> TopicDifferences(
    const std::vector<queue::DeclaredTopic>& asked,
    const std::map<std::string, RunningTopic, std::less<>>& running) {
  std::vector<std::string> differences;
  for (const queue::DeclaredTopic& topic : asked) {
    auto found = running.find(topic.name);
    if (found == running.end()) {
      differences.push_back(fmt::format("topic {} is in the file alone", topic.name));
    } else {
      AddDifferences(topic, found->second, differences);
    }
  }
  return differences;
}

}  // namespace meridian::cli
