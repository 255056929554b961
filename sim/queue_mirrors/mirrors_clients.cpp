#include "sim/queue_mirrors/mirrors_clients.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/engine.hpp"
#include "queue/mirror/mirror_fixture.hpp"
#include "queue/mirror/mirrors.hpp"
#include "queue/state/refusal.hpp"
#include "sim/queue_mirrors/mirrors_oracle.hpp"
#include "wire/kafka/batch_writer.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::sim {
namespace {

using queue::QueueError;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint64_t kMaxBatch = 4;
constexpr uint64_t kMaxPauseMilliseconds = 60;
constexpr Duration kTimeout = seconds{4};

}  // namespace

// One node at a time is asked for a producer.
class MirrorsClients::Turn {
 public:
  explicit Turn(Producer& producer) : producer_(producer) { producer_.busy = true; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { producer_.busy = false; }

 private:
  Producer& producer_;
};

MirrorsClients::MirrorsClients(io::sim::World& world, MirrorsOracle& oracle)
    : world_(world), oracle_(oracle) {
  for (std::string& topic : Topics()) producers_.push_back({.topic = std::move(topic)});
}

std::vector<std::string> MirrorsClients::Topics() { return {"orders", "payments"}; }

bool MirrorsClients::settled() const {
  return std::ranges::all_of(producers_, [](const Producer& each) {
    return each.values.empty() && !each.busy && each.next_number > 0;
  });
}

void MirrorsClients::OnUp(queue::MirrorNode& node) { node.calls()->Spawn(Serve(node)); }

io::Task<void> MirrorsClients::Serve(queue::MirrorNode& node) {
  queue::Engine& engine = *node.engine();
  queue::Mirrors& mirrors = *node.mirrors();
  for (;;) {
    if (engine.is_controller()) co_await CreateTopics(engine);
    for (Producer& producer : producers_) {
      auto topic = engine.FindTopic(producer.topic);
      if (!topic || topic->home != node.id() || producer.busy) continue;
      // As a client, which takes no metadata of an older leader epoch.
      if (topic->leader_epoch < producer.leader_epoch) continue;
      producer.leader_epoch = topic->leader_epoch;
      const Turn turn(producer);
      world_.Record("client of dc" + std::to_string(node.id()), producer.topic,
                    producer.values.size());
      co_await Send(engine, mirrors, producer);
    }
    const Duration pause = milliseconds{world_.random().Below(kMaxPauseMilliseconds)};
    if (!co_await io::Sleep(pause)) co_return;
  }
}

io::Task<void> MirrorsClients::CreateTopics(queue::Engine& engine) {
  for (const std::string& topic : Topics()) {
    if (!engine.FindTopic(topic)) (void)co_await engine.CreateTopic({.name = topic});
  }
}

io::Task<void> MirrorsClients::Send(queue::Engine& engine, queue::Mirrors& mirrors,
                                    Producer& producer) {
  if (producer.id < 0) {
    auto id = co_await engine.NewProducerId();
    if (!id) co_return;
    producer.id = *id;
    producer.sequence = 0;
  }
  if (producer.values.empty()) {
    // One that could write nothing all the time still writes once.
    if (!writing_ && producer.next_number > 0) co_return;
    const uint64_t count = 1 + world_.random().Below(kMaxBatch);
    for (uint64_t i = 0; i < count; ++i) {
      producer.values.push_back(fmt::format("{}-{}", producer.topic, producer.next_number++));
    }
  }
  wire::kafka::BatchWriter writer(
      {.producer_id = producer.id, .producer_epoch = 0, .base_sequence = producer.sequence});
  int64_t offset = 0;
  for (const std::string& value : producer.values) {
    writer.Add({.offset = offset++, .timestamp_ms = 1000, .value = value});
  }
  std::vector<uint8_t> batch = writer.Finish().value();
  auto header = wire::kafka::CheckBatch(batch);
  queue::ProducePart part{.where = {producer.topic, 0}, .header = *header, .batch = batch};
  io::Fiber& fiber = co_await io::ThisFiber{};
  const bool before = mirrors.MissingCopies().empty();
  const uint64_t duplicates = engine.numbers().duplicates;
  auto outcomes = co_await engine.Produce(std::span(&part, 1), queue::Acknowledge::kDurable,
                                          fiber.loop().After(kTimeout));
  // A new home that has a batch already does not know who else has it.
  const bool repeated = engine.numbers().duplicates != duplicates;
  TakeOutcome(producer, outcomes.at(0), before && !repeated && mirrors.MissingCopies().empty());
}

void MirrorsClients::TakeOutcome(Producer& producer, const queue::ProduceOutcome& outcome,
                                 bool certain) {
  switch (outcome.error) {
    case QueueError::kNone:
      world_.Record(producer.topic, certain ? "acknowledged" : "acknowledged alone",
                    static_cast<uint64_t>(outcome.base_offset), producer.values.size());
      for (size_t i = 0; i < producer.values.size(); ++i) {
        oracle_.Acknowledged(producer.topic, outcome.base_offset + static_cast<int64_t>(i),
                             producer.values[i], certain);
      }
      producer.sequence += static_cast<int32_t>(producer.values.size());
      producer.values.clear();
      return;
    case QueueError::kOutOfOrderSequence:
    case QueueError::kDuplicateSequence:
      // The home lacks what another one has acknowledged alone.
      if (!oracle_.has_lost_any(producer.topic)) {
        world_.Fail(fmt::format("{} was refused: {}", producer.values[0], outcome.message));
      }
      oracle_.MayRepeat(producer.topic);
      producer.id = -1;
      return;
    default:
      return;  // tried again
  }
}

}  // namespace meridian::sim
