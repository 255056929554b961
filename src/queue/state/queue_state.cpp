#include "queue/state/queue_state.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "queue/state/epoch_history.hpp"
#include "queue/state/group_offsets.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/producer_table.hpp"
#include "queue/state/topic_config.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

Result<Applied> QueueState::Apply(const JournalRecord& record, JournalPlace place) {
  Applied applied;
  const bool own = place.author == node_;
  if (const auto* batch = std::get_if<BatchRecord>(&record)) {
    auto header = wire::kafka::ReadBatchHeader(batch->batch);
    if (!header) return Fail(std::move(header.error()));
    Result<BatchEffect> effect = ApplyBatch(batch->partition, *header, place);
    if (!effect) return Fail(std::move(effect.error()));
    applied.batch = *effect;
  } else if (const auto* format = std::get_if<FormatRecord>(&record)) {
    if (format->node != place.author) {
      return Fail(Errc::kInvalid,
                  "the queue's journal is that of broker {}, and not of broker {}: the numbers of "
                  "data centers follow their order in site.toml",
                  format->node, place.author);
    }
    has_format_ = has_format_ || own;
  } else if (own && !has_format_) {
    return Fail(Errc::kInvalid, "the queue's journal does not begin with its format");
  } else if (const auto* moved = std::get_if<LogStartMovedRecord>(&record)) {
    MoveLogStart(*moved, place);
  } else if (const auto* committed = std::get_if<OffsetsCommittedRecord>(&record)) {
    CommitOffsets(*committed, place);
  } else if (const auto* removed = std::get_if<OffsetsRemovedRecord>(&record)) {
    RemoveOffsets(*removed, place);
  } else if (!own || place.end_offset > topics_applied_end_) {
    Result<void> done = ApplyTopicRecord(record, place, applied);
    if (!done) return Fail(std::move(done.error()));
    if (own) topics_applied_end_ = place.end_offset;
  }
  return applied;
}

Result<void> QueueState::ApplyTopicRecord(const JournalRecord& record, JournalPlace place,
                                          Applied& applied) {
  if (const auto* topic = std::get_if<TopicRecord>(&record)) {
    return ApplyTopic(*topic, place, applied);
  }
  if (const auto* moved = std::get_if<ControllerMovedRecord>(&record)) {
    if (place.author == node_) own_move_end_ = place.end_offset;
    MoveController({.node = place.author, .epoch = moved->epoch}, applied);
    return {};
  }
  if (const auto* ids = std::get_if<ProducerIdsRecord>(&record)) {
    if (place.author == node_) producer_ids_end_ = std::max(producer_ids_end_, ids->end);
    return {};
  }
  if (place.author != controller_.node) return {};
  if (const auto* deleted = std::get_if<TopicDeletedRecord>(&record)) {
    return DeleteTopic(*deleted, place, applied);
  }
  if (const auto* added = std::get_if<PartitionsAddedRecord>(&record)) {
    applied.topic = added->topic;
    return AddPartitions(*added, place);
  }
  if (const auto* set = std::get_if<TopicConfiguredRecord>(&record)) {
    applied.topic = set->topic;
    return ConfigureTopic(*set, place);
  }
  return {};
}

// --- Topics --------------------------------------------------------------------------------------

Result<void> QueueState::ApplyTopic(const TopicRecord& record, JournalPlace place,
                                    Applied& applied) {
  if (deleted_.contains(record.topic)) return {};
  auto found = topics_.find(record.topic);
  if (found == topics_.end()) {
    // Its author does not know the controller that has lost the topic.
    if (record.controller_epoch < controller_.epoch) return {};
    auto other = numbers_.find(record.name);
    if (other != numbers_.end()) {
      if (topics_.at(other->second).controller_epoch >= record.controller_epoch) {
        return Fail(Errc::kInvalid, "topic {} is created a second time, with number {}",
                    record.name, record.topic);
      }
      applied.lost.push_back(other->second);
      EraseTopic(other->second);
    }
    Result<void> created = CreateTopic(record);
    if (!created) return created;
  } else if (record.name != found->second.name || record.uuid != found->second.uuid) {
    return Fail(Errc::kInvalid, "topic number {} is {}, and a record calls it {}", record.topic,
                found->second.name, record.name);
  } else if (record.controller_epoch >= found->second.controller_epoch) {
    Result<void> changed = ChangeTopic(found->second, record);
    if (!changed) return changed;
  }
  NoteEpoch(record.controller_epoch);
  NoteEpoch(record.leader_epoch);
  applied.topic = record.topic;
  Topic& topic = topics_.at(record.topic);
  if (record.home == place.author && record.leader_epoch >= topic.leader_epoch) {
    MoveHome(topic, record, place, applied);
  }
  return {};
}

Result<void> QueueState::CreateTopic(const TopicRecord& record) {
  const bool own = NodeOfTopicNumber(record.topic) == node_;
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
              .config = *config,
              .home = record.home,
              .leader_epoch = record.leader_epoch,
              .controller_epoch = record.controller_epoch};
  topic.partitions.resize(record.partitions);
  numbers_[record.name] = record.topic;
  numbers_by_uuid_[record.uuid] = record.topic;
  topics_.emplace(record.topic, std::move(topic));
  partitions_ += record.partitions;
  if (own) next_topic_number_ = std::max(next_topic_number_, record.topic + 1);
  return {};
}

Result<void> QueueState::ChangeTopic(Topic& topic, const TopicRecord& record) {
  auto config = ParseTopicConfig(record.overrides, defaults_);
  if (!config) return Fail(std::move(config.error()));
  topic.overrides = record.overrides;
  topic.config = *config;
  topic.controller_epoch = record.controller_epoch;
  if (config->delay_ms == 0) {
    for (PartitionState& partition : topic.partitions) partition.delays.Clear();
  }
  if (record.partitions <= topic.partitions.size()) return {};
  return AddPartitions({.topic = topic.number, .partitions = record.partitions}, {.author = node_});
}

TopicRecord QueueState::RecordOf(const Topic& topic) const {
  TopicRecord record{.topic = topic.number,
                     .uuid = topic.uuid,
                     .name = topic.name,
                     .partitions = static_cast<uint32_t>(topic.partitions.size()),
                     .overrides = topic.overrides,
                     .controller_epoch = topic.controller_epoch,
                     .home = topic.home,
                     .leader_epoch = topic.leader_epoch};
  return record;
}

void QueueState::NoteEpoch(int32_t epoch) { max_epoch_ = std::max(max_epoch_, epoch); }

void QueueState::NoteDeleted(uint32_t number) {
  if (!deleted_.insert(number).second) return;
  deleted_order_.push_back(number);
  if (deleted_order_.size() <= kMaxDeletedTopics) return;
  deleted_.erase(deleted_order_.front());
  deleted_order_.pop_front();
}

Result<Topic*> QueueState::NeedTopic(uint32_t number) {
  auto found = topics_.find(number);
  if (found != topics_.end()) return &found->second;
  return Fail(Errc::kInvalid, "a record changes topic number {}, which does not exist", number);
}

void QueueState::EraseTopic(uint32_t number) {
  auto found = topics_.find(number);
  producers_.RemoveTopic(number);
  groups_.RemoveTopic(number);
  partitions_ -= found->second.partitions.size();
  numbers_.erase(found->second.name);
  numbers_by_uuid_.erase(found->second.uuid);
  topics_.erase(found);
}

Result<void> QueueState::DeleteTopic(const TopicDeletedRecord& record, JournalPlace place,
                                     Applied& applied) {
  Result<Topic*> topic = NeedTopic(record.topic);
  if (!topic && place.author == node_) return Fail(std::move(topic.error()));
  NoteDeleted(record.topic);
  if (!topic) return {};
  EraseTopic(record.topic);
  applied.deleted.push_back(record.topic);
  return {};
}

Result<void> QueueState::AddPartitions(const PartitionsAddedRecord& record, JournalPlace place) {
  Result<Topic*> topic = NeedTopic(record.topic);
  if (!topic) return place.author == node_ ? Fail(std::move(topic.error())) : Result<void>{};
  auto& partitions = (*topic)->partitions;
  if (record.partitions < partitions.size() && place.author != node_) return {};
  if (record.partitions < partitions.size() ||
      record.partitions - partitions.size() > kMaxPartitions - partitions_) {
    return Fail(Errc::kInvalid, "topic {} is extended to {} partitions", (*topic)->name,
                record.partitions);
  }
  partitions_ += record.partitions - partitions.size();
  partitions.resize(record.partitions);
  return {};
}

Result<void> QueueState::ConfigureTopic(const TopicConfiguredRecord& record, JournalPlace place) {
  Result<Topic*> topic = NeedTopic(record.topic);
  if (!topic) return place.author == node_ ? Fail(std::move(topic.error())) : Result<void>{};
  auto config = ParseTopicConfig(record.overrides, defaults_);
  if (!config) return Fail(std::move(config.error()));
  (*topic)->overrides = record.overrides;
  (*topic)->config = *config;
  if (config->delay_ms == 0) {
    for (PartitionState& partition : (*topic)->partitions) partition.delays.Clear();
  }
  return {};
}

// --- Partitions ----------------------------------------------------------------------------------

Result<BatchEffect> QueueState::ApplyBatch(PartitionId id, const wire::kafka::BatchHeader& header,
                                           JournalPlace place) {
  PartitionState* partition = FindPartition(id);
  // The topic was deleted before the snapshot was written, or is deleted further on.
  if (partition == nullptr || partition->missing) return BatchEffect::kNone;
  if (topics_.at(id.topic).home != place.author) return BatchEffect::kNone;
  if (header.base_offset < partition->end_offset) return BatchEffect::kBelow;
  // A later home has the offset now: the record is older than the part of the snapshot.
  if (header.leader_epoch < partition->epochs.last_epoch()) return BatchEffect::kNone;
  partition->source_end = std::max(partition->source_end, header.next_offset());
  if (header.base_offset != partition->end_offset || header.record_count < 1) {
    if (place.author != node_ && header.record_count >= 1) return BatchEffect::kGap;
    return Fail(Errc::kInvalid,
                "a batch of partition {} of topic number {} begins at offset {}, and not at {}",
                id.partition, id.topic, header.base_offset, partition->end_offset);
  }
  partition->end_offset = header.next_offset();
  if (place.end_offset <= partition->applied_end) return BatchEffect::kWrite;
  partition->applied_end = place.end_offset;
  Remember(id, *partition, header, place.time);
  return BatchEffect::kWrite;
}

Result<void> QueueState::ApplyFetched(PartitionId id, const wire::kafka::BatchHeader& header,
                                      HybridTime time) {
  PartitionState* partition = FindPartition(id);
  if (partition == nullptr || header.base_offset < partition->end_offset ||
      header.record_count < 1) {
    return Fail(Errc::kInvalid, "a batch was fetched at offset {}, which does not follow",
                header.base_offset);
  }
  partition->end_offset = header.next_offset();
  partition->source_end = std::max(partition->source_end, partition->end_offset);
  Remember(id, *partition, header, time);
  return {};
}

void QueueState::Remember(PartitionId id, PartitionState& partition,
                          const wire::kafka::BatchHeader& header, HybridTime time) {
  partition.epochs.Add(header.leader_epoch, header.base_offset);
  if (const int64_t delay_ms = topics_.at(id.topic).config.delay_ms; delay_ms > 0) {
    partition.delays.Add(header.base_offset, header.next_offset(),
                         static_cast<int64_t>(time.milliseconds()), delay_ms);
  }
  if (header.producer_id < 0) return;
  producers_.Add(id,
                 {.producer_id = header.producer_id,
                  .epoch = header.producer_epoch,
                  .first_sequence = header.base_sequence,
                  .last_sequence = LastSequence(header.base_sequence, header.record_count)},
                 header.base_offset, time);
}

void QueueState::MoveLogStart(const LogStartMovedRecord& record, JournalPlace place) {
  PartitionState* partition = FindPartition(record.partition);
  if (partition == nullptr || topics_.at(record.partition.topic).home != place.author) return;
  if (place.end_offset <= partition->applied_end) return;
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
  if (place.author != controller_.node) return;
  const Group* group = groups_.Find(record.group);
  if (group != nullptr && place.end_offset <= group->applied_end) return;
  for (const auto& [partition, committed] : record.entries) {
    // The offsets of a deleted topic have gone with it.
    if (FindPartition(partition) != nullptr) groups_.Set(record.group, partition, committed);
  }
  groups_.Touch(record.group, place.time, place.end_offset);
}

void QueueState::RemoveOffsets(const OffsetsRemovedRecord& record, JournalPlace place) {
  if (place.author != controller_.node) return;
  const Group* group = groups_.Find(record.group);
  if (group == nullptr || place.end_offset <= group->applied_end) return;
  groups_.Remove(record.group, record.partitions);
  // Its last commit stays the last.
  if (group = groups_.Find(record.group); group != nullptr) {
    groups_.Touch(record.group, group->last_commit, place.end_offset);
  }
}

// --- Snapshots -----------------------------------------------------------------------------------

void QueueState::RestoreCounters(const Counters& counters) {
  has_format_ = true;
  next_topic_number_ = std::max(next_topic_number_, counters.next_topic_number);
  producer_ids_end_ = std::max(producer_ids_end_, counters.producer_ids_end);
  topics_applied_end_ = counters.applied_end;
  controller_ = counters.controller;
  max_epoch_ = counters.max_epoch;
  own_move_end_ = counters.own_move_end;
  for (uint32_t number : counters.deleted_topics) NoteDeleted(number);
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
  if (NodeOfTopicNumber(topic.number) == node_) {
    next_topic_number_ = std::max(next_topic_number_, topic.number + 1);
  }
  topics_.emplace(topic.number, std::move(topic));
  return {};
}

}  // namespace meridian::queue
