#include "queue/topic_homes.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"

namespace meridian::queue {
namespace {

constexpr size_t kShownProblems = 3;

bool IsUnused(const Topic& topic) {
  return std::ranges::all_of(topic.partitions, [](const PartitionState& partition) {
    return partition.end_offset == 0 && partition.source_end == 0;
  });
}

}  // namespace

TopicHomes::TopicHomes(const QueueState& state, std::vector<Declared> topics)
    : state_(state), topics_(std::move(topics)) {
  for (const Declared& each : topics_) {
    if (state_.FindTopic(each.topic) != nullptr) settled_.insert(each.topic);
  }
}

std::vector<std::string> TopicHomes::ToTake() {
  std::vector<std::string> names;
  for (const Declared& each : topics_) {
    if (each.home != state_.node() || settled_.contains(each.topic)) continue;
    const Topic* topic = state_.FindTopic(each.topic);
    if (topic == nullptr) continue;
    const bool moved = topic->home != NodeOfTopicNumber(topic->number);
    if (state_.IsHome(*topic) || moved || !IsUnused(*topic)) {
      settled_.insert(each.topic);
    } else {
      names.push_back(each.topic);
    }
  }
  return names;
}

std::string TopicHomes::problem() const {
  std::vector<std::string> problems;
  for (const Declared& each : topics_) {
    const Topic* topic = state_.FindTopic(each.topic);
    if (topic == nullptr || !state_.IsHome(*topic) || each.home == state_.node()) continue;
    problems.push_back(
        fmt::format("topic {} has its home here, and site.toml says {}; to move it: meridian queue "
                    "promote {} --to {}",
                    each.topic, each.home_name, each.topic, each.home_name));
  }
  const size_t count = problems.size();
  if (count > kShownProblems) {
    problems.resize(kShownProblems);
    problems.push_back(fmt::format("{} more topics are not at home: meridian queue mirrors",
                                   count - kShownProblems));
  }
  return fmt::format("{}", fmt::join(problems, "; "));
}

}  // namespace meridian::queue
