#include "queue/state/producer_table.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/hybrid_clock.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/refusal.hpp"

namespace meridian::queue {
namespace {

constexpr int64_t kSequences = int64_t{1} << 31;
// Expired producers that one appended batch removes, so that they go faster than others come.
constexpr int kExpiredPerBatch = 2;

// The sequence number that is `by` after `sequence`.
int32_t Advance(int32_t sequence, int64_t by) {
  return static_cast<int32_t>((int64_t{sequence} + by) % kSequences);
}

bool Expired(HybridTime last, HybridTime now) { return last.Wall() + kProducerExpiry < now.Wall(); }

}  // namespace

int32_t LastSequence(int32_t first, int32_t records) { return Advance(first, records - 1); }

void ProducerState::Remember(const RememberedBatch& batch) {
  if (count == kRememberedBatches) {
    std::ranges::rotate(batches, batches.begin() + 1);
    --count;
  }
  batches[count++] = batch;
}

SequenceCheck ProducerTable::Check(PartitionId partition, const ProducedBatch& batch,
                                   HybridTime now) const {
  auto found = states_.find({partition, batch.producer_id});
  // Whatever sequence a producer goes on with after it was forgotten is accepted (KIP-360).
  if (found == states_.end() || Expired(found->second.last_time, now)) return {};
  const ProducerState& state = found->second;
  if (batch.epoch < state.epoch) {
    return {.error = QueueError::kInvalidProducerEpoch,
            .message = fmt::format("producer {} has epoch {}, and epoch {} was here",
                                   batch.producer_id, batch.epoch, state.epoch)};
  }
  if (batch.epoch > state.epoch) {
    if (batch.first_sequence == 0) return {};
    return {.error = QueueError::kOutOfOrderSequence,
            .message = fmt::format("producer {} begins epoch {} with sequence {}",
                                   batch.producer_id, batch.epoch, batch.first_sequence)};
  }
  for (const RememberedBatch& remembered : state.remembered()) {
    if (remembered.first_sequence == batch.first_sequence &&
        remembered.last_sequence == batch.last_sequence) {
      return {.duplicate_of = remembered.base_offset};
    }
  }
  int32_t last = state.remembered().back().last_sequence;
  if (batch.first_sequence == Advance(last, 1)) return {};
  // How far the batch ends behind the last one, modulo the number of sequences.
  int64_t behind = (int64_t{last} - batch.last_sequence + kSequences) % kSequences;
  QueueError error = behind < kSequences / 2 && batch.first_sequence <= batch.last_sequence &&
                             batch.last_sequence <= last
                         ? QueueError::kDuplicateSequence
                         : QueueError::kOutOfOrderSequence;
  return {.error = error,
          .message = fmt::format("producer {} sends sequence {} after sequence {}",
                                 batch.producer_id, batch.first_sequence, last)};
}

void ProducerTable::Add(PartitionId partition, const ProducedBatch& batch, int64_t base_offset,
                        HybridTime now) {
  Key key{partition, batch.producer_id};
  auto [found, added] = states_.try_emplace(key);
  ProducerState& state = found->second;
  if (!added && (state.epoch != batch.epoch || Expired(state.last_time, now))) state.count = 0;
  state.epoch = batch.epoch;
  state.Remember({batch.first_sequence, batch.last_sequence, base_offset});
  SetTime(key, state, now);
  ForgetOldest(now);
}

void ProducerTable::Restore(PartitionId partition, int64_t producer_id,
                            const ProducerState& state) {
  Key key{partition, producer_id};
  auto [found, added] = states_.try_emplace(key, state);
  if (!added) {
    by_time_.erase({found->second.last_time, key});
    found->second = state;
  }
  by_time_.insert({state.last_time, key});
}

void ProducerTable::RemoveTopic(uint32_t topic) {
  auto at = states_.lower_bound(
      {.partition = {topic, 0}, .producer_id = std::numeric_limits<int64_t>::min()});
  while (at != states_.end() && at->first.partition.topic == topic) Forget(at++);
}

void ProducerTable::CutPartition(PartitionId partition, int64_t offset) {
  auto at = states_.lower_bound({partition, std::numeric_limits<int64_t>::min()});
  while (at != states_.end() && at->first.partition == partition) {
    ProducerState& state = at->second;
    while (state.count > 0 && state.batches[state.count - 1].base_offset >= offset) --state.count;
    if (state.count == 0) {
      Forget(at++);
    } else {
      ++at;
    }
  }
}

std::vector<std::pair<int64_t, ProducerState>> ProducerTable::Of(PartitionId partition) const {
  std::vector<std::pair<int64_t, ProducerState>> found;
  auto at = states_.lower_bound({partition, std::numeric_limits<int64_t>::min()});
  for (; at != states_.end() && at->first.partition == partition; ++at) {
    found.emplace_back(at->first.producer_id, at->second);
  }
  return found;
}

void ProducerTable::SetTime(const Key& key, ProducerState& state, HybridTime time) {
  by_time_.erase({state.last_time, key});
  state.last_time = time;
  by_time_.insert({time, key});
}

void ProducerTable::Forget(States::iterator state) {
  by_time_.erase({state->second.last_time, state->first});
  states_.erase(state);
}

void ProducerTable::ForgetOldest(HybridTime now) {
  for (int i = 0; i < kExpiredPerBatch && !by_time_.empty(); ++i) {
    const auto& [time, key] = *by_time_.begin();
    bool expired = Expired(time, now);
    if (!expired && states_.size() <= kMaxProducers) return;
    if (!expired) ++evicted_;
    Forget(states_.find(key));
  }
}

}  // namespace meridian::queue
