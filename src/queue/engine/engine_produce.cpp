// Engine: producing.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine.hpp"
#include "queue/engine/in_flight_room.hpp"
#include "queue/engine/partition.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/producer_table.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/refusal.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
namespace {

ProducedBatch ProducedBatchOf(const wire::kafka::BatchHeader& header) {
  return {.producer_id = header.producer_id,
          .epoch = header.producer_epoch,
          .first_sequence = header.base_sequence,
          .last_sequence = LastSequence(header.base_sequence, header.record_count)};
}

Refusal RefusalOfWait(const Error& error, const Result<void>& writable) {
  switch (error.code) {
    case Errc::kNotFound:
      return {QueueError::kUnknownTopicOrPartition, error.message};
    case Errc::kPermission:
      return {QueueError::kNotHome, error.message};
    case Errc::kTooLarge:
      return {QueueError::kTooManyRequests, error.message};
    case Errc::kTimeout:
      return writable ? Refusal{QueueError::kTimedOut, "not durable before the deadline"}
                      : UnwritableRefusal(writable.error());
    default:
      return {QueueError::kClosing, error.message};
  }
}

void SetError(const Refusal& refusal, ProduceOutcome& outcome) {
  outcome.error = refusal.error;
  outcome.message = refusal.message;
}

}  // namespace

io::Task<std::vector<ProduceOutcome>> Engine::Produce(std::span<const ProducePart> parts,
                                                      Acknowledge acknowledge, TimePoint deadline) {
  std::vector<ProduceOutcome> outcomes(parts.size());
  size_t bytes = 0;
  for (const ProducePart& part : parts) bytes += part.batch.size();
  // Room for all parts at once: no part of another call comes between them.
  Outcome<> ready = CheckWritable();
  if (ready) {
    Result<void> reserved = co_await durable_->room().Reserve(bytes, deadline);
    if (!reserved) ready = Refuse(RefusalOfWait(reserved.error(), durable_->Writable()));
  }
  if (!ready) {
    for (ProduceOutcome& outcome : outcomes) SetError(ready.error(), outcome);
    numbers_.produce_refusals += parts.size();
    if (ready.error().error == QueueError::kStorage) numbers_.storage_refusals += parts.size();
    co_return outcomes;
  }
  std::vector<Appended> appended(parts.size());
  size_t unused = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    Outcome<Appended> part = AppendPart(parts[i], outcomes[i]);
    if (!part) SetError(part.error(), outcomes[i]);
    if (part) appended[i] = std::move(*part);
    if (!appended[i].added) unused += parts[i].batch.size();
    if (!part) ++numbers_.produce_refusals;
  }
  durable_->room().Release(unused);
  if (acknowledge == Acknowledge::kNever) co_return outcomes;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (appended[i].partition == nullptr) continue;
    Outcome<> done = co_await AwaitAppended(appended[i], deadline);
    if (!done) SetError(done.error(), outcomes[i]);
    if (!done) ++numbers_.produce_refusals;
  }
  co_return outcomes;
}

// Runs without a wait, so that batches are appended in the order of the calls.
Outcome<Engine::Appended> Engine::AppendPart(const ProducePart& part, ProduceOutcome& outcome) {
  Outcome<PartitionId> id = FindHere(part.where);
  if (!id) return Refuse(std::move(id.error()));
  if (Outcome<> fits = CheckPart(part, *id); !fits) return Refuse(std::move(fits.error()));
  std::shared_ptr<Partition> partition = durable_->FindPartition(*id);
  outcome.log_start_offset = LogStart(*partition);
  if (part.header.producer_id >= 0) {
    if (!IsKnownProducer(*id, part.header.producer_id)) {
      return Refuse(QueueError::kUnknownProducerId, "producer id {} was given to nobody",
                    part.header.producer_id);
    }
    SequenceCheck check =
        durable_->state().producers().Check(*id, ProducedBatchOf(part.header), clock_.last());
    if (check.error != QueueError::kNone) return Refuse(Refusal{check.error, check.message});
    if (check.duplicate()) {
      ++numbers_.duplicates;
      outcome.base_offset = check.duplicate_of;
      return Appended{partition, check.duplicate_of + part.header.record_count, false};
    }
  }
  int64_t next_offset = Append(part, *id, outcome);
  return Appended{std::move(partition), next_offset, true};
}

// Ids that a client makes up would push out those of others. How many ids another data center has
// given is not known here.
bool Engine::IsKnownProducer(PartitionId partition, int64_t producer_id) const {
  const NodeId author = NodeOfProducerId(producer_id);
  const auto& peers = options_.peers;
  if (std::ranges::find(peers, author, &PeerNode::node) != peers.end()) return true;
  return (author == options_.node && producer_id < next_producer_id_) ||
         durable_->state().producers().Has(partition, producer_id);
}

Outcome<> Engine::CheckPart(const ProducePart& part, PartitionId id) const {
  if (Outcome<> writable = CheckWritable(); !writable) return writable;
  if (part.header.transactional() || part.header.control()) {
    return Refuse(QueueError::kUnsupportedBatch, "transactions are not supported");
  }
  int64_t max_bytes = durable_->state().FindTopic(id.topic)->config.max_message_bytes;
  if (static_cast<int64_t>(part.batch.size()) > max_bytes) {
    return Refuse(QueueError::kMessageTooLarge, "a batch of {} bytes, and max.message.bytes is {}",
                  part.batch.size(), max_bytes);
  }
  return {};
}

// The offset behind the batch.
int64_t Engine::Append(const ProducePart& part, PartitionId id, ProduceOutcome& outcome) {
  const Topic& topic = *durable_->state().FindTopic(id.topic);
  wire::kafka::BatchHeader header = part.header;
  header.base_offset = durable_->state().FindPartition(id)->end_offset;
  header.leader_epoch = topic.leader_epoch;
  std::vector<uint8_t> record = EncodeBatchPrefix(id);
  size_t prefix_bytes = record.size();
  record.insert(record.end(), part.batch.begin(), part.batch.end());
  MutableBytes batch = MutableBytes(record).subspan(prefix_bytes);
  wire::kafka::SetBaseOffset(batch, header.base_offset);
  wire::kafka::SetLeaderEpoch(batch, header.leader_epoch);
  if (topic.config.append_time) {
    outcome.append_time_ms = static_cast<int64_t>(durable_->Now().milliseconds());
    wire::kafka::StampAppendTime(batch, outcome.append_time_ms);
  } else {
    wire::kafka::SetMaxTimestamp(batch, header.max_timestamp_ms);
  }
  outcome.base_offset = header.base_offset;
  ++numbers_.batches_appended;
  numbers_.bytes_appended += batch.size();
  durable_->AppendBatch(header, id, std::move(record), prefix_bytes);
  return header.next_offset();
}

io::Task<Outcome<>> Engine::AwaitAppended(const Appended& appended, TimePoint deadline) {
  Result<void> done = co_await appended.partition->AwaitCommitted(appended.next_offset, deadline);
  if (done) co_return Outcome<>{};
  co_return Refuse(RefusalOfWait(done.error(), durable_->Writable()));
}

io::Task<Outcome<int64_t>> Engine::NewProducerId() {
  if (next_producer_id_ >= durable_->state().producer_ids_end()) {
    if (Outcome<> writable = CheckWritable(); !writable) co_return Refuse(writable.error());
    producer_ids_journal_end_ =
        durable_->Append(ProducerIdsRecord{next_producer_id_ + kProducerIdBlock});
  }
  int64_t id = next_producer_id_++;
  Result<void> done = co_await durable_->AwaitCopied(producer_ids_journal_end_);
  if (!done) co_return Refuse(QueueError::kStorage, "{}", done.error().message);
  co_return id;
}

}  // namespace meridian::queue
