// TopicSetup: makes the topics of the engine what site.toml asks for. It creates topics, adds
// partitions and sets keys; it never removes anything. What it cannot do is a problem, and is tried
// again.
//
// Owned by the Queue; one thread: the main loop's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/task.hpp"
#include "queue/config.hpp"
#include "queue/engine/engine.hpp"
#include "queue/state/topic_config.hpp"

namespace meridian::queue {

// What is to be done for a topic. Pure.
struct TopicChange {
  bool create = false;
  std::optional<uint32_t> partitions;       // in all, of a topic that has fewer
  std::optional<TopicOverrides> overrides;  // all of the topic's, where they change
  std::string problem;                      // what cannot be done; empty: nothing

  bool operator==(const TopicChange&) const = default;
};
TopicChange ChangeOf(const DeclaredTopic& asked, const std::optional<TopicDescription>& found);

class TopicSetup {
 public:
  // `topics` as TopicsOfSite gives them. `partitions`: of a topic that is made without a number.
  TopicSetup(Engine& engine, std::vector<DeclaredTopic> topics, uint32_t partitions);

  // Applies what can be applied now.
  io::Task<void> Apply();
  // Whether something is left to do.
  bool has_problem() const { return !problems_.empty(); }
  // For people, at most a few of the problems; empty: none.
  std::string problem() const;

 private:
  io::Task<std::string> ApplyTo(const DeclaredTopic& asked);

  Engine& engine_;
  const std::vector<DeclaredTopic> topics_;
  const uint32_t partitions_;
  std::vector<std::string> problems_;
};

}  // namespace meridian::queue
