// QueueState: what the records of the queue's journals add up to: topics, where each partition
// ends, producers, committed offsets. It is the same whether a record was just appended, is
// replayed at a start, or comes from another data center. Segment files are not its concern. Pure.
//
// Whose records count:
//   - batches and log starts of a topic: its home's. A home moves by a TopicRecord of the new home
//     with a newer epoch; what others have of the topic from the new epoch's begin on is cut off.
//   - the creation, change and deletion of topics, and what groups commit: the controller's. It
//     moves by a ControllerMovedRecord of the new one with a newer epoch; topics that the new one
//     does not know are lost topics.
// All other records are ignored. So data centers that have applied the same journals agree, in
// whatever order they read them, but for batches that they lack (PartitionState::source_end).
//
// A snapshot that is written beside traffic holds parts of different age. So each part (the topics,
// a partition, a group) knows its `applied_end`: records below it, of the journal that counts for
// the part, are in the part already, and applying one of them again changes nothing.
//
// Owned by the engine; one thread. Invariants: names of topics are unique, numbers are never given
// twice; a partition's batches are applied in the order of their offsets, without a gap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "queue/state/delay_line.hpp"
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
  // Where it ends at its home, as far as is known. Above end_offset: we lack batches.
  int64_t source_end = 0;
  EpochHistory epochs;
  DelayLine delays;  // empty while the topic has no delay
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
  NodeId home = 0;
  int32_t leader_epoch = 0;
  int32_t controller_epoch = 0;  // of the controller that last said that the topic exists
  std::vector<PartitionState> partitions;
};

struct Controller {
  NodeId node = 0;
  int32_t epoch = 0;
  bool operator==(const Controller&) const = default;
};

// A record's place in a journal.
struct JournalPlace {
  uint64_t end_offset = 0;  // behind the record
  HybridTime time;
  NodeId author = 0;  // of the journal
};

// What a record means for the segment files.
enum class BatchEffect : uint8_t {
  kNone,   // it is no batch, or does not count
  kBelow,  // the segment files had the batch when the snapshot was written
  kGap,    // batches before it are missing here
  kWrite,
};

// What else a record means for the segment files.
struct Applied {
  BatchEffect batch = BatchEffect::kNone;
  uint32_t topic = 0;  // that was made or changed; 0: none
  // Partitions that have lost what is at and above the offset.
  std::vector<std::pair<PartitionId, int64_t>> cuts;
  std::vector<uint32_t> deleted;  // topics, by an order
  std::vector<uint32_t> lost;     // topics that a new controller does not know
};

class QueueState {
 public:
  // `node`: this data center. `first_controller`: before it moves for the first time.
  explicit QueueState(TopicConfig defaults = {}, NodeId node = 0, NodeId first_controller = 0)
      : defaults_(defaults),
        node_(node),
        controller_{.node = first_controller},
        next_topic_number_(FirstTopicNumber(node)) {}

  // kInvalid: the record does not fit the state; nothing of it was applied.
  Result<Applied> Apply(const JournalRecord& record, JournalPlace place);
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

  NodeId node() const { return node_; }
  const Controller& controller() const { return controller_; }
  bool is_controller() const { return controller_.node == node_; }
  bool IsHome(const Topic& topic) const { return topic.home == node_; }
  // The greatest epoch that any record had.
  int32_t max_epoch() const { return max_epoch_; }
  // Behind the last record of this data center's journal that moved something here; 0: none did.
  uint64_t own_move_end() const { return own_move_end_; }
  // Numbers of topics that were deleted: the newest kMaxDeletedTopics.
  const std::deque<uint32_t>& deleted_topics() const { return deleted_order_; }
  // The topic as it is, for a record of this data center.
  TopicRecord RecordOf(const Topic& topic) const;

  size_t partitions() const { return partitions_; }
  uint32_t next_topic_number() const { return next_topic_number_; }
  int64_t producer_ids_end() const { return producer_ids_end_; }
  // The format record was applied, or a snapshot was loaded.
  bool has_format() const { return has_format_; }
  uint64_t topics_applied_end() const { return topics_applied_end_; }

  // --- for loading a snapshot; `applied_end` is that of the topics
  struct Counters {
    uint32_t next_topic_number = 0;
    int64_t producer_ids_end = 0;
    uint64_t applied_end = 0;
    Controller controller;
    int32_t max_epoch = 0;
    uint64_t own_move_end = 0;
    std::vector<uint32_t> deleted_topics;
  };
  void RestoreCounters(const Counters& counters);
  // All its partitions are `missing` until they are restored. kInvalid.
  Result<void> RestoreTopic(Topic topic);

  // --- for loading a snapshot of another data center, on top of what is here
  void LearnCounters(const Counters& counters, NodeId author);
  // What is cut off when the home has this history. Null: the topic does not count, or is unknown.
  std::optional<int64_t> LearnPartition(PartitionId id, const PartitionState& at_home,
                                        NodeId author);
  void LearnOffset(std::string_view group, PartitionId id, const CommittedOffset& committed,
                   HybridTime time, NodeId author);
  // All was loaded. The topics that its controller does not know are lost.
  std::vector<uint32_t> EndLearning(NodeId author);

  // A batch that was fetched from the topic's home. It may leave offsets out that compaction has
  // removed there. kInvalid: it begins below the end here.
  Result<void> ApplyFetched(PartitionId id, const wire::kafka::BatchHeader& header,
                            HybridTime time);
  // Batches from `offset` on do not count any more.
  void CutPartition(PartitionId id, int64_t offset);
  // Batches below `offset` are gone at the home.
  void SkipTo(PartitionId id, int64_t offset);

 private:
  Result<void> ApplyTopicRecord(const JournalRecord& record, JournalPlace place, Applied& applied);
  Result<void> ApplyTopic(const TopicRecord& record, JournalPlace place, Applied& applied);
  Result<void> CreateTopic(const TopicRecord& record);
  Result<void> ChangeTopic(Topic& topic, const TopicRecord& record);
  void MoveHome(Topic& topic, const TopicRecord& record, JournalPlace place, Applied& applied);
  void MoveController(Controller controller, Applied& applied);
  void EraseTopic(uint32_t number);
  void NoteDeleted(uint32_t number);
  void NoteEpoch(int32_t epoch);
  std::vector<uint32_t> TakeLost();
  Result<void> DeleteTopic(const TopicDeletedRecord& record, JournalPlace place, Applied& applied);
  Result<void> AddPartitions(const PartitionsAddedRecord& record, JournalPlace place);
  Result<void> ConfigureTopic(const TopicConfiguredRecord& record, JournalPlace place);
  void Remember(PartitionId id, PartitionState& partition, const wire::kafka::BatchHeader& header,
                HybridTime time);
  void MoveLogStart(const LogStartMovedRecord& record, JournalPlace place);
  void CommitOffsets(const OffsetsCommittedRecord& record, JournalPlace place);
  void RemoveOffsets(const OffsetsRemovedRecord& record, JournalPlace place);
  Result<Topic*> NeedTopic(uint32_t number);

  TopicConfig defaults_;
  NodeId node_;
  Controller controller_;
  int32_t max_epoch_ = 0;
  uint64_t own_move_end_ = 0;
  std::map<uint32_t, Topic> topics_;
  std::set<uint32_t> deleted_;
  std::deque<uint32_t> deleted_order_;
  std::unordered_map<std::string, uint32_t> numbers_;  // by name
  std::map<TopicUuid, uint32_t> numbers_by_uuid_;
  ProducerTable producers_;
  GroupOffsets groups_;
  size_t partitions_ = 0;
  uint32_t next_topic_number_;
  int64_t producer_ids_end_ = 0;
  bool has_format_ = false;
  uint64_t topics_applied_end_ = 0;
};

}  // namespace meridian::queue
