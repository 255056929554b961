// What the clients of `sim queue` were promised, and whether it holds. Every record's value is
// unique and names its producer and its number: "2-17" is the 17th of producer 2.
//
// Owned by one run; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/sim/world.hpp"

namespace meridian::sim {

// The content of a partition from its log start on: values by offset.
struct PartitionContent {
  int64_t log_start_offset = 0;
  int64_t high_watermark = 0;
  bool compacted = false;  // a record goes when a later one has its key
  std::map<int64_t, std::string> values;
  // Offsets [first, second) that could not be read, because their segment file is damaged.
  std::vector<std::pair<int64_t, int64_t>> damaged;
};

// Of the keys of one producer: records whose numbers are equal modulo this have one key.
inline constexpr int64_t kKeysOfProducer = 3;

class QueueOracle {
 public:
  explicit QueueOracle(io::sim::World& world) : world_(world) {}

  // A producer got the offset of a record, or a reader saw it there. A record has one offset, an
  // offset one record, and a producer's records are in the order in which it sent them.
  void Saw(const std::string& partition, int64_t offset, const std::string& value);
  // The log start may move up to here from now on.
  void MayRemoveBelow(const std::string& partition, int64_t offset);
  // All that was seen before is there, but for what was removed.
  void CheckContent(const std::string& partition, const PartitionContent& content);

  // Committed offsets of a group grow.
  void TriedToCommit(const std::string& group, int64_t offset) { commits_[group].tried = offset; }
  void Committed(const std::string& group, int64_t offset) { commits_[group].durable = offset; }
  void CheckCommitted(const std::string& group, std::optional<int64_t> found);

  // Of a topic that exists at times: whether it must, or must not.
  void Expect(const std::string& topic, std::optional<bool> exists) { exists_[topic] = exists; }
  void CheckTopic(const std::string& topic, bool exists);

  uint64_t seen() const { return seen_; }

 private:
  struct Known {
    std::map<int64_t, std::string> values;  // by offset
    // By producer, the offset of each number.
    std::map<std::string, std::map<int64_t, int64_t>> numbers;
    int64_t may_remove_below = 0;
  };
  using Place = std::pair<const Known*, int64_t>;  // partition, offset
  struct Commits {
    int64_t tried = -1;
    int64_t durable = -1;
  };
  static bool HasLaterOfItsKey(const Known& known, const std::string& value);
  void CheckOrder(const std::string& partition, Known& known, int64_t offset,
                  const std::string& value);

  io::sim::World& world_;
  std::map<std::string, Known> partitions_;
  std::unordered_map<std::string, Place> places_;  // by value
  std::map<std::string, Commits> commits_;
  std::map<std::string, std::optional<bool>> exists_;
  uint64_t seen_ = 0;
};

}  // namespace meridian::sim
