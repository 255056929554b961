// For tests: a machine whose disk loses and tears what was not synced, and an engine on it; batches
// with texts as values; and reading them back.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "io/scope.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/engine.hpp"
#include "store/limits.hpp"
#include "wire/kafka/batch_writer.hpp"
#include "wire/kafka/record_batch.hpp"
#include "wire/kafka/record_reader.hpp"

namespace meridian::queue {

using io::Task;
using io::sim::CrashKind;
using io::sim::Machine;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct TestProducer {
  int64_t id = -1;
  int16_t epoch = -1;
  int32_t sequence = -1;
};

// A batch of the values, as a producer sends it.
inline std::vector<uint8_t> BatchOf(const std::vector<std::string>& values,
                                    TestProducer producer = {}, int64_t timestamp_ms = 1000) {
  wire::kafka::BatchWriter writer({.producer_id = producer.id,
                                   .producer_epoch = producer.epoch,
                                   .base_sequence = producer.sequence});
  int64_t offset = 0;
  for (const std::string& value : values) {
    writer.Add({.offset = offset++, .timestamp_ms = timestamp_ms, .key = "k", .value = value});
  }
  return writer.Finish().value();
}

// Each Run is one life of a program on the same machine.
class EngineTest : public testing::Test {
 protected:
  using Use = std::function<Task<void>(Engine&, Machine&)>;

  void Run(Use use) {
    use_ = std::move(use);
    if (process_ == nullptr) {
      process_ = &world_.AddProcess(
          {.name = "queue", .address = IpAddress::V4(10, 0, 0, 1), .must_end = true},
          [this](Machine& machine) { return Main(machine); });
    } else {
      process_->Restart();
    }
    world_.RunToEnd(world_.now() + std::chrono::hours{24 * 30});
    ASSERT_EQ(world_.failure(), std::nullopt);
  }
  // As Run, and the machine loses power at the end.
  void RunAndCrash(Use use) {
    Run(std::move(use));
    process_->Crash(CrashKind::kMachine);
    disk().LoseUnsynced();
  }
  io::sim::DiskImage& disk() { return process_->disk(); }
  void FillDisk() { disk().faults.capacity_bytes = disk().used_bytes(); }
  void MakeRoom() { disk().faults.capacity_bytes = UINT64_MAX; }

 public:
  static Task<ProduceOutcome> Produce(Engine& engine, TopicPartition where,
                                      std::vector<uint8_t> batch,
                                      Duration timeout = std::chrono::minutes{1}) {
    io::Fiber& fiber = co_await io::ThisFiber{};
    auto header = wire::kafka::CheckBatch(batch);
    EXPECT_TRUE(header) << header.error().message;
    if (!header) co_return ProduceOutcome{.error = QueueError::kUnsupportedBatch};
    ProducePart part{.where = where, .header = *header, .batch = batch};
    auto outcomes = co_await engine.Produce(std::span(&part, 1), Acknowledge::kDurable,
                                            fiber.loop().After(timeout));
    co_return outcomes.at(0);
  }
  // The base offset, or -1 and a failure of the test.
  static Task<int64_t> MustProduce(Engine& engine, TopicPartition where,
                                   std::vector<std::string> values, TestProducer producer = {}) {
    ProduceOutcome outcome = co_await Produce(engine, where, BatchOf(values, producer));
    EXPECT_EQ(outcome.error, QueueError::kNone) << outcome.message;
    co_return outcome.base_offset;
  }
  static Task<void> MustCreate(Engine& engine, std::string name, uint32_t partitions = 1,
                               TopicOverrides overrides = {}) {
    auto made = co_await engine.CreateTopic(
        {.name = std::move(name), .partitions = partitions, .overrides = std::move(overrides)});
    EXPECT_TRUE(made) << made.error().message;
  }
  // All values from `offset` on, with spaces between, or the error's name.
  static Task<std::string> Values(Engine& engine, TopicPartition where, int64_t offset = 0) {
    std::string text;
    for (;;) {
      auto view = co_await engine.Fetch({.where = where, .offset = offset}, 1000);
      if (!view) co_return text + std::string(QueueErrorName(view.error().error));
      if (view->range.bytes == 0) co_return text;
      std::vector<uint8_t> bytes(view->range.bytes);
      auto got = co_await view->range.file->ReadAt(view->range.position, bytes);
      EXPECT_EQ(got.value(), bytes.size());
      for (Bytes rest = bytes; !rest.empty();) {
        auto header = wire::kafka::ReadBatchHeader(rest);
        EXPECT_TRUE(header) << header.error().message;
        if (!header) co_return text;
        text += ValuesOf(rest.first(header->bytes), offset);
        rest = rest.subspan(header->bytes);
      }
      offset = view->range.next_offset;
    }
  }
  static std::string ValuesOf(Bytes batch, int64_t from) {
    auto reader = wire::kafka::RecordReader::Open(batch);
    std::string text;
    wire::kafka::Record record;
    while (reader && reader->Next(&record)) {
      if (record.offset >= from) text += std::string(record.value.value_or("null")) + " ";
    }
    return text;
  }

 protected:
  EngineOptions options_{.folder = "queue",
                         .journal_id = 7,
                         .random_seed = 7,
                         .first_producer_id = 1000,  // tests make up lower ones
                         .topic_defaults = {.retention_ms = -1},
                         .checkpoint_interval = std::chrono::hours{24 * 365},
                         .headroom_bytes = 0};
  io::sim::World world_{1};

 private:
  Task<void> Main(Machine& machine) {
    HybridClock clock(machine.loop.driver(), seconds{5});
    auto engine = co_await Engine::Open(machine.loop, machine.disk, clock, options_);
    EXPECT_TRUE(engine) << engine.error().message;
    if (!engine) co_return;
    co_await use_(**engine, machine);
    co_await (*engine)->Close();
  }

  Use use_;
  io::sim::SimProcess* process_ = nullptr;
};

}  // namespace meridian::queue
