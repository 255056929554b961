#include "queue/state/queue_state.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/result.hpp"
#include "queue/state/group_offsets.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/producer_table.hpp"
#include "queue/state/topic_config.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

Result<BatchEffect> QueueState::Apply(const JournalRecord& record, JournalPlace place) {
  if (const auto* batch = std::get_if<BatchRecord>(&record)) {
    auto header = wire::kafka::ReadBatchHeader(batch->batch);
    if (!header) return Fail(std::move(header.error()));
    return ApplyBatch(batch->partition, *header, place);
  }
  if (std::holds_alternative<FormatRecord>(record)) {
    has_format_ = true;
  } else if (!has_format_) {
    return Fail(Errc::kInvalid, "the queue's journal does not begin with its format");
  } else if (const auto* moved = std::get_if<LogStartMovedRecord>(&record)) {
    MoveLogStart(*moved, place);
  } else if (const auto* committed = std::get_if<OffsetsCommittedRecord>(&record)) {
    CommitOffsets(*committed, place);
  } else if (const auto* removed = std::get_if<OffsetsRemovedRecord>(&record)) {
    RemoveOffsets(*removed, place);
  } else if (place.end_offset > topics_applied_end_) {
    Result<void> applied = ApplyTopicRecord(record);
    if (!applied) return Fail(std::move(applied.error()));
    topics_applied_end_ = place.end_offset;
  }
  return BatchEffect::kNone;
}

Result<void> QueueState::ApplyTopicRecord(const JournalRecord& record) {
  if (const auto* created = std::get_if<TopicCreatedRecord>(&record)) return CreateTopic(*created);
  if (const auto* deleted = std::get_if<TopicDeletedRecord>(&record)) return DeleteTopic(*deleted);
  if (const auto* added = std::get_if<PartitionsAddedRecord>(&record)) return AddPartitions(*added);
  if (const auto* set = std::get_if<TopicConfiguredRecord>(&record)) return ConfigureTopic(*set);
  if (const auto* raised = std::get_if<EpochRaisedRecord>(&record)) return RaiseEpoch(*raised);
  if (const auto* ids = std::get_if<ProducerIdsRecord>(&record)) {
    producer_ids_end_ = std::max(producer_ids_end_, ids->end);
  }
  return {};
}

// --- Topics --------------------------------------------------------------------------------------

Result<void> QueueState::CreateTopic(const TopicCreatedRecord& record) {
  if (record.topic < next_topic_number_ || numbers_.contains(record.name)) {
    return Fail(Errc::kInvalid, "topic {} with number {} is created a second time", record.name,
                record.topic);
  }
  if (record.partitions == 0 || record.partitions > kMaxPartitions - partitions_) {
    return Fail(Errc::kInvalid, "topic {} is created with {} partitions", record.name,
                record.partitions);
  }
  auto config = ParseTopicConfig(record.overrides, defaults_);
  if (!config) return Fail(std::move(config.error()));
  Topic topic{.number = record.topic,
              .uuid = record.uuid,
              .name = record.name,
              .overrides = record.overrides,
              .config = *config};
  topic.partitions.resize(record.partitions);
  numbers_[record.name] = record.topic;
  numbers_by_uuid_[record.uuid] = record.topic;
  topics_.emplace(record.topic, std::move(topic));
  partitions_ += record.partitions;
  next_topic_number_ = record.topic + 1;
  return {};
}

Result<Topic*> QueueState::NeedTopic(uint32_t number) {
  auto found = topics_.find(number);
  if (found != topics_.end()) return &found->second;
  return Fail(Errc::kInvalid, "a record changes topic number {}, which does not exist", number);
}

Result<void> QueueState::DeleteTopic(const TopicDeletedRecord& record) {
  Result<Topic*> topic = NeedTopic(record.topic);
  if (!topic) return Fail(std::move(topic.error()));
  producers_.RemoveTopic(record.topic);
  groups_.RemoveTopic(record.topic);
  partitions_ -= (*topic)->partitions.size();
  numbers_.erase((*topic)->name);
  numbers_by_uuid_.erase((*topic)->uuid);
  topics_.erase(record.topic);
  return {};
}

Result<void> QueueState::AddPartitions(const PartitionsAddedRecord& record) {
  Result<Topic*> topic = NeedTopic(record.topic);
  if (!topic) return Fail(std::move(topic.error()));
  auto& partitions = (*topic)->partitions;
  if (record.partitions < partitions.size() ||
      record.partitions - partitions.size() > kMaxPartitions - partitions_) {
    return Fail(Errc::kInvalid, "topic {} is extended to {} partitions", (*topic)->name,
                record.partitions);
  }
  partitions_ += record.partitions - partitions.size();
  partitions.resize(record.partitions);
  return {};
}

Result<void> QueueState::ConfigureTopic(const TopicConfiguredRecord& record) {
  Result<Topic*> topic = NeedTopic(record.topic);
  if (!topic) return Fail(std::move(topic.error()));
  auto config = ParseTopicConfig(record.overrides, defaults_);
  if (!config) return Fail(std::move(config.error()));
  (*topic)->overrides = record.overrides;
  (*topic)->config = *config;
  return {};
}

Result<void> QueueState::RaiseEpoch(const EpochRaisedRecord& record) {
  Result<Topic*> topic = NeedTopic(record.topic);
  if (!topic) return Fail(std::move(topic.error()));
  (*topic)->leader_epoch = std::max((*topic)->leader_epoch, record.epoch);
  return {};
}

// --- Partitions ----------------------------------------------------------------------------------

Result<BatchEffect> QueueState::ApplyBatch(PartitionId id, const wire::kafka::BatchHeader& header,
                                           JournalPlace place) {
  PartitionState* partition = FindPartition(id);
  // The topic was deleted before the snapshot was written, or is deleted further on.
  if (partition == nullptr || partition->missing) return BatchEffect::kNone;
  if (header.base_offset < partition->end_offset) return BatchEffect::kBelow;
  if (header.base_offset != partition->end_offset || header.record_count < 1) {
    return Fail(Errc::kInvalid,
                "a batch of partition {} of topic number {} begins at offset {}, and not at {}",
                id.partition, id.topic, header.base_offset, partition->end_offset);
  }
  partition->end_offset = header.next_offset();
  if (place.end_offset <= partition->applied_end) return BatchEffect::kWrite;
  partition->applied_end = place.end_offset;
  partition->epochs.Add(header.leader_epoch, header.base_offset);
  if (header.producer_id >= 0) {
    producers_.Add(id,
                   {.producer_id = header.producer_id,
                    .epoch = header.producer_epoch,
                    .first_sequence = header.base_sequence,
                    .last_sequence = LastSequence(header.base_sequence, header.record_count)},
                   header.base_offset, place.time);
  }
  return BatchEffect::kWrite;
}

void QueueState::MoveLogStart(const LogStartMovedRecord& record, JournalPlace place) {
  PartitionState* partition = FindPartition(record.partition);
  if (partition == nullptr || place.end_offset <= partition->applied_end) return;
  partition->applied_end = place.end_offset;
  partition->log_start_offset = std::max(partition->log_start_offset, record.log_start_offset);
  partition->epochs.TrimBelow(partition->log_start_offset);
}

PartitionState* QueueState::FindPartition(PartitionId id) {
  auto found = topics_.find(id.topic);
  if (found == topics_.end() || id.partition >= found->second.partitions.size()) return nullptr;
  return &found->second.partitions[id.partition];
}

const PartitionState* QueueState::FindPartition(PartitionId id) const {
  auto found = topics_.find(id.topic);
  if (found == topics_.end() || id.partition >= found->second.partitions.size()) return nullptr;
  return &found->second.partitions[id.partition];
}

const Topic* QueueState::FindTopic(std::string_view name) const {
  auto found = numbers_.find(std::string(name));
  return found == numbers_.end() ? nullptr : FindTopic(found->second);
}

const Topic* QueueState::FindTopic(TopicUuid uuid) const {
  auto found = numbers_by_uuid_.find(uuid);
  return found == numbers_by_uuid_.end() ? nullptr : FindTopic(found->second);
}

const Topic* QueueState::FindTopic(uint32_t number) const {
  auto found = topics_.find(number);
  return found == topics_.end() ? nullptr : &found->second;
}

// --- Groups --------------------------------------------------------------------------------------

void QueueState::CommitOffsets(const OffsetsCommittedRecord& record, JournalPlace place) {
  const Group* group = groups_.Find(record.group);
  if (group != nullptr && place.end_offset <= group->applied_end) return;
  for (const auto& [partition, committed] : record.entries) {
    // The offsets of a deleted topic have gone with it.
    if (FindPartition(partition) != nullptr) groups_.Set(record.group, partition, committed);
  }
  groups_.Touch(record.group, place.time, place.end_offset);
}

void QueueState::RemoveOffsets(const OffsetsRemovedRecord& record, JournalPlace place) {
  const Group* group = groups_.Find(record.group);
  if (group == nullptr || place.end_offset <= group->applied_end) return;
  groups_.Remove(record.group, record.partitions);
  // Its last commit stays the last.
  if (group = groups_.Find(record.group); group != nullptr) {
    groups_.Touch(record.group, group->last_commit, place.end_offset);
  }
}

// --- Snapshots -----------------------------------------------------------------------------------

void QueueState::RestoreCounters(uint32_t next_topic_number, int64_t producer_ids_end,
                                 uint64_t applied_end) {
  has_format_ = true;
  next_topic_number_ = std::max(next_topic_number_, next_topic_number);
  producer_ids_end_ = std::max(producer_ids_end_, producer_ids_end);
  topics_applied_end_ = applied_end;
}

Result<void> QueueState::RestoreTopic(Topic topic) {
  bool fits = !topic.partitions.empty() && topic.partitions.size() <= kMaxPartitions - partitions_;
  if (!fits || topics_.contains(topic.number) || numbers_.contains(topic.name)) {
    return Fail(Errc::kInvalid,
                "a snapshot has topic {} with number {} and {} partitions, which "
                "do not fit what is before it",
                topic.name, topic.number, topic.partitions.size());
  }
  auto config = ParseTopicConfig(topic.overrides, defaults_);
  if (!config) return Fail(std::move(config.error()));
  topic.config = *config;
  for (PartitionState& partition : topic.partitions) partition.missing = true;
  partitions_ += topic.partitions.size();
  numbers_[topic.name] = topic.number;
  numbers_by_uuid_[topic.uuid] = topic.number;
  next_topic_number_ = std::max(next_topic_number_, topic.number + 1);
  topics_.emplace(topic.number, std::move(topic));
  return {};
}

}  // namespace meridian::queue
