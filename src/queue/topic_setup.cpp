#include "queue/topic_setup.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/config.hpp"
#include "queue/engine/engine.hpp"
#include "queue/state/refusal.hpp"
#include "queue/state/topic_config.hpp"

namespace meridian::queue {
namespace {

constexpr size_t kShownProblems = 3;

}  // namespace

TopicChange ChangeOf(const DeclaredTopic& asked, const std::optional<TopicDescription>& found) {
  TopicChange change;
  if (!found) {
    change.create = true;
    return change;
  }
  TopicOverrides overrides = found->overrides;
  for (const auto& [key, value] : asked.overrides) overrides[key] = value;
  if (overrides != found->overrides) change.overrides = std::move(overrides);
  if (!asked.partitions || *asked.partitions == found->partitions) return change;
  if (*asked.partitions > found->partitions) {
    change.partitions = asked.partitions;
  } else {
    change.problem = fmt::format(
        "topic {} has {} partitions, and site.toml says {}: partitions are never "
        "removed; write {} there",
        asked.name, found->partitions, *asked.partitions, found->partitions);
  }
  return change;
}

TopicSetup::TopicSetup(Engine& engine, std::vector<DeclaredTopic> topics, uint32_t partitions)
    : engine_(engine), topics_(std::move(topics)), partitions_(partitions) {}

io::Task<void> TopicSetup::Apply() {
  std::vector<std::string> problems;
  for (const DeclaredTopic& topic : topics_) {
    std::string problem = co_await ApplyTo(topic);
    // A start with thousands of topics lets other fibers run; at the end of the process all waits
    // fail, which is no problem of a topic.
    if (!co_await io::Sleep(Duration::zero())) co_return;
    if (problem.empty()) continue;
    if (std::ranges::find(problems_, problem) == problems_.end()) {
      LOG_WARNING("a topic is not as site.toml says", {"problem", problem});
    }
    problems.push_back(std::move(problem));
  }
  problems_ = std::move(problems);
}

// The problem, or empty.
io::Task<std::string> TopicSetup::ApplyTo(const DeclaredTopic& asked) {
  TopicChange change = ChangeOf(asked, engine_.FindTopic(asked.name));
  if (change.create) {
    auto made = co_await engine_.CreateTopic({.name = asked.name,
                                              .partitions = asked.partitions.value_or(partitions_),
                                              .overrides = asked.overrides});
    if (!made) co_return fmt::format("topic {} is not made: {}", asked.name, made.error().message);
    LOG_INFO("topic made", {"topic", asked.name}, {"partitions", made->partitions});
  }
  if (change.overrides) {
    auto set = co_await engine_.ConfigureTopic(asked.name, *std::move(change.overrides));
    if (!set) co_return fmt::format("topic {} is not set: {}", asked.name, set.error().message);
    LOG_INFO("topic configured", {"topic", asked.name});
  }
  if (change.partitions) {
    auto added = co_await engine_.AddPartitions(asked.name, *change.partitions);
    if (!added) {
      co_return fmt::format("topic {} gets no more partitions: {}", asked.name,
                            added.error().message);
    }
    LOG_INFO("partitions added", {"topic", asked.name}, {"partitions", *change.partitions});
  }
  co_return std::move(change.problem);
}

std::string TopicSetup::problem() const {
  const std::span<const std::string> shown =
      std::span(problems_).first(std::min(problems_.size(), kShownProblems));
  std::string text = fmt::format("{}", fmt::join(shown, "; "));
  if (problems_.size() > kShownProblems) {
    text += fmt::format("; {} more: see the log", problems_.size() - kShownProblems);
  }
  return text;
}

}  // namespace meridian::queue
