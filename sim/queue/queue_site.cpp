#include "sim/queue/queue_site.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/scope.hpp"
#include "io/sim/disk_image.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/refusal.hpp"
#include "queue/state/topic_config.hpp"
#include "sim/faulty_disk.hpp"
#include "sim/queue/queue_oracle.hpp"
#include "sim/segment_damage.hpp"
#include "store/limits.hpp"
#include "wire/kafka/batch_writer.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_batch.hpp"
#include "wire/kafka/record_reader.hpp"

namespace meridian::sim {
namespace {

using queue::QueueError;
using queue::TopicPartition;
using std::chrono::milliseconds;

constexpr std::string_view kKept = "kept";    // all its records stay
constexpr std::string_view kCut = "cut";      // DeleteRecords
constexpr std::string_view kShort = "short";  // retention by bytes
constexpr std::string_view kCompacted = "compacted";
constexpr std::array kTopics = {kKept, kCut, kShort, kCompacted};
constexpr uint32_t kPartitions = 2;
constexpr std::string_view kTemporary = "temporary";  // is created and deleted all the time
constexpr size_t kProducers = 9;                      // one partition has two
constexpr std::array<const char*, 2> kGroups = {"billing", "search"};
constexpr uint64_t kMaxValueBytes = 300;
constexpr uint64_t kMaxRecordsPerBatch = 3;
// After a start, or after damage was done, all segments are checked within this time.
constexpr Duration kCheckInterval = milliseconds{300};
constexpr Duration kCheckedWithin = milliseconds{5000};
constexpr Duration kRequestTimeout = std::chrono::seconds{2};
constexpr size_t kFetchBytes = 1000;

std::string NameOf(TopicPartition where) {
  return fmt::format("{}-{}", where.topic, where.partition);
}

queue::EngineOptions OptionsOf(uint64_t seed) {
  return {.folder = "queue",
          .journal_id = 4711,
          .random_seed = seed,
          .topic_defaults = {.segment_bytes = 2000},
          .journal_segment_bytes = store::kMinSegmentBytes,
          .checkpoint_bytes = 3 * store::kMinSegmentBytes,
          .checkpoint_interval = std::chrono::seconds{2},
          .upkeep_interval = milliseconds{200},
          .check_interval = kCheckInterval,
          .headroom_bytes = 2000,
          .max_in_flight_bytes = 2000};
}

SyncFaults SyncFaultsOf(PlantedQueueBug bug) {
  return {.files = bug != PlantedQueueBug::kNone,
          .only_files_below = bug == PlantedQueueBug::kForgetsSegmentSyncs ? "queue/topics/" : ""};
}

// The name of a record in its value.
std::string NameIn(const wire::kafka::Record& record) {
  std::string_view value = record.value.value_or("");
  return std::string(value.substr(0, value.find(' ')));
}

// As a client that checks checksums. `next_offset` moves behind each batch.
Result<void> AddBatches(Bytes bytes, PartitionContent& content, int64_t& next_offset) {
  for (Bytes rest = bytes; !rest.empty();) {
    auto header = wire::kafka::ReadBatchHeader(rest);
    if (header && header->bytes > rest.size()) return Fail(Errc::kInvalid, "a batch is cut off");
    if (header) header = wire::kafka::CheckStoredBatch(rest.first(header->bytes));
    if (!header) return Fail(std::move(header.error()));
    auto reader = wire::kafka::RecordReader::Open(rest.first(header->bytes));
    wire::kafka::Record record;
    while (reader && reader->Next(&record)) {
      if (record.offset >= content.log_start_offset) content.values[record.offset] = NameIn(record);
    }
    rest = rest.subspan(header->bytes);
    next_offset = header->next_offset();
  }
  return {};
}

// Whether the same call may succeed later.
bool MayTryAgain(QueueError error) {
  return error == QueueError::kStorage || error == QueueError::kTimedOut ||
         error == QueueError::kClosing;
}

}  // namespace

struct QueueNode::Life {
  io::sim::Machine& machine;
  queue::Engine& engine;
  io::Fiber& main;
  // After a crash nothing that fails means anything.
  bool over() const { return main.cancelled(); }
  QueueNode& node;
  TimePoint began = machine.loop.Now();

  ~Life() { node.engine_ = nullptr; }
};

QueueNode::QueueNode(io::sim::World& world, PlantedQueueBug bug)
    : world_(world), bug_(bug), oracle_(world) {
  for (size_t i = 0; i < kProducers; ++i) {
    TopicPartition where{kTopics[i % kTopics.size()],
                         static_cast<uint32_t>(i / kTopics.size()) % kPartitions};
    producers_.push_back({.name = std::to_string(i), .where = where});
  }
}

bool QueueNode::settled() const {
  auto idle = [](const Producer& producer) { return producer.values.empty(); };
  return up_ && std::ranges::all_of(producers_, idle);
}

io::Task<void> QueueNode::Run(io::sim::Machine& machine) {
  up_ = checked_ = false;
  FaultyDisk disk(machine.disk, SyncFaultsOf(bug_));
  HybridClock clock(machine.loop.driver(), store::kMaxClockSkew);
  io::Fiber& fiber = co_await io::ThisFiber{};
  std::unique_ptr<queue::Engine> engine;
  while (engine == nullptr) {
    auto opened =
        co_await queue::Engine::Open(machine.loop, disk, clock, OptionsOf(machine.random.Next()));
    if (fiber.cancelled() && !opened) co_return;
    if (opened) {
      engine = std::move(*opened);
    } else if (opened.error().code == Errc::kUnavailable) {
      if (!co_await io::Sleep(milliseconds{100})) co_return;
    } else {
      world_.Fail(fmt::format("the queue does not open: {}", opened.error().message));
      co_return;
    }
  }
  Life life{.machine = machine, .engine = *engine, .main = fiber, .node = *this};
  engine_ = engine.get();
  io::Scope scope(machine.loop);
  co_await CheckAll(life);
  if (co_await PrepareTopics(life)) {
    up_ = true;
    for (Producer& producer : producers_) scope.Spawn(Produce(life, producer));
    for (std::string_view topic : kTopics) {
      for (uint32_t i = 0; i < kPartitions; ++i) scope.Spawn(Follow(life, {topic, i}));
    }
    for (const char* group : kGroups) scope.Spawn(Commit(life, group));
    scope.Spawn(Administrate(life));
    scope.Spawn(CheckWhenDamageIsKnown(life));
  }
  co_await scope.Join();
  co_await engine->Close();
}

// --- Checks --------------------------------------------------------------------------------------

io::Task<void> QueueNode::CheckAll(Life& life) {
  for (const queue::TopicDescription& topic : life.engine.Topics()) {
    if (topic.name == kTemporary) continue;
    for (uint32_t i = 0; i < topic.partitions; ++i) co_await CheckPartition(life, {topic.name, i});
  }
  if (life.over()) co_return;
  for (const char* group : kGroups) {
    auto found = life.engine.FindCommitted(group, {kKept, 0});
    oracle_.CheckCommitted(group, found ? std::optional(found->offset) : std::nullopt);
  }
  oracle_.CheckTopic(std::string(kTemporary), life.engine.FindTopic(kTemporary).has_value());
  if (life.engine.numbers().damaged_partitions > 0 && damaged_.empty()) {
    world_.Fail("a crash looks like damage");
  }
}

io::Task<void> QueueNode::CheckPartition(Life& life, TopicPartition where) {
  PartitionContent content{.compacted = where.topic == kCompacted};
  auto start = co_await life.engine.ListOffset(where, queue::kEarliestOffset);
  if (!start) co_return;
  content.log_start_offset = (*start)->offset;
  int64_t offset = content.log_start_offset;
  std::optional<bool> more = true;
  while (more == true) more = co_await ReadOnce(life, where, content, offset);
  if (!more) co_return;
  if (!content.damaged.empty() && DamageIsKnown(life) &&
      life.engine.numbers().damaged_partitions == 0) {
    co_return world_.Fail(NameOf(where) + ": damage is not reported");
  }
  if (where.topic == kShort) oracle_.MayRemoveBelow(NameOf(where), content.high_watermark);
  oracle_.CheckContent(NameOf(where), content);
}

// Reads on from the offset. False: at the end; nothing: it cannot be read now, or must not.
io::Task<std::optional<bool>> QueueNode::ReadOnce(Life& life, TopicPartition where,
                                                  PartitionContent& content, int64_t& offset) {
  auto view = co_await life.engine.Fetch({.where = where, .offset = offset}, kFetchBytes);
  if (life.over()) co_return std::nullopt;
  if (!view && view.error().error == QueueError::kStorage) {
    if (SkipDamage(life, where, content, offset)) co_return true;
    if (!DamageIsKnown(life)) co_return std::nullopt;
  }
  if (!view) {
    co_await CheckRefusal(life, where, offset, view.error());
    co_return std::nullopt;
  }
  content.high_watermark = view->high_watermark;
  if (view->range.bytes == 0) co_return false;
  if (view->range.begin_offset > offset && !content.compacted) {
    world_.Fail(fmt::format("a read of {} at {} begins at {}", NameOf(where), offset,
                            view->range.begin_offset));
    co_return std::nullopt;
  }
  std::vector<uint8_t> bytes(view->range.bytes);
  auto got = co_await view->range.file->ReadAt(view->range.position, bytes);
  if (life.over() || !got) co_return std::nullopt;
  const bool is_cut_off = *got < bytes.size();
  bytes.resize(*got);
  int64_t next_offset = offset;
  Result<void> added = AddBatches(bytes, content, next_offset);
  if (added && is_cut_off) added = Fail(Errc::kInvalid, "a batch is cut off");
  if (added) next_offset = view->range.next_offset;
  const bool known = DamageIsKnown(life);
  // Until a check has found it, a damaged batch may claim offsets of the batches behind it.
  if (!added && !known && next_offset == offset && DamagedAt(where, offset) == nullptr &&
      DamagedAt(where, view->range.begin_offset) != nullptr) {
    co_return std::nullopt;
  }
  if (!added && (known || !SkipDamage(life, where, content, next_offset))) {
    // Retention may have emptied the file meanwhile.
    const QueueError error = is_cut_off ? QueueError::kOffsetOutOfRange : QueueError::kStorage;
    co_await CheckRefusal(life, where, next_offset, {error, added.error().message});
    co_return std::nullopt;
  }
  offset = next_offset;
  co_return true;
}

bool QueueNode::DamageIsKnown(const Life& life) const {
  return life.machine.loop.Now() > std::max(life.began, last_damage_) + kCheckedWithin;
}

const QueueNode::Damaged* QueueNode::DamagedAt(TopicPartition where, int64_t offset) const {
  const std::string partition = NameOf(where);
  auto found = std::ranges::find_if(damaged_, [&](const Damaged& each) {
    return each.partition == partition && each.place.begin_offset <= offset &&
           offset < each.place.next_offset;
  });
  return found == damaged_.end() ? nullptr : &*found;
}

// Moves the offset behind the batches that are damaged there. False: none are.
bool QueueNode::SkipDamage(const Life& life, TopicPartition where, PartitionContent& content,
                           int64_t& offset) const {
  const Damaged* damaged = DamagedAt(where, offset);
  if (damaged == nullptr || life.over()) return false;
  content.damaged.emplace_back(offset, damaged->place.next_offset);
  offset = damaged->place.next_offset;
  return true;
}

io::Task<void> QueueNode::CheckWhenDamageIsKnown(Life& life) {
  while (!DamageIsKnown(life)) {
    if (!co_await io::Sleep(milliseconds{50})) co_return;
  }
  co_await CheckAll(life);
  checked_ = !life.over();
}

void QueueNode::Damage(io::sim::DiskImage& disk) {
  constexpr std::array kDamagedTopics = {kKept, kCut, kShort};
  const std::string_view topic = kDamagedTopics[world_.random().Below(kDamagedTopics.size())];
  const auto index = static_cast<uint32_t>(world_.random().Below(kPartitions));
  if (engine_ == nullptr) return;
  const queue::Topic* found = engine_->durable().state().FindTopic(topic);
  if (found == nullptr) return;
  auto partition = engine_->durable().FindPartition({found->number, index});
  if (partition->log() == nullptr) return;
  auto planned = PlanDamage(*partition->log(), disk, DamageKind::kCheckedByte, world_.random());
  if (!planned) return;
  world_.Record("queue", planned->damage.path, static_cast<uint64_t>(planned->damage.begin_offset));
  Inflict(*planned, disk, world_.random());
  damaged_.push_back({NameOf({topic, index}), planned->damage});
  last_damage_ = world_.now();
}

// The log start may have moved meanwhile, and what was read is gone; nothing else excuses it.
io::Task<void> QueueNode::CheckRefusal(Life& life, TopicPartition where, int64_t offset,
                                       queue::Refusal refusal) {
  if (refusal.error == QueueError::kOffsetOutOfRange) {
    auto moved = co_await life.engine.ListOffset(where, queue::kEarliestOffset);
    if (moved && (*moved)->offset > offset) co_return;
  }
  world_.Fail(fmt::format("{} cannot be read at {}: {}", NameOf(where), offset, refusal.message));
}

// --- Clients -------------------------------------------------------------------------------------

io::Task<bool> QueueNode::PrepareTopics(Life& life) {
  for (std::string_view topic : kTopics) {
    queue::TopicOverrides overrides;
    if (topic == kShort) overrides["retention.bytes"] = "5000";
    if (topic == kCompacted) overrides["cleanup.policy"] = "compact";
    while (!life.engine.FindTopic(topic)) {
      auto made = co_await life.engine.CreateTopic(
          {.name = std::string(topic), .partitions = kPartitions, .overrides = overrides});
      if (made) break;
      if (life.over() || !co_await io::Sleep(milliseconds{50})) co_return false;
    }
  }
  co_return !life.over();
}

void QueueNode::MakeBatch(Life& life, Producer& producer) {
  Random& random = life.machine.random;
  wire::kafka::BatchWriter writer(
      {.producer_id = producer.id, .producer_epoch = 0, .base_sequence = producer.sequence});
  auto now = std::chrono::floor<milliseconds>(life.machine.loop.Wall()).time_since_epoch();
  uint64_t records = 1 + random.Below(kMaxRecordsPerBatch);
  for (uint64_t i = 0; i < records; ++i) {
    int64_t number = producer.next_number++;
    std::string key = fmt::format("{}/{}", producer.name, number % kKeysOfProducer);
    std::string value = fmt::format("{}-{}", producer.name, number);
    producer.values.push_back(value);
    value += " " + std::string(random.Below(kMaxValueBytes), 'x');
    writer.Add({.offset = static_cast<int64_t>(i),
                .timestamp_ms = now.count(),
                .key = key,
                .value = value});
  }
  producer.batch = writer.Finish().value();
}

io::Task<void> QueueNode::Produce(Life& life, Producer& producer) {
  while (!life.over() && (writing_ || !producer.values.empty())) {
    if (producer.id < 0) {
      auto id = co_await life.engine.NewProducerId();
      if (id) producer.id = *id;
    } else {
      if (producer.values.empty()) MakeBatch(life, producer);
      if (!co_await SendBatch(life, producer)) co_return;
    }
    Duration pause = milliseconds{life.machine.random.Below(20)};
    if (!co_await io::Sleep(pause)) co_return;
  }
}

// False: a promise was broken.
io::Task<bool> QueueNode::SendBatch(Life& life, Producer& producer) {
  auto header = wire::kafka::CheckBatch(producer.batch);
  queue::ProducePart part{.where = producer.where, .header = *header, .batch = producer.batch};
  auto outcomes = co_await life.engine.Produce(std::span(&part, 1), queue::Acknowledge::kDurable,
                                               life.machine.loop.After(kRequestTimeout));
  const queue::ProduceOutcome& outcome = outcomes.at(0);
  if (outcome.error != QueueError::kNone) {
    if (MayTryAgain(outcome.error) || life.over()) co_return true;
    world_.Fail(
        fmt::format("a batch of producer {} is refused: {}", producer.name, outcome.message));
    co_return false;
  }
  world_.Record("queue", "acknowledged", static_cast<uint64_t>(outcome.base_offset),
                producer.values.size());
  for (size_t i = 0; i < producer.values.size(); ++i) {
    oracle_.Saw(NameOf(producer.where), outcome.base_offset + static_cast<int64_t>(i),
                producer.values[i]);
  }
  producer.sequence += header->record_count;
  producer.values.clear();
  co_return true;
}

// Reads what is new, as a consumer that waits for it.
io::Task<void> QueueNode::Follow(Life& life, TopicPartition where) {
  while (!life.over()) {
    auto end = co_await life.engine.ListOffset(where, queue::kLatestOffset);
    if (!end || life.over()) co_return;
    if (life.machine.random.Chance(0.05)) co_await CheckPartition(life, where);
    queue::SeenPartition seen{.where = where, .high_watermark = (*end)->offset};
    (void)co_await life.engine.AwaitData(std::span(&seen, 1), 1,
                                         life.machine.loop.After(milliseconds{500}));
    auto view = co_await life.engine.Fetch({.where = where, .offset = seen.high_watermark}, 100);
    if (life.over() || !view || view->range.bytes == 0) continue;
    std::vector<uint8_t> bytes(view->range.bytes);
    auto got = co_await view->range.file->ReadAt(view->range.position, bytes);
    if (life.over() || !got || *got != bytes.size()) continue;
    auto header = wire::kafka::ReadBatchHeader(bytes);
    if (header && header->bytes <= bytes.size()) {
      header = wire::kafka::CheckStoredBatch(Bytes(bytes).first(header->bytes));
    }
    if (!header && DamagedAt(where, seen.high_watermark) != nullptr) continue;
    if (!header) co_return world_.Fail(NameOf(where) + ": " + header.error().message);
    auto reader = wire::kafka::RecordReader::Open(Bytes(bytes).first(header->bytes));
    wire::kafka::Record record;
    while (reader && reader->Next(&record)) {
      oracle_.Saw(NameOf(where), record.offset, NameIn(record));
    }
  }
}

io::Task<void> QueueNode::Commit(Life& life, std::string group) {
  size_t number = group == kGroups[0] ? 0 : 1;
  while (!life.over() && writing_) {
    int64_t offset = ++committed_[number];
    queue::OffsetToCommit entry{.where = {kKept, 0}, .committed = {.offset = offset}};
    oracle_.TriedToCommit(group, offset);
    auto errors = co_await life.engine.CommitOffsets(group, std::span(&entry, 1));
    if (errors.at(0) == QueueError::kNone) {
      world_.Record("queue", "committed", number, static_cast<uint64_t>(offset));
      oracle_.Committed(group, offset);
    }
    if (!co_await io::Sleep(milliseconds{life.machine.random.Below(50)})) co_return;
  }
}

io::Task<void> QueueNode::Administrate(Life& life) {
  Random& random = life.machine.random;
  while (!life.over() && writing_) {
    if (!co_await io::Sleep(milliseconds{random.Below(300)})) co_return;
    TopicPartition cut{kCut, static_cast<uint32_t>(random.Below(kPartitions))};
    switch (random.Below(3)) {
      case 0: {
        auto end = co_await life.engine.ListOffset(cut, queue::kLatestOffset);
        if (!end || (*end)->offset == 0) break;
        auto offset = static_cast<int64_t>(random.Below(static_cast<uint64_t>((*end)->offset + 1)));
        oracle_.MayRemoveBelow(NameOf(cut), offset);
        (void)co_await life.engine.DeleteRecords(cut, offset);
        break;
      }
      case 1:
        if (!co_await life.engine.CheckpointNow()) co_return;
        break;
      default:
        co_await RecreateTopic(life);
    }
  }
}

io::Task<void> QueueNode::RecreateTopic(Life& life) {
  std::string name(kTemporary);
  bool exists = life.engine.FindTopic(name).has_value();
  oracle_.Expect(name, std::nullopt);
  bool done = false;
  if (exists) {
    auto deleted = co_await life.engine.DeleteTopic(name);
    done = deleted.has_value();
  } else {
    auto made = co_await life.engine.CreateTopic({.name = name, .partitions = 2});
    done = made.has_value();
  }
  if (done) oracle_.Expect(name, !exists);
}

}  // namespace meridian::sim
