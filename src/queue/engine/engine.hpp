// Engine: the queue of one data center: topics, batches, committed offsets, and everything that
// must survive a crash. It knows nothing of connections or of Kafka's requests.
//
// Where the site has several data centers, each topic has a home, which alone takes and hands out
// its messages, and one of them is the controller, which alone creates topics and has the groups
// (state/queue_state.hpp). Calls for what another one has are refused (kNotHome, kNotController,
// kNotCoordinator).
//
// One journal holds all changes in one order, so a group of changes costs one sync. Batches are
// then written to the segment files of their partitions without a sync; a checkpoint syncs those
// and releases the journal. A batch can be read when it is durable in the journal and is in its
// segment file: both together move the high watermark.
//
// What a success means: Produce (with acks other than 0), CommitOffsets, DeleteRecords and all
// changes of topics are durable on this machine's disk. Order: batches of one partition are
// appended in the order of the calls, and journaled in one order with all else.
//
// Owned by the tier's main; one thread: the main loop's. Connections on other loops reach it with
// io::RunOn. Views and spans in arguments must stay valid until the await ends. End all calls
// before Close; await Close before destroying it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "queue/partition/limits.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/state/epoch_history.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/refusal.hpp"
#include "queue/state/topic_config.hpp"
#include "store/disk_failure.hpp"
#include "store/limits.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::io {
class BlockingPool;
}  // namespace meridian::io

namespace meridian::queue {

class DurableState;
class Partition;
class SegmentCheck;
class Upkeep;
struct Controller;
struct Topic;

// Another data center with a queue of the site.
struct PeerNode {
  NodeId node = 0;
  std::string name;
};

struct EngineOptions {
  // This data center, the one that is the controller until it moves for the first time, and the
  // others, which mirror this one and which this one mirrors.
  NodeId node = 0;
  NodeId first_controller = 0;
  std::vector<PeerNode> peers;
  // In how many other data centers a batch must be before it is visible, at least: a topic may ask
  // for more.
  size_t min_copies = 0;
  std::string folder;        // made if it does not exist; its parent folder must exist
  uint64_t journal_id = 0;   // of a new journal; choose it at random
  uint64_t random_seed = 0;  // of topics' ids
  // Lower ids are not given to producers.
  int64_t first_producer_id = 0;
  TopicConfig topic_defaults;
  // Whether a group has members now: then its offsets do not expire.
  std::function<bool(std::string_view group)> group_is_active = [](std::string_view) {
    return false;
  };
  // This data center has become the controller, or another one has.
  std::function<void()> on_controller_change = [] {};
  uint64_t journal_segment_bytes = store::kSegmentBytes;
  uint64_t checkpoint_bytes = store::kSnapshotLogBytes;  // of the journal
  Duration checkpoint_interval = kCheckpointInterval;
  Duration upkeep_interval = kUpkeepInterval;
  Duration check_interval = kCheckInterval;  // of all segment files, for damage
  uint64_t headroom_bytes = store::kHeadroomBytes;
  size_t max_in_flight_bytes = kMaxInFlightBytes;
  size_t max_segment_files = kMaxSegmentFiles;  // that are open
  // Decompresses batches, beside the disk's pool; null: the loop does. Outlives the engine.
  io::BlockingPool* heavy_pool = nullptr;
  store::OnDiskFailure on_disk_failure = store::EndProcessOnDiskFailure;
};

// --- Topics

struct NewTopic {
  std::string name;
  uint32_t partitions = 1;
  TopicOverrides overrides;
  bool validate_only = false;
};

// A copy, so that it can be handed to other threads.
struct TopicDescription {
  std::string name;
  TopicUuid uuid;
  uint32_t partitions = 0;
  NodeId home = 0;
  int32_t leader_epoch = 0;
  TopicOverrides overrides;
  TopicConfig config;
};

struct TopicPartition {
  std::string_view topic;
  uint32_t partition = 0;
};

// --- Producing

enum class Acknowledge : uint8_t {
  kNever,    // acks=0: the call ends when the batch is appended
  kDurable,  // acks=1 and acks=all
};

// One batch for one partition, as wire::kafka::CheckBatch has accepted it.
struct ProducePart {
  TopicPartition where;
  wire::kafka::BatchHeader header;
  Bytes batch;
};

struct ProduceOutcome {
  QueueError error = QueueError::kNone;
  std::string message;
  // Of a success; of a repeated batch (the producer sent it again) the first one's. -1: not known.
  int64_t base_offset = -1;
  int64_t append_time_ms = -1;  // where the topic has LogAppendTime
  int64_t log_start_offset = -1;
};

// --- Reading

// Who fetches.
enum class FetchAs : uint8_t {
  kConsumer,  // gets the bytes of files as they are, and checks them itself
  kMirror,    // another data center: the batches are checked here as well
  kRepairer,  // the same, which also asks data centers that are not the home
};

struct FetchPosition {
  TopicPartition where;
  int64_t offset = 0;
  int32_t leader_epoch = -1;  // that the client knows; -1: not said
  FetchAs as = FetchAs::kConsumer;
};

struct FetchView {
  // Also the last stable offset. Where the topic has a delay: the end of what readers see.
  int64_t high_watermark = 0;
  int64_t log_start_offset = 0;
  FileRange range;  // whole batches, from the one that holds the offset; none at the end
};

// What a reader saw of a partition before it waits for more.
struct SeenPartition {
  TopicPartition where;
  int64_t high_watermark = 0;
};

// Where ListOffsets looks: a time in ms, or one of these.
inline constexpr int64_t kLatestOffset = -1;
inline constexpr int64_t kEarliestOffset = -2;
inline constexpr int64_t kMaxTimestamp = -3;

// --- Groups

struct OffsetToCommit {
  TopicPartition where;
  CommittedOffset committed;
};

struct GroupOffset {
  std::string topic;
  uint32_t partition = 0;
  CommittedOffset committed;
};

// --- Numbers, for metrics

struct EngineNumbers {
  uint64_t batches_appended = 0;
  uint64_t bytes_appended = 0;
  uint64_t duplicates = 0;        // batches that a producer sent again
  uint64_t produce_refusals = 0;  // of all kinds
  uint64_t storage_refusals = 0;  // because the disk was full or had failed
  uint64_t offsets_committed = 0;
  uint64_t producers_evicted = 0;
  uint64_t topics = 0;
  uint64_t partitions = 0;
  uint64_t groups = 0;
  uint64_t producers = 0;
  uint64_t bytes_in_flight = 0;
  uint64_t journal_bytes = 0;
  uint64_t journal_syncs = 0;          // of groups of records
  uint64_t journal_written_bytes = 0;  // in these
  uint64_t damaged_partitions = 0;
  uint64_t repaired_segments = 0;
  uint64_t checked_segment_bytes = 0;
  uint64_t open_segment_files = 0;
};

class Engine {
 public:
  // Opens the files in the folder, or makes them, and recovers the state. kIo: a file cannot be
  // read, or the journal is damaged; kInvalid: the journal has another format or does not fit.
  static io::Task<Result<std::unique_ptr<Engine>>> Open(io::Loop& loop, io::Disk& disk,
                                                        HybridClock& clock, EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  io::Task<void> Close();

  // --- Topics
  std::optional<TopicDescription> FindTopic(std::string_view name) const;
  // The name of the topic with this id.
  std::optional<std::string> NameOf(TopicUuid uuid) const;
  std::vector<TopicDescription> Topics() const;  // by number: in the order of creation
  io::Task<Outcome<TopicDescription>> CreateTopic(NewTopic topic);
  io::Task<Outcome<>> DeleteTopic(std::string name);
  // `partitions` in all, more than there are.
  io::Task<Outcome<>> AddPartitions(std::string name, uint32_t partitions,
                                    bool validate_only = false);
  // `overrides` replace those of the topic.
  io::Task<Outcome<>> ConfigureTopic(std::string name, TopicOverrides overrides,
                                     bool validate_only = false);
  // Makes this data center the home of the topics under a new epoch, which is returned, and also
  // the controller if asked to. What is applied of their old homes' journals must be in a
  // checkpoint (mirror/promotion.hpp).
  struct TakeOverRequest {
    std::vector<std::string> topics;
    bool controller = false;
  };
  io::Task<Outcome<int32_t>> TakeOver(TakeOverRequest request);
  const Controller& controller() const;
  bool is_controller() const;

  // --- Producing
  // Appends all parts in order, which waits while too much is in flight, then waits as
  // `acknowledge` says. An outcome for each part, in their order. At the deadline what is not
  // durable is kTimedOut; it may become durable later.
  io::Task<std::vector<ProduceOutcome>> Produce(std::span<const ProducePart> parts,
                                                Acknowledge acknowledge, TimePoint deadline);
  // An id that no producer has had, with epoch 0.
  io::Task<Outcome<int64_t>> NewProducerId();

  // --- Reading
  // Of a topic with a delay, reads end before the first batch that is too young, as if the high
  // watermark were there.
  //
  // About `max_bytes`, at least one batch if there is one.
  io::Task<Outcome<FetchView>> Fetch(FetchPosition position, size_t max_bytes);
  // As Fetch, without batches.
  Outcome<FetchView> Look(FetchPosition position) const;
  // Waits until about `min_bytes` were added to the partitions since their high watermarks were as
  // given, or one of them is gone. At once if a partition has more already. False: the deadline
  // passed, or there are too many waits.
  io::Task<bool> AwaitData(std::span<const SeenPartition> partitions, size_t min_bytes,
                           TimePoint deadline);
  // The first record of that time or later, or what the constants above say; nothing if there is
  // no such record.
  io::Task<Outcome<std::optional<TimedOffset>>> ListOffset(TopicPartition where, int64_t time_ms,
                                                           int32_t leader_epoch = -1);
  Outcome<EpochEnd> EndOfEpoch(TopicPartition where, int32_t epoch,
                               int32_t leader_epoch = -1) const;
  // Removes all records below `offset`; kLatestOffset: all. The log start offset afterwards.
  io::Task<Outcome<int64_t>> DeleteRecords(TopicPartition where, int64_t offset);

  // --- Groups
  // An outcome for each offset, in their order.
  io::Task<std::vector<QueueError>> CommitOffsets(std::string_view group,
                                                  std::span<const OffsetToCommit> offsets);
  std::optional<CommittedOffset> FindCommitted(std::string_view group, TopicPartition where) const;
  // Whether the group has committed offsets.
  bool HasCommitted(std::string_view group) const;
  std::vector<GroupOffset> CommittedOffsets(std::string_view group) const;
  std::vector<std::string> GroupsWithOffsets() const;
  // Without partitions: all of the group.
  io::Task<Outcome<>> DeleteOffsets(std::string_view group,
                                    std::span<const TopicPartition> partitions);

  // For mirroring (queue/mirror/).
  DurableState& durable() const { return *durable_; }
  const EngineOptions& options() const { return options_; }

  // Writes a checkpoint now, and waits until it is on disk. kCancelled.
  io::Task<Result<void>> CheckpointNow();
  EngineNumbers numbers() const;
  // A partition with damage, such as "orders-3". Empty: there is none.
  std::string damaged_partition() const;
  // Why changes are refused now, in a few words. Empty: they are not.
  std::string write_problem() const;
  // Why checkpoints, or writes to segment files, fail. Empty: they do not.
  std::string checkpoint_problem() const;

 private:
  Engine(io::Loop& loop, HybridClock& clock, EngineOptions options);
  Outcome<PartitionId> Find(TopicPartition where) const;
  // As Find, at the topic's home.
  Outcome<PartitionId> FindHere(TopicPartition where) const;
  Outcome<PartitionId> FindForEpoch(TopicPartition where, int32_t leader_epoch) const;
  Outcome<FetchView> LookAsRepairer(FetchPosition position) const;
  io::Task<Outcome<>> AppendDurably(JournalRecord record);
  // What a part waits for: its partition's high watermark. Null: nothing.
  struct Appended {
    std::shared_ptr<Partition> partition;
    int64_t next_offset = 0;
    bool added = false;  // false: a repeated batch
  };
  Outcome<Appended> AppendPart(const ProducePart& part, ProduceOutcome& outcome);
  Outcome<> CheckPart(const ProducePart& part, PartitionId id) const;
  bool IsKnownProducer(PartitionId partition, int64_t producer_id) const;
  int64_t Append(const ProducePart& part, PartitionId id, ProduceOutcome& outcome);
  size_t AppendCommits(std::string_view group, std::span<const OffsetToCommit> offsets,
                       std::span<QueueError> errors, uint64_t& journal_end);
  io::Task<Outcome<>> AwaitAppended(const Appended& appended, TimePoint deadline);
  Outcome<> CheckWritable() const;
  // Where reads end: the high watermark, or below it where the topic has a delay.
  int64_t VisibleEnd(const Partition& partition) const;
  // How long it takes until more may be visible without a further wait; nothing: the topic has no
  // delay.
  std::optional<Duration> UntilVisible(const Partition& partition) const;
  std::optional<TimePoint> WhenToLook(std::span<const SeenPartition> partitions) const;
  Outcome<> CheckController() const;
  void AppendTopics(const TakeOverRequest& request, int32_t epoch);
  void AppendOffsetsOfGroups();
  int64_t LogStart(const Partition& partition) const;

  io::Loop& loop_;
  HybridClock& clock_;
  EngineOptions options_;
  Random random_;
  std::unique_ptr<DurableState> durable_;
  std::unique_ptr<Upkeep> upkeep_;
  std::unique_ptr<SegmentCheck> check_;
  int64_t next_producer_id_ = 0;
  uint64_t producer_ids_journal_end_ = 0;  // of the record that reserved the present block
  size_t data_waits_ = 0;
  EngineNumbers numbers_;
  bool closing_ = false;
};

}  // namespace meridian::queue
