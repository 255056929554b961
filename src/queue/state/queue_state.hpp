// QueueState: what the records of the queue's journal add up to: topics, where each partition ends,
// producers, committed offsets. It is the same whether a record was just appended, is replayed at a
// start, or comes from another data center. Segment files are not its concern. Pure.
//
// A snapshot that is written beside traffic holds parts of different age. So each part (the topics,
// a partition, a group) knows its `applied_end`: records of the journal below it are in the part
// already, and applying one of them again changes nothing.
//
// Owned by the engine; one thread. Invariants: names of topics are unique, numbers are never given
// twice; a partition's batches are applied in the order of their offsets, without a gap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "queue/state/epoch_history.hpp"
#include "queue/state/group_offsets.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/producer_table.hpp"
#include "queue/state/topic_config.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

struct PartitionState {
  int64_t log_start_offset = 0;
  int64_t end_offset = 0;  // of the next batch
  EpochHistory epochs;
  uint64_t applied_end = 0;
  // The snapshot has the topic and not this partition, because the topic was deleted while the
  // snapshot was written. The record that deletes it must follow.
  bool missing = false;
};

struct Topic {
  uint32_t number = 0;
  TopicUuid uuid;
  std::string name;
  TopicOverrides overrides;
  TopicConfig config;
  int32_t leader_epoch = 0;
  std::vector<PartitionState> partitions;
};

// A record's place in the journal.
struct JournalPlace {
  uint64_t end_offset = 0;  // behind the record
  HybridTime time;
};

// What a record means for the segment files.
enum class BatchEffect : uint8_t {
  kNone,   // it is no batch, or the topic is gone
  kBelow,  // the segment files had the batch when the snapshot was written
  kWrite,
};

class QueueState {
 public:
  explicit QueueState(TopicConfig defaults = {}) : defaults_(defaults) {}

  // kInvalid: the record does not fit the state; nothing of it was applied.
  Result<BatchEffect> Apply(const JournalRecord& record, JournalPlace place);
  // The same for a batch whose header was read already.
  Result<BatchEffect> ApplyBatch(PartitionId id, const wire::kafka::BatchHeader& header,
                                 JournalPlace place);

  // Null: there is no such topic or partition.
  const Topic* FindTopic(std::string_view name) const;
  const Topic* FindTopic(uint32_t number) const;
  const Topic* FindTopic(TopicUuid uuid) const;
  PartitionState* FindPartition(PartitionId id);
  const PartitionState* FindPartition(PartitionId id) const;
  const std::map<uint32_t, Topic>& topics() const { return topics_; }

  ProducerTable& producers() { return producers_; }
  const ProducerTable& producers() const { return producers_; }
  GroupOffsets& groups() { return groups_; }
  const GroupOffsets& groups() const { return groups_; }

  size_t partitions() const { return partitions_; }
  uint32_t next_topic_number() const { return next_topic_number_; }
  int64_t producer_ids_end() const { return producer_ids_end_; }
  // The format record was applied, or a snapshot was loaded.
  bool has_format() const { return has_format_; }
  uint64_t topics_applied_end() const { return topics_applied_end_; }

  // --- for loading a snapshot; `applied_end` is that of the topics
  void RestoreCounters(uint32_t next_topic_number, int64_t producer_ids_end, uint64_t applied_end);
  // All its partitions are `missing` until they are restored. kInvalid.
  Result<void> RestoreTopic(Topic topic);

 private:
  Result<void> ApplyTopicRecord(const JournalRecord& record);
  Result<void> CreateTopic(const TopicCreatedRecord& record);
  Result<void> DeleteTopic(const TopicDeletedRecord& record);
  Result<void> AddPartitions(const PartitionsAddedRecord& record);
  Result<void> ConfigureTopic(const TopicConfiguredRecord& record);
  Result<void> RaiseEpoch(const EpochRaisedRecord& record);
  void MoveLogStart(const LogStartMovedRecord& record, JournalPlace place);
  void CommitOffsets(const OffsetsCommittedRecord& record, JournalPlace place);
  void RemoveOffsets(const OffsetsRemovedRecord& record, JournalPlace place);
  Result<Topic*> NeedTopic(uint32_t number);

  TopicConfig defaults_;
  std::map<uint32_t, Topic> topics_;
  std::unordered_map<std::string, uint32_t> numbers_;  // by name
  std::map<TopicUuid, uint32_t> numbers_by_uuid_;
  ProducerTable producers_;
  GroupOffsets groups_;
  size_t partitions_ = 0;
  uint32_t next_topic_number_ = 1;
  int64_t producer_ids_end_ = 0;
  bool has_format_ = false;
  uint64_t topics_applied_end_ = 0;
};

}  // namespace meridian::queue
