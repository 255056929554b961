// ProducerTable: the idempotent producers of all partitions, so that a batch that was sent again is
// recognised, and one that arrives too early or from a fenced producer is refused. The rules are
// Kafka's (KIP-98, KIP-360). Pure.
//
// Owned by the QueueState; one thread. Invariants: at most kMaxProducers entries; of each, the last
// kRememberedBatches batches.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/refusal.hpp"

namespace meridian::queue {

// The last sequence number of a batch: they wrap from 2^31 - 1 to 0.
int32_t LastSequence(int32_t first, int32_t records);

// What a batch says of its producer.
struct ProducedBatch {
  int64_t producer_id = -1;
  int16_t epoch = -1;
  int32_t first_sequence = -1;
  int32_t last_sequence = -1;
};

struct RememberedBatch {
  int32_t first_sequence = 0;
  int32_t last_sequence = 0;
  int64_t base_offset = 0;
  bool operator==(const RememberedBatch&) const = default;
};

// A producer's state in one partition.
struct ProducerState {
  int16_t epoch = -1;
  HybridTime last_time;
  size_t count = 0;                                           // of `batches`
  std::array<RememberedBatch, kRememberedBatches> batches{};  // the oldest first

  std::span<const RememberedBatch> remembered() const { return std::span(batches).first(count); }
  void Remember(const RememberedBatch& batch);
  bool operator==(const ProducerState&) const = default;
};

struct SequenceCheck {
  QueueError error = QueueError::kNone;
  std::string message;        // of the error
  int64_t duplicate_of = -1;  // the offset at which the same batch was appended
  bool duplicate() const { return duplicate_of >= 0; }
};

class ProducerTable {
 public:
  SequenceCheck Check(PartitionId partition, const ProducedBatch& batch, HybridTime now) const;
  // The batch was appended at `base_offset`. May forget the producer that was idle longest.
  void Add(PartitionId partition, const ProducedBatch& batch, int64_t base_offset, HybridTime now);
  // Sets a state that was read from a snapshot.
  void Restore(PartitionId partition, int64_t producer_id, const ProducerState& state);
  void RemoveTopic(uint32_t topic);
  // Forgets batches at `offset` and above.
  void CutPartition(PartitionId partition, int64_t offset);

  bool Has(PartitionId partition, int64_t producer_id) const {
    return states_.contains({partition, producer_id});
  }
  std::vector<std::pair<int64_t, ProducerState>> Of(PartitionId partition) const;
  size_t size() const { return states_.size(); }
  // Producers that were forgotten because there were too many. The owner reports it.
  uint64_t evicted() const { return evicted_; }

 private:
  struct Key {
    PartitionId partition;
    int64_t producer_id = 0;
    auto operator<=>(const Key&) const = default;
  };
  using States = std::map<Key, ProducerState>;
  void SetTime(const Key& key, ProducerState& state, HybridTime time);
  void Forget(States::iterator state);
  void ForgetOldest(HybridTime now);

  States states_;
  std::set<std::pair<HybridTime, Key>> by_time_;
  uint64_t evicted_ = 0;
};

}  // namespace meridian::queue
