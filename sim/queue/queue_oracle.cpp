#include "sim/queue/queue_oracle.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

namespace meridian::sim {
namespace {

// The producer's name and the number in a value.
std::pair<std::string, int64_t> Parse(const std::string& value) {
  size_t dash = value.find('-');
  int64_t number = 0;
  std::from_chars(value.data() + dash + 1, value.data() + value.size(), number);
  return {value.substr(0, dash), number};
}

}  // namespace

void QueueOracle::Saw(const std::string& partition, int64_t offset, const std::string& value) {
  Known& known = partitions_[partition];
  auto [at_offset, new_offset] = known.values.try_emplace(offset, value);
  if (at_offset->second != value) {
    return world_.Fail(fmt::format("offset {} of {} was record {} and is record {}", offset,
                                   partition, at_offset->second, value));
  }
  const Place here{&known, offset};
  auto place = places_.find(value);
  if (place == places_.end()) place = places_.emplace(value, here).first;
  if (place->second != here) {
    return world_.Fail(fmt::format("record {} is at offset {}, and at offset {} of {}", value,
                                   place->second.second, offset, partition));
  }
  if (!new_offset) return;
  ++seen_;
  CheckOrder(partition, known, offset, value);
}

void QueueOracle::CheckOrder(const std::string& partition, Known& known, int64_t offset,
                             const std::string& value) {
  auto [producer, number] = Parse(value);
  auto& offsets = known.numbers[producer];
  auto own = offsets.emplace(number, offset).first;
  bool before = own == offsets.begin() || std::prev(own)->second < offset;
  bool behind = std::next(own) == offsets.end() || std::next(own)->second > offset;
  if (!before || !behind) {
    world_.Fail(fmt::format("record {} at offset {} of {} is out of its producer's order", value,
                            offset, partition));
  }
}

bool QueueOracle::HasLaterOfItsKey(const Known& known, const std::string& value) {
  auto [producer, number] = Parse(value);
  const auto& offsets = known.numbers.at(producer);
  return std::any_of(offsets.upper_bound(number), offsets.end(), [number](const auto& later) {
    return (later.first - number) % kKeysOfProducer == 0;
  });
}

void QueueOracle::MayRemoveBelow(const std::string& partition, int64_t offset) {
  int64_t& limit = partitions_[partition].may_remove_below;
  limit = std::max(limit, offset);
}

void QueueOracle::CheckContent(const std::string& partition, const PartitionContent& content) {
  for (const auto& [offset, value] : content.values) Saw(partition, offset, value);
  const Known& known = partitions_[partition];
  if (content.log_start_offset > known.may_remove_below) {
    return world_.Fail(fmt::format("{} begins at offset {}, and nothing above {} was to be removed",
                                   partition, content.log_start_offset, known.may_remove_below));
  }
  for (const auto& [offset, value] : known.values) {
    if (offset < content.log_start_offset || content.values.contains(offset)) continue;
    const bool damaged = std::ranges::any_of(content.damaged, [offset](const auto& range) {
      return range.first <= offset && offset < range.second;
    });
    if (damaged) continue;
    if (content.compacted && HasLaterOfItsKey(known, value)) continue;
    return world_.Fail(fmt::format("record {} at offset {} of {} is lost ({} to {})", value, offset,
                                   partition, content.log_start_offset, content.high_watermark));
  }
}

void QueueOracle::CheckCommitted(const std::string& group, std::optional<int64_t> found) {
  const Commits& commits = commits_[group];
  int64_t offset = found.value_or(-1);
  if (offset >= commits.durable && offset <= commits.tried) return;
  world_.Fail(fmt::format("group {} has committed offset {}, and {} to {} was expected", group,
                          offset, commits.durable, commits.tried));
}

void QueueOracle::CheckTopic(const std::string& topic, bool exists) {
  auto expected = exists_[topic];
  if (!expected || *expected == exists) return;
  world_.Fail(fmt::format("topic {} {}, although that was changed durably", topic,
                          exists ? "exists" : "does not exist"));
}

}  // namespace meridian::sim
