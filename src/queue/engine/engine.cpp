#include "queue/engine/engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/partition.hpp"
#include "queue/engine/segment_check.hpp"
#include "queue/engine/upkeep.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/refusal.hpp"
#include "queue/state/topic_config.hpp"

namespace meridian::queue {
namespace {

TopicDescription DescriptionOf(const Topic& topic) {
  return {.name = topic.name,
          .uuid = topic.uuid,
          .partitions = static_cast<uint32_t>(topic.partitions.size()),
          .home = topic.home,
          .leader_epoch = topic.leader_epoch,
          .overrides = topic.overrides,
          .config = topic.config};
}

std::unexpected<Refusal> UnknownTopic(std::string_view name) {
  return Refuse(QueueError::kUnknownTopicOrPartition, "there is no topic {}", name);
}

}  // namespace

Engine::Engine(io::Loop& loop, HybridClock& clock, EngineOptions options)
    : loop_(loop), clock_(clock), options_(std::move(options)), random_(options_.random_seed) {}

Engine::~Engine() = default;

io::Task<Result<std::unique_ptr<Engine>>> Engine::Open(io::Loop& loop, io::Disk& disk,
                                                       HybridClock& clock, EngineOptions options) {
  std::unique_ptr<Engine> engine(new Engine(loop, clock, std::move(options)));
  auto durable = co_await DurableState::Open(loop, disk, clock, engine->options_);
  if (!durable) co_return Fail(std::move(durable.error()));
  engine->durable_ = std::move(*durable);
  engine->next_producer_id_ =
      std::max({FirstProducerId(engine->options_.node), engine->options_.first_producer_id,
                engine->durable_->state().producer_ids_end()});
  engine->upkeep_ = std::make_unique<Upkeep>(
      loop, *engine->durable_, engine->options_.group_is_active, engine->options_.upkeep_interval);
  engine->upkeep_->Start();
  engine->check_ =
      std::make_unique<SegmentCheck>(loop, *engine->durable_, engine->options_.check_interval);
  engine->check_->Start();
  co_return engine;
}

io::Task<void> Engine::Close() {
  closing_ = true;
  co_await check_->Stop();
  co_await upkeep_->Stop();
  co_await durable_->Close();
}

io::Task<Result<void>> Engine::CheckpointNow() { return durable_->CheckpointNow(); }

EngineNumbers Engine::numbers() const {
  EngineNumbers numbers = numbers_;
  const QueueState& state = durable_->state();
  numbers.producers_evicted = state.producers().evicted();
  numbers.topics = state.topics().size();
  numbers.partitions = state.partitions();
  numbers.groups = state.groups().groups().size();
  numbers.producers = state.producers().size();
  numbers.bytes_in_flight = durable_->room().bytes();
  numbers.journal_bytes = durable_->journal_bytes();
  numbers.journal_syncs = durable_->journal_written().groups;
  numbers.journal_written_bytes = durable_->journal_written().bytes;
  numbers.open_segment_files = durable_->open_segment_files();
  for (const auto& [id, partition] : durable_->partitions()) {
    if (partition->log() != nullptr && partition->log()->has_damage()) {
      ++numbers.damaged_partitions;
    }
  }
  numbers.repaired_segments = durable_->repaired_segments();
  numbers.checked_segment_bytes = check_->checked_bytes();
  return numbers;
}

// --- Shared by the calls -------------------------------------------------------------------------

std::string Engine::write_problem() const {
  Result<void> writable = durable_->Writable();
  return writable ? "" : writable.error().message;
}

std::string Engine::damaged_partition() const {
  const auto& partitions = durable_->partitions();
  auto damaged = std::ranges::find_if(partitions, [](const auto& each) {
    return each.second->log() != nullptr && each.second->log()->has_damage();
  });
  return damaged == partitions.end() ? "" : damaged->second->name();
}

std::string Engine::checkpoint_problem() const { return durable_->background_problem(); }

Outcome<> Engine::CheckWritable() const {
  if (closing_) return Refuse(QueueError::kClosing, "the queue is shutting down");
  Result<void> writable = durable_->Writable();
  if (!writable) return Refuse(UnwritableRefusal(writable.error()));
  return {};
}

Outcome<PartitionId> Engine::Find(TopicPartition where) const {
  const Topic* topic = durable_->state().FindTopic(where.topic);
  if (topic == nullptr) return UnknownTopic(where.topic);
  if (where.partition >= topic->partitions.size()) {
    return Refuse(QueueError::kUnknownTopicOrPartition, "topic {} has no partition {}", where.topic,
                  where.partition);
  }
  return PartitionId{topic->number, where.partition};
}

Outcome<PartitionId> Engine::FindHere(TopicPartition where) const {
  Outcome<PartitionId> id = Find(where);
  if (!id || durable_->state().IsHome(*durable_->state().FindTopic(id->topic))) return id;
  return Refuse(QueueError::kNotHome, "the home of topic {} is another data center", where.topic);
}

Outcome<> Engine::CheckController() const {
  if (is_controller()) return {};
  return Refuse(QueueError::kNotController, "another data center is the controller");
}

const Controller& Engine::controller() const { return durable_->state().controller(); }
bool Engine::is_controller() const { return durable_->state().is_controller(); }

Outcome<PartitionId> Engine::FindForEpoch(TopicPartition where, int32_t leader_epoch) const {
  Outcome<PartitionId> id = FindHere(where);
  if (!id || leader_epoch < 0) return id;
  int32_t own = durable_->state().FindTopic(id->topic)->leader_epoch;
  if (leader_epoch == own) return id;
  return Refuse(
      leader_epoch < own ? QueueError::kFencedLeaderEpoch : QueueError::kUnknownLeaderEpoch,
      "topic {} has leader epoch {}, not {}", where.topic, own, leader_epoch);
}

// Appends a record that was checked, and waits until it is durable.
io::Task<Outcome<>> Engine::AppendDurably(JournalRecord record) {
  if (Outcome<> writable = CheckWritable(); !writable) co_return writable;
  uint64_t end = durable_->Append(record);
  Result<void> done = co_await durable_->AwaitCopied(end);
  if (!done) co_return Refuse(QueueError::kStorage, "{}", done.error().message);
  co_return Outcome<>{};
}

static int64_t NowMs(const io::Loop& loop) {
  return std::chrono::floor<std::chrono::milliseconds>(loop.Wall()).time_since_epoch().count();
}

int64_t Engine::VisibleEnd(const Partition& partition) const {
  const int64_t delay_ms = durable_->state().FindTopic(partition.id().topic)->config.delay_ms;
  if (delay_ms == 0) return partition.high_watermark();
  const int64_t end = durable_->state()
                          .FindPartition(partition.id())
                          ->delays.VisibleEnd(NowMs(loop_), delay_ms, partition.high_watermark());
  return std::max(end, LogStart(partition));
}

std::optional<Duration> Engine::UntilVisible(const Partition& partition) const {
  const int64_t delay_ms = durable_->state().FindTopic(partition.id().topic)->config.delay_ms;
  if (delay_ms == 0) return std::nullopt;
  const int64_t now_ms = NowMs(loop_);
  const auto next =
      durable_->state().FindPartition(partition.id())->delays.NextVisibleMs(now_ms, delay_ms);
  // A batch that is appended from now on is not visible before the delay is over.
  return std::chrono::milliseconds{
      std::clamp<int64_t>(next.value_or(now_ms + delay_ms) - now_ms, 1, delay_ms)};
}

int64_t Engine::LogStart(const Partition& partition) const {
  int64_t log_start = durable_->state().FindPartition(partition.id())->log_start_offset;
  // Segments that were removed while the disk was full.
  if (partition.log() == nullptr) return log_start;
  return std::max(log_start, partition.log()->log_start_offset());
}

// --- Topics --------------------------------------------------------------------------------------

std::optional<TopicDescription> Engine::FindTopic(std::string_view name) const {
  const Topic* topic = durable_->state().FindTopic(name);
  if (topic == nullptr) return std::nullopt;
  return DescriptionOf(*topic);
}

std::optional<std::string> Engine::NameOf(TopicUuid uuid) const {
  const Topic* topic = durable_->state().FindTopic(uuid);
  return topic == nullptr ? std::nullopt : std::optional(topic->name);
}

std::vector<TopicDescription> Engine::Topics() const {
  std::vector<TopicDescription> topics;
  for (const auto& [number, topic] : durable_->state().topics()) {
    topics.push_back(DescriptionOf(topic));
  }
  return topics;
}

static Outcome<TopicConfig> CheckNewTopic(const NewTopic& topic, const QueueState& state,
                                          const TopicConfig& defaults) {
  if (Result<void> name = CheckTopicName(topic.name); !name) {
    return Refuse(QueueError::kInvalidTopicName, "{}", name.error().message);
  }
  if (state.FindTopic(topic.name) != nullptr) {
    return Refuse(QueueError::kTopicExists, "topic {} exists", topic.name);
  }
  if (topic.partitions == 0) {
    return Refuse(QueueError::kInvalidPartitions, "a topic has at least one partition");
  }
  if (topic.partitions > kMaxPartitions - state.partitions()) {
    return Refuse(QueueError::kTooManyPartitions,
                  "{} partitions of {} in all are in use, and {} more were asked for",
                  state.partitions(), kMaxPartitions, topic.partitions);
  }
  auto config = ParseTopicConfig(topic.overrides, defaults);
  if (!config) return Refuse(QueueError::kInvalidConfig, "{}", config.error().message);
  return *config;
}

io::Task<Outcome<TopicDescription>> Engine::CreateTopic(NewTopic topic) {
  const QueueState& state = durable_->state();
  if (Outcome<> here = CheckController(); !here) co_return Refuse(std::move(here.error()));
  Outcome<TopicConfig> config = CheckNewTopic(topic, state, options_.topic_defaults);
  if (!config) co_return Refuse(std::move(config.error()));
  TopicUuid uuid{random_.Next(), random_.Next()};
  TopicDescription description{.name = topic.name,
                               .uuid = uuid,
                               .partitions = topic.partitions,
                               .home = state.node(),
                               .leader_epoch = state.controller().epoch,
                               .overrides = topic.overrides,
                               .config = *config};
  if (topic.validate_only) co_return description;
  Outcome<> created =
      co_await AppendDurably(TopicRecord{.topic = state.next_topic_number(),
                                         .uuid = uuid,
                                         .name = std::move(topic.name),
                                         .partitions = topic.partitions,
                                         .overrides = std::move(topic.overrides),
                                         .controller_epoch = state.controller().epoch,
                                         .home = state.node(),
                                         .leader_epoch = state.controller().epoch});
  if (!created) co_return Refuse(std::move(created.error()));
  co_return description;
}

io::Task<Outcome<>> Engine::DeleteTopic(std::string name) {
  if (Outcome<> here = CheckController(); !here) co_return here;
  const Topic* topic = durable_->state().FindTopic(name);
  if (topic == nullptr) co_return UnknownTopic(name);
  co_return co_await AppendDurably(TopicDeletedRecord{topic->number});
}

io::Task<Outcome<>> Engine::AddPartitions(std::string name, uint32_t partitions,
                                          bool validate_only) {
  if (Outcome<> here = CheckController(); !here) co_return here;
  const QueueState& state = durable_->state();
  const Topic* topic = state.FindTopic(name);
  if (topic == nullptr) co_return UnknownTopic(name);
  size_t now = topic->partitions.size();
  if (partitions <= now) {
    co_return Refuse(QueueError::kInvalidPartitions, "topic {} has {} partitions already", name,
                     now);
  }
  if (partitions - now > kMaxPartitions - state.partitions()) {
    co_return Refuse(QueueError::kTooManyPartitions,
                     "{} partitions of {} in all are in use, and {} more were asked for",
                     state.partitions(), kMaxPartitions, partitions - now);
  }
  if (validate_only) co_return Outcome<>{};
  co_return co_await AppendDurably(PartitionsAddedRecord{topic->number, partitions});
}

io::Task<Outcome<>> Engine::ConfigureTopic(std::string name, TopicOverrides overrides,
                                           bool validate_only) {
  if (Outcome<> here = CheckController(); !here) co_return here;
  const Topic* topic = durable_->state().FindTopic(name);
  if (topic == nullptr) co_return UnknownTopic(name);
  auto config = ParseTopicConfig(overrides, options_.topic_defaults);
  if (!config) co_return Refuse(QueueError::kInvalidConfig, "{}", config.error().message);
  if (validate_only || overrides == topic->overrides) co_return Outcome<>{};
  co_return co_await AppendDurably(TopicConfiguredRecord{topic->number, std::move(overrides)});
}

io::Task<Outcome<int32_t>> Engine::TakeOver(TakeOverRequest request) {
  const QueueState& state = durable_->state();
  for (const std::string& name : request.topics) {
    if (state.FindTopic(name) == nullptr) co_return UnknownTopic(name);
  }
  if (Outcome<> writable = CheckWritable(); !writable) co_return Refuse(writable.error());
  const int32_t epoch = NextEpoch(state.max_epoch(), state.node());
  durable_->journal().log().RaiseEpoch(static_cast<uint32_t>(epoch));
  AppendTopics(request, epoch);
  if (request.controller) {
    durable_->Append(ControllerMovedRecord{epoch});
    AppendOffsetsOfGroups();
  }
  Result<void> done = co_await durable_->AwaitDurable(durable_->journal_end());
  if (!done) co_return Refuse(QueueError::kStorage, "{}", done.error().message);
  co_return epoch;
}

// A new controller also says what it knows of topics whose home does not move.
void Engine::AppendTopics(const TakeOverRequest& request, int32_t epoch) {
  const QueueState& state = durable_->state();
  std::vector<TopicRecord> records;
  for (const auto& [number, topic] : state.topics()) {
    const bool moves = std::ranges::find(request.topics, topic.name) != request.topics.end();
    if (!moves && !request.controller) continue;
    TopicRecord record = state.RecordOf(topic);
    record.controller_epoch = request.controller ? epoch : state.controller().epoch;
    if (moves) {
      record.home = state.node();
      record.leader_epoch = epoch;
      for (const PartitionState& partition : topic.partitions) {
        auto epochs = partition.epochs.starts();
        epochs = epochs.last(std::min(epochs.size(), kMaxToldEpochs));
        record.at_home.push_back(
            {.end_offset = partition.end_offset, .epochs = {epochs.begin(), epochs.end()}});
      }
    }
    records.push_back(std::move(record));
  }
  for (const TopicRecord& record : records) durable_->Append(record);
}

// For peers that have not read all of the old controller's journal.
void Engine::AppendOffsetsOfGroups() {
  constexpr size_t kEntriesPerRecord = 100;
  for (const auto& [name, group] : durable_->state().groups().groups()) {
    OffsetsCommittedRecord record{.group = name};
    for (const auto& [partition, committed] : group.offsets) {
      record.entries.push_back({partition, committed});
      if (record.entries.size() < kEntriesPerRecord) continue;
      durable_->Append(record);
      record.entries.clear();
    }
    if (!record.entries.empty()) durable_->Append(record);
  }
}

}  // namespace meridian::queue
