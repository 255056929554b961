// sim mirrors: queues of two or three data centers that mirror each other, with producers
// that send again what was not acknowledged, over links that are cut, half cut, lossy and slow,
// with crashes at any await, lost and torn writes, full disks, damaged segment files (of one copy
// at a time), and promotions by operators who do not know better. Promises: what was acknowledged
// while enough data centers had it is there in the end, once, at its offset, in the order of its
// producer, wherever the homes have moved. All data centers hold the same then, and agree who the
// homes are. What a home took alone is set aside, not mixed in. Once the faults are over, all that
// was sent is acknowledged, and all damage is repaired.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "io/file/disk.hpp"
#include "io/sim/disk_image.hpp"
#include "io/sim/process.hpp"
#include "io/sim/trace.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine.hpp"
#include "queue/engine/partition.hpp"
#include "queue/mirror/mirror_fixture.hpp"
#include "queue/mirror/mirrors.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"
#include "sim/queue_mirrors/mirrors_clients.hpp"
#include "sim/queue_mirrors/mirrors_oracle.hpp"
#include "sim/replica_faults.hpp"
#include "sim/segment_damage.hpp"
#include "sim/simulation.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_batch.hpp"
#include "wire/kafka/record_reader.hpp"

namespace meridian::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFaultPhase = seconds{20};
constexpr uint64_t kMaxFaults = 8;
constexpr uint64_t kMaxPromotions = 3;
constexpr uint64_t kMaxDamages = 6;
// Small, so that there are closed segments, whose damage is found soon.
constexpr int64_t kSegmentBytes = 1500;
constexpr Duration kCheckInterval = seconds{1};
// In so long, all segments are checked.
constexpr Duration kCheckedWithin = seconds{4};
constexpr Duration kWriteOn = seconds{2};
constexpr Duration kSettle = seconds{90};
constexpr Duration kTick = milliseconds{100};

struct Content {
  std::map<int64_t, std::string> values;
  std::vector<uint8_t> bytes;
};

class MirrorsRun {
 public:
  explicit MirrorsRun(io::sim::World& world)
      : world_(world),
        oracle_(world),
        clients_(world, oracle_),
        faults_(world, [](const io::sim::SimProcess&) { return true; }) {
    const size_t count = 2 + random().Below(2);
    // Any promotion finds all then.
    const size_t min_copies = count - 1;
    for (queue::NodeId id = 1; id <= count; ++id) {
      nodes_.push_back(std::make_unique<queue::MirrorNode>(queue::MirrorNode::Options{
          .id = id,
          .count = count,
          .min_copies = min_copies,
          .checkpoint_bytes = 20'000,
          .segment_bytes = kSegmentBytes,
          .check_interval = kCheckInterval,
          .on_failure =
              [this](const std::string& why) { world_.Fail("a queue does not start: " + why); },
          .on_up = [this](queue::MirrorNode& node) { clients_.OnUp(node); }}));
      queue::MirrorNode& node = *nodes_.back();
      processes_.push_back(
          &world_.AddProcess({.name = queue::MirrorNode::NameOf(id),
                              .address = queue::MirrorNode::AddressOf(id),
                              .drift_ppm = 100},
                             [&node](io::sim::Machine& machine) { return node.Run(machine); }));
    }
  }

  void Run() {
    Plan(random().Below(kMaxFaults + 1), [this] { BeginFault(); });
    Plan(random().Below(kMaxPromotions + 1), [this] { Promote(); });
    Plan(random().Below(kMaxDamages + 1), [this] { BeginDamage(); });
    world_.RunFor(kFaultPhase);
    faults_.Heal();
    world_.RunFor(kWriteOn);
    clients_.StopWriting();
    RunUntilSettled();
    world_.RunFor(kCheckedWithin);
    RunUntilSettled();
    if (!IsSettled() && !world_.failure()) world_.Fail(fmt::format("not settled: {}", WhyNot()));
    if (!world_.failure()) CheckEnd();
  }

 private:
  Random& random() { return world_.random(); }

  template <class Event>
  void Plan(uint64_t count, Event event) {
    for (uint64_t i = 0; i < count; ++i) {
      world_.After(Duration{random().Below(static_cast<uint64_t>(kFaultPhase.count()))}, event);
    }
  }

  void RunUntilSettled() {
    const TimePoint deadline = world_.now() + kSettle;
    while (!IsSettled() && !world_.failure() && world_.now() < deadline) world_.RunFor(kTick);
  }

  // One copy at a time is damaged, and only of what another data center has as well.
  void BeginDamage() {
    const size_t index = random().Below(nodes_.size());
    const queue::MirrorNode& node = *nodes_[index];
    const std::vector<std::string> topics = MirrorsClients::Topics();
    const std::string& topic = topics[random().Below(topics.size())];
    if (node.engine() == nullptr || (damage_ && !IsMended())) return;
    const queue::Topic* found = TopicAt(node, topic);
    if (found == nullptr) return;
    auto partition = node.engine()->durable().FindPartition({found->number, 0});
    if (partition->log() == nullptr || partition->is_being_cut()) return;
    io::sim::DiskImage& disk = processes_[index]->disk();
    auto planned = PlanDamage(*partition->log(), disk, DamageKind::kAnyByte, random());
    if (!planned || !IsElsewhere(node, *found, planned->damage.segment_end_offset)) return;
    world_.Record("faults", planned->damage.path, node.id(),
                  static_cast<uint64_t>(planned->damage.begin_offset));
    Inflict(*planned, disk, random());
    damage_ = planned->damage;
    damaged_node_ = index;
  }

  bool IsElsewhere(const queue::MirrorNode& node, const queue::Topic& topic, int64_t end_offset) {
    for (const auto& other : nodes_) {
      if (other->id() == node.id() || other->engine() == nullptr) continue;
      const queue::Topic* found = TopicAt(*other, topic.name);
      if (found == nullptr || found->number != topic.number) continue;
      auto partition = other->engine()->durable().FindPartition({found->number, 0});
      if (found->leader_epoch == topic.leader_epoch && !partition->is_being_cut() &&
          partition->high_watermark() >= end_offset) {
        return true;
      }
    }
    return false;
  }

  bool IsMended() {
    auto inode = processes_[damaged_node_]->disk().Open(damage_->path, io::OpenMode::kRead);
    return inode && (*inode)->content == damage_->before;
  }

  void BeginFault() {
    const size_t from = random().Below(processes_.size());
    const size_t to = (from + 1 + random().Below(processes_.size() - 1)) % processes_.size();
    faults_.Begin(random().Below(kReplicaFaults), *processes_[from], *processes_[to],
                  random().Next());
  }

  // Whether it succeeds or not.
  void Promote() {
    queue::MirrorNode& node = *nodes_[random().Below(nodes_.size())];
    if (node.mirrors() == nullptr) return;
    const bool all = random().Chance(0.7);
    world_.Record("operator", all ? "promote all" : "promote one", node.id());
    node.calls()->Spawn(PromoteTo(*node.mirrors(), all));
  }
  static io::Task<void> PromoteTo(queue::Mirrors& mirrors, bool all) {
    queue::Mirrors::PromoteRequest request{.all = all};
    if (!all) request.topics = {MirrorsClients::Topics()[0]};
    (void)co_await mirrors.Promote(std::move(request));
  }

  bool IsSettled() const { return WhyNot().empty(); }
  std::string WhyNot() const {
    if (!clients_.settled()) return "not all is acknowledged";
    for (const auto& node : nodes_) {
      if (node->engine() == nullptr) return "a node is down";
      if (node->mirrors()->incomplete_partitions() > 0) return "a mirror lacks messages";
      if (node->engine()->numbers().damaged_partitions > 0) {
        return fmt::format("node {} is damaged{}: {}", node->id(), damage_ ? "" : " by a crash",
                           node->mirrors()->RepairProblem());
      }
      if (!node->mirrors()->MissingCopies().empty()) return "copies are missing" + AllPeersText();
    }
    for (const std::string& topic : MirrorsClients::Topics()) {
      const queue::Topic* first = TopicAt(*nodes_[0], topic);
      if (first == nullptr) return "a topic is missing";
      for (const auto& node : nodes_) {
        const queue::Topic* other = TopicAt(*node, topic);
        if (other == nullptr || other->number != first->number || other->home != first->home ||
            other->partitions[0].end_offset != first->partitions[0].end_offset) {
          return fmt::format("{} differs", topic);
        }
        auto partition = node->engine()->durable().FindPartition({other->number, 0});
        if (partition->high_watermark() != other->partitions[0].end_offset) return "not written";
      }
    }
    return "";
  }
  std::string AllPeersText() const {
    std::string text;
    for (const auto& each : nodes_) {
      text += "\n  " + std::to_string(each->id());
      if (each->engine() == nullptr) continue;
      text += PeersText(*each) + "; " + each->engine()->checkpoint_problem() + "; " +
              each->engine()->write_problem();
    }
    return text;
  }
  static std::string PeersText(const queue::MirrorNode& node) {
    std::string text;
    for (const auto& peer : node.mirrors()->Peers()) {
      text += fmt::format("; {} {} {}: {} behind, {} ahead ({})", peer.name,
                          peer.connected ? "connected" : "not connected",
                          peer.follows ? "follows" : "does not follow", peer.behind_records,
                          peer.ahead_records, peer.problem);
    }
    return text;
  }
  static const queue::Topic* TopicAt(const queue::MirrorNode& node, const std::string& topic) {
    return node.engine()->durable().state().FindTopic(topic);
  }

  void CheckEnd() {
    for (const std::string& topic : MirrorsClients::Topics()) {
      std::optional<Content> first;
      for (const auto& node : nodes_) {
        Content content = ContentAt(*node, topic);
        if (!first) oracle_.CheckContent(topic, content.values);
        if (first && first->bytes != content.bytes) {
          world_.Fail(fmt::format("node {} has other bytes of {}, from {} on", node->id(), topic,
                                  FirstDifference(*first, content)));
        }
        first = std::move(content);
      }
    }
  }

  static std::string FirstDifference(const Content& one, const Content& other) {
    for (const auto& [offset, value] : one.values) {
      auto found = other.values.find(offset);
      if (found == other.values.end()) return fmt::format("offset {}, which is missing", offset);
      if (found->second != value)
        return fmt::format("offset {}, {} for {}", offset, found->second, value);
    }
    for (Bytes a = one.bytes, b = other.bytes; !a.empty() && !b.empty();) {
      auto left = wire::kafka::ReadBatchHeader(a);
      auto right = wire::kafka::ReadBatchHeader(b);
      if (!left || !right) return "a malformed batch";
      if (*left != *right) {
        return fmt::format("offset {}, a batch of {} bytes and epoch {}, and one of {} and {}",
                           left->base_offset, left->bytes, left->leader_epoch, right->bytes,
                           right->leader_epoch);
      }
      a = a.subspan(left->bytes);
      b = b.subspan(right->bytes);
    }
    return "the end";
  }

  Content ContentAt(queue::MirrorNode& node, const std::string& topic) {
    Content content;
    bool done = false;
    auto read = [&]() -> io::Task<void> {
      const queue::Topic* found = TopicAt(node, topic);
      co_await ReadAll(*node.engine()->durable().FindPartition({found->number, 0}), content);
      done = true;
    };
    node.calls()->Spawn(read());
    while (!done && !world_.failure()) world_.RunFor(milliseconds{1});
    return content;
  }

  io::Task<void> ReadAll(queue::Partition& partition, Content& content) {
    int64_t offset = 0;
    while (offset < partition.high_watermark()) {
      auto range = co_await partition.log()->Read(
          {.offset = offset, .max_bytes = 100'000, .limit_offset = partition.high_watermark()});
      if (!range || range->bytes == 0) {
        co_return world_.Fail("a partition cannot be read: " +
                              (range ? "nothing is there" : range.error().message));
      }
      std::vector<uint8_t> bytes(range->bytes);
      (void)co_await range->file->ReadAt(range->position, bytes);
      content.bytes.insert(content.bytes.end(), bytes.begin(), bytes.end());
      for (Bytes rest = bytes; !rest.empty();) {
        auto header = wire::kafka::ReadBatchHeader(rest);
        if (!header) co_return world_.Fail("a batch is malformed");
        auto reader = wire::kafka::RecordReader::Open(rest.first(header->bytes));
        wire::kafka::Record record;
        while (reader && reader->Next(&record)) {
          content.values[record.offset] = std::string(record.value.value_or(""));
        }
        rest = rest.subspan(header->bytes);
      }
      offset = range->next_offset;
    }
  }

  io::sim::World& world_;
  MirrorsOracle oracle_;
  MirrorsClients clients_;
  std::vector<std::unique_ptr<queue::MirrorNode>> nodes_;
  std::vector<io::sim::SimProcess*> processes_;
  ReplicaFaults faults_;
  std::optional<SegmentDamage> damage_;  // the last
  size_t damaged_node_ = 0;
};

}  // namespace

Outcome SimulateQueueMirrors(uint64_t seed, io::sim::TraceMode trace) {
  io::sim::World world(seed, trace);
  MirrorsRun run(world);
  run.Run();
  Outcome outcome = OutcomeOf(world);
  world.End();  // before the objects that its processes refer to
  return outcome;
}

}  // namespace meridian::sim
