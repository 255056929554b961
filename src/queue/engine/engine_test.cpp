// The engine on a simulated disk: what it accepts, what can be read, and what a restart finds.
#include "queue/engine/engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "io/scope.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/engine_fixture.hpp"
#include "queue/state/epoch_history.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/refusal.hpp"
#include "store/limits.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
namespace {

constexpr TopicPartition kOrders{"orders", 0};

TEST_F(EngineTest, RecordsAreReadAtTheirOffsetsAlsoAfterAPowerFailure) {
  RunAndCrash([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders", 2);
    EXPECT_EQ(co_await MustProduce(engine, kOrders, {"a", "b"}), 0);
    EXPECT_EQ(co_await MustProduce(engine, kOrders, {"c"}), 2);
    EXPECT_EQ(co_await MustProduce(engine, {"orders", 1}, {"z"}), 0);
    EXPECT_EQ(co_await Values(engine, kOrders), "a b c ");
    EXPECT_EQ(co_await Values(engine, kOrders, 1), "b c ");
  });
  Run([](Engine& engine, Machine&) -> Task<void> {
    EXPECT_EQ(co_await Values(engine, kOrders), "a b c ");
    EXPECT_EQ(co_await Values(engine, {"orders", 1}), "z ");
    EXPECT_EQ(co_await MustProduce(engine, kOrders, {"d"}), 3);
    EXPECT_EQ(co_await Values(engine, kOrders, 3), "d ");
    EXPECT_EQ(co_await Values(engine, kOrders, 5), "offset out of range");
    EXPECT_EQ(co_await Values(engine, kOrders, -1), "offset out of range");
    EXPECT_EQ(co_await Values(engine, {"orders", 2}), "unknown topic or partition");
  });
}

TEST_F(EngineTest, CheckpointReplacesTheJournalBelowIt) {
  RunAndCrash([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders");
    co_await MustProduce(engine, kOrders, {"a", "b"}, {.id = 5, .epoch = 0, .sequence = 0});
    std::vector<OffsetToCommit> offsets = {{kOrders, {.offset = 1, .metadata = "half"}}};
    EXPECT_EQ((co_await engine.CommitOffsets("billing", offsets)).at(0), QueueError::kNone);
    EXPECT_TRUE(co_await engine.CheckpointNow());
    co_await MustProduce(engine, kOrders, {"c"}, {.id = 5, .epoch = 0, .sequence = 2});
  });
  Run([](Engine& engine, Machine&) -> Task<void> {
    EXPECT_EQ(co_await Values(engine, kOrders), "a b c ");
    EXPECT_EQ(engine.FindCommitted("billing", kOrders)->metadata, "half");
    // A batch of before the checkpoint, and one of after it.
    TestProducer again{.id = 5, .epoch = 0, .sequence = 0};
    EXPECT_EQ(co_await MustProduce(engine, kOrders, {"a", "b"}, again), 0);
    again.sequence = 2;
    EXPECT_EQ(co_await MustProduce(engine, kOrders, {"c"}, again), 2);
    EXPECT_EQ(engine.numbers().duplicates, 2U);
    EXPECT_EQ(co_await Values(engine, kOrders), "a b c ");
  });
}

TEST_F(EngineTest, SeveralCheckpointsAndCrashesLoseNothing) {
  std::string expected;
  for (int life = 0; life < 6; ++life) {
    RunAndCrash([&expected, life](Engine& engine, Machine&) -> Task<void> {
      if (life == 0) co_await MustCreate(engine, "orders");
      EXPECT_EQ(co_await Values(engine, kOrders), expected);
      for (int i = 0; i < 10; ++i) {
        std::string value = std::to_string(100 * life + i);
        co_await MustProduce(engine, kOrders, {value});
        expected += value + " ";
        if (i == 4 && life % 2 == 0) EXPECT_TRUE(co_await engine.CheckpointNow());
      }
    });
  }
  Run([&expected](Engine& engine, Machine&) -> Task<void> {
    EXPECT_EQ(co_await Values(engine, kOrders), expected);
  });
}

TEST_F(EngineTest, BatchesOfOneCallAreAppendedInOrderAndAnsweredOneByOne) {
  Run([](Engine& engine, Machine& machine) -> Task<void> {
    co_await MustCreate(engine, "orders", 2);
    std::vector<std::vector<uint8_t>> batches = {BatchOf({"a"}), BatchOf({"b"}), BatchOf({"c"})};
    std::vector<ProducePart> parts;
    std::vector<TopicPartition> where = {kOrders, {"orders", 9}, kOrders};
    for (size_t i = 0; i < batches.size(); ++i) {
      parts.push_back({where[i], *wire::kafka::CheckBatch(batches[i]), batches[i]});
    }
    auto outcomes =
        co_await engine.Produce(parts, Acknowledge::kDurable, machine.loop.After(seconds{10}));
    EXPECT_EQ(outcomes.at(0).base_offset, 0);
    EXPECT_EQ(outcomes.at(1).error, QueueError::kUnknownTopicOrPartition);
    EXPECT_EQ(outcomes.at(2).base_offset, 1);
    EXPECT_EQ(engine.numbers().bytes_in_flight, 0U);
    EXPECT_EQ(co_await Values(engine, kOrders), "a c ");
  });
}

TEST_F(EngineTest, BatchesThatCannotBeAcceptedAreRefused) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders", 1, {{"max.message.bytes", "1024"}});
    ProduceOutcome outcome = co_await Produce(engine, kOrders, BatchOf({std::string(2000, 'x')}));
    EXPECT_EQ(outcome.error, QueueError::kMessageTooLarge);
    co_await MustProduce(engine, kOrders, {"a"}, {.id = 1, .epoch = 1, .sequence = 0});
    outcome = co_await Produce(engine, kOrders, BatchOf({"b"}, {1, 1, 5}));
    EXPECT_EQ(outcome.error, QueueError::kOutOfOrderSequence);
    outcome = co_await Produce(engine, kOrders, BatchOf({"b"}, {1, 0, 1}));
    EXPECT_EQ(outcome.error, QueueError::kInvalidProducerEpoch);
    EXPECT_EQ(engine.numbers().produce_refusals, 3U);
    EXPECT_EQ(engine.numbers().bytes_in_flight, 0U);
    EXPECT_EQ(co_await Values(engine, kOrders), "a ");
  });
}

// They pushed out the producers that had asked for theirs.
TEST_F(EngineTest, ProducerIdsThatNobodyWasGivenMakeNoState) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders");
    int64_t id = (co_await engine.NewProducerId()).value();
    co_await MustProduce(engine, kOrders, {"a"}, {.id = id, .epoch = 0, .sequence = 0});
    for (int64_t made_up : {id + 1, id + kProducerIdBlock, INT64_MAX}) {
      ProduceOutcome outcome = co_await Produce(engine, kOrders, BatchOf({"b"}, {made_up, 0, 0}));
      EXPECT_EQ(outcome.error, QueueError::kUnknownProducerId);
      EXPECT_EQ(outcome.log_start_offset, 0) << "clients look at it";
    }
    EXPECT_EQ(engine.numbers().producers, 1U);
    EXPECT_EQ(co_await Values(engine, kOrders), "a ");
  });
}

TEST_F(EngineTest, LogAppendTimeIsSetByTheEngine) {
  Run([](Engine& engine, Machine& machine) -> Task<void> {
    co_await MustCreate(engine, "orders", 1, {{"message.timestamp.type", "LogAppendTime"}});
    ProduceOutcome outcome = co_await Produce(engine, kOrders, BatchOf({"a"}));
    int64_t now = std::chrono::floor<milliseconds>(machine.loop.Wall()).time_since_epoch().count();
    EXPECT_NEAR(static_cast<double>(outcome.append_time_ms), static_cast<double>(now), 1000.0);
    auto found = co_await engine.ListOffset(kOrders, outcome.append_time_ms);
    EXPECT_EQ((*found)->timestamp_ms, outcome.append_time_ms);
  });
}

TEST_F(EngineTest, FullDiskRefusesProducersAndServesReadersUntilThereIsRoom) {
  Run([this](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders");
    co_await MustProduce(engine, kOrders, {"a"});
    FillDisk();
    // The first one finds the disk full; the answer comes at its deadline.
    ProduceOutcome outcome = co_await Produce(engine, kOrders, BatchOf({"b"}), seconds{1});
    EXPECT_EQ(outcome.error, QueueError::kStorage) << outcome.message;
    outcome = co_await Produce(engine, kOrders, BatchOf({"x"}), seconds{1});
    EXPECT_EQ(outcome.error, QueueError::kStorage);
    EXPECT_EQ(co_await Values(engine, kOrders), "a ");
    MakeRoom();
    (void)co_await io::Sleep(seconds{5});
    co_await MustProduce(engine, kOrders, {"c"});
    // The first one was appended, and became durable late.
    EXPECT_EQ(co_await Values(engine, kOrders), "a b c ");
    EXPECT_GE(engine.numbers().storage_refusals, 1U);
  });
}

TEST_F(EngineTest, ProducersAreHeldBackWhileTooMuchIsInFlight) {
  options_.max_in_flight_bytes = 300;
  Run([](Engine& engine, Machine& machine) -> Task<void> {
    co_await MustCreate(engine, "orders");
    io::Scope scope(machine.loop);
    std::vector<int64_t> offsets(20, -1);
    size_t max_in_flight = 0;
    auto produce = [&](size_t i) -> Task<void> {
      offsets[i] = co_await MustProduce(engine, kOrders, {std::string(100, 'x')});
      max_in_flight = std::max(max_in_flight, size_t{engine.numbers().bytes_in_flight});
    };
    for (size_t i = 0; i < offsets.size(); ++i) scope.Spawn(produce(i));
    co_await scope.Join();
    for (size_t i = 0; i < offsets.size(); ++i) EXPECT_EQ(offsets[i], static_cast<int64_t>(i));
    EXPECT_LE(max_in_flight, 300U);
    EXPECT_EQ(engine.numbers().bytes_in_flight, 0U);
  });
}

TEST_F(EngineTest, ReaderIsWokenWhenEnoughWasAdded) {
  Run([](Engine& engine, Machine& machine) -> Task<void> {
    co_await MustCreate(engine, "orders", 2);
    std::vector<SeenPartition> seen = {{kOrders, 0}, {{"orders", 1}, 0}};
    TimePoint deadline = machine.loop.After(seconds{5});
    EXPECT_FALSE(co_await engine.AwaitData(seen, 1, deadline));
    EXPECT_GE(machine.loop.Now(), deadline);
    io::Scope scope(machine.loop);
    int woken = 0;
    auto wait = [&](size_t min_bytes) -> Task<void> {
      EXPECT_TRUE(co_await engine.AwaitData(seen, min_bytes, machine.loop.After(seconds{60})));
      ++woken;
    };
    scope.Spawn(wait(1));
    scope.Spawn(wait(1000));
    (void)co_await io::Sleep(milliseconds{1});
    co_await MustProduce(engine, {"orders", 1}, {"a"});
    (void)co_await io::Sleep(milliseconds{1});
    EXPECT_EQ(woken, 1);
    co_await MustProduce(engine, kOrders, {std::string(1000, 'x')});
    co_await scope.Join();
    EXPECT_EQ(woken, 2);
    EXPECT_TRUE(co_await engine.AwaitData(seen, 1000, deadline)) << "there is more already";
  });
}

TEST_F(EngineTest, TopicsAreCreatedExtendedConfiguredAndDeleted) {
  RunAndCrash([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders", 1, {{"retention.ms", "60000"}});
    co_await MustCreate(engine, "gone", 3);
    co_await MustProduce(engine, {"gone", 1}, {"x"});
    EXPECT_TRUE(co_await engine.AddPartitions("orders", 4));
    EXPECT_TRUE(co_await engine.ConfigureTopic("orders", {{"retention.ms", "-1"}}));
    EXPECT_EQ(*co_await engine.TakeOver({.topics = {"orders"}}), NextEpoch(0, 0));
    EXPECT_TRUE(co_await engine.DeleteTopic("gone"));
    co_await MustProduce(engine, {"orders", 3}, {"a"});
    // The folder goes when the record is durable.
    (void)co_await io::Sleep(seconds{1});
  });
  EXPECT_FALSE(disk().List("queue/topics/2/1").has_value() &&
               !disk().List("queue/topics/2/1")->empty());
  Run([](Engine& engine, Machine&) -> Task<void> {
    auto orders = engine.FindTopic("orders");
    EXPECT_TRUE(orders.has_value());
    if (!orders) co_return;
    EXPECT_EQ(orders->partitions, 4U);
    EXPECT_EQ(orders->config.retention_ms, -1);
    EXPECT_EQ(orders->leader_epoch, NextEpoch(0, 0));
    EXPECT_EQ(engine.Topics().size(), 1U);
    EXPECT_EQ(co_await Values(engine, {"orders", 3}), "a ");
    EXPECT_FALSE(engine.FindTopic("gone"));
    // A topic of the same name is another one.
    co_await MustCreate(engine, "gone");
    EXPECT_EQ(co_await Values(engine, {"gone", 0}), "");
  });
}

TEST_F(EngineTest, ChangesOfTopicsThatAreNotAllowedAreRefused) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders", 2);
    auto error = [&](NewTopic topic) -> Task<QueueError> {
      auto made = co_await engine.CreateTopic(topic);
      co_return made ? QueueError::kNone : made.error().error;
    };
    EXPECT_EQ(co_await error({.name = "orders"}), QueueError::kTopicExists);
    EXPECT_EQ(co_await error({.name = "a/b"}), QueueError::kInvalidTopicName);
    EXPECT_EQ(co_await error({.name = "a", .partitions = 0}), QueueError::kInvalidPartitions);
    EXPECT_EQ(co_await error({.name = "a", .partitions = kMaxPartitions - 1}),
              QueueError::kTooManyPartitions);
    EXPECT_EQ(co_await error({.name = "a", .overrides = {{"x", "y"}}}), QueueError::kInvalidConfig);
    EXPECT_EQ(co_await error({.name = "a", .validate_only = true}), QueueError::kNone);
    EXPECT_EQ(engine.Topics().size(), 1U);
    EXPECT_EQ((co_await engine.AddPartitions("orders", 2)).error().error,
              QueueError::kInvalidPartitions);
    EXPECT_EQ((co_await engine.AddPartitions("orders", kMaxPartitions + 1)).error().error,
              QueueError::kTooManyPartitions);
    EXPECT_EQ((co_await engine.ConfigureTopic("orders", {{"x", "y"}})).error().error,
              QueueError::kInvalidConfig);
    EXPECT_EQ((co_await engine.DeleteTopic("a")).error().error,
              QueueError::kUnknownTopicOrPartition);
    EXPECT_EQ((co_await engine.TakeOver({.topics = {"a"}})).error().error,
              QueueError::kUnknownTopicOrPartition);
  });
}

TEST_F(EngineTest, OffsetsAreFoundByTimeAndEpoch) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders");
    EXPECT_FALSE((co_await engine.ListOffset(kOrders, 5))->has_value());
    (void)co_await Produce(engine, kOrders, BatchOf({"a", "b"}, {}, 1000));
    EXPECT_TRUE(co_await engine.TakeOver({.topics = {"orders"}}));
    (void)co_await Produce(engine, kOrders, BatchOf({"c"}, {}, 3000));
    (void)co_await Produce(engine, kOrders, BatchOf({"d"}, {}, 2000));
    EXPECT_EQ((*co_await engine.ListOffset(kOrders, kLatestOffset))->offset, 4);
    EXPECT_EQ((*co_await engine.ListOffset(kOrders, kEarliestOffset))->offset, 0);
    EXPECT_EQ((*co_await engine.ListOffset(kOrders, kMaxTimestamp))->offset, 2);
    EXPECT_EQ((*co_await engine.ListOffset(kOrders, 1001))->offset, 2);
    EXPECT_FALSE((co_await engine.ListOffset(kOrders, 9000))->has_value());
    EXPECT_EQ((co_await engine.ListOffset(kOrders, kLatestOffset, 0)).error().error,
              QueueError::kFencedLeaderEpoch);
    EXPECT_EQ(
        (co_await engine.ListOffset(kOrders, kLatestOffset, NextEpoch(0, 0) + 1)).error().error,
        QueueError::kUnknownLeaderEpoch);
    EXPECT_EQ(*engine.EndOfEpoch(kOrders, 0), (EpochEnd{0, 2}));
    EXPECT_EQ(*engine.EndOfEpoch(kOrders, NextEpoch(0, 0)), (EpochEnd{NextEpoch(0, 0), 4}));
  });
}

TEST_F(EngineTest, DeletedRecordsStayDeleted) {
  RunAndCrash([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders");
    for (const char* value : {"a", "b", "c"}) co_await MustProduce(engine, kOrders, {value});
    EXPECT_EQ((co_await engine.DeleteRecords(kOrders, 4)).error().error,
              QueueError::kOffsetOutOfRange);
    EXPECT_EQ(*co_await engine.DeleteRecords(kOrders, 2), 2);
    EXPECT_EQ(*co_await engine.DeleteRecords(kOrders, 1), 2);
    EXPECT_EQ(co_await Values(engine, kOrders, 1), "offset out of range");
    EXPECT_TRUE(co_await engine.CheckpointNow());
    co_await MustProduce(engine, kOrders, {"d"});
    EXPECT_EQ(*co_await engine.DeleteRecords(kOrders, kLatestOffset), 4);
  });
  Run([](Engine& engine, Machine&) -> Task<void> {
    EXPECT_EQ((*co_await engine.ListOffset(kOrders, kEarliestOffset))->offset, 4);
    EXPECT_EQ(co_await MustProduce(engine, kOrders, {"e"}), 4);
    EXPECT_EQ(co_await Values(engine, kOrders, 4), "e ");
    EXPECT_EQ(engine.numbers().damaged_partitions, 0U);
  });
}

TEST_F(EngineTest, CommittedOffsetsOutliveAPowerFailure) {
  RunAndCrash([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders", 2);
    std::vector<OffsetToCommit> offsets = {
        {kOrders, {.offset = 7}},
        {{"orders", 9}, {.offset = 1}},
        {{"orders", 1}, {.offset = 1, .metadata = std::string(kMaxOffsetMetadataBytes + 1, 'm')}}};
    auto errors = co_await engine.CommitOffsets("billing", offsets);
    EXPECT_EQ(errors.at(0), QueueError::kNone);
    EXPECT_EQ(errors.at(1), QueueError::kUnknownTopicOrPartition);
    EXPECT_EQ(errors.at(2), QueueError::kOffsetMetadataTooLarge);
    EXPECT_EQ((co_await engine.CommitOffsets("", offsets)).at(0), QueueError::kInvalidGroup);
    offsets.resize(1);
    EXPECT_EQ((co_await engine.CommitOffsets("other", offsets)).at(0), QueueError::kNone);
    EXPECT_TRUE(co_await engine.DeleteOffsets("other", {}));
    // More than fits into a record of the journal, where a request names a partition again and
    // again.
    EXPECT_EQ((co_await engine.CommitOffsets("other", offsets)).at(0), QueueError::kNone);
    const std::vector<TopicPartition> repeats(store::kMaxRecordBytes, kOrders);
    EXPECT_TRUE(co_await engine.DeleteOffsets("other", repeats));
    EXPECT_EQ((co_await engine.DeleteOffsets("other", {})).error().error,
              QueueError::kGroupNotFound);
  });
  Run([](Engine& engine, Machine&) -> Task<void> {
    EXPECT_EQ(engine.GroupsWithOffsets(), std::vector<std::string>{"billing"});
    EXPECT_EQ(engine.CommittedOffsets("billing").at(0).topic, "orders");
    EXPECT_EQ(engine.FindCommitted("billing", kOrders)->offset, 7);
    EXPECT_FALSE(engine.FindCommitted("billing", {"orders", 1}));
    EXPECT_TRUE(co_await engine.DeleteTopic("orders"));
    EXPECT_TRUE(engine.GroupsWithOffsets().empty());
  });
}

TEST_F(EngineTest, ProducerIdsAreNeverGivenTwice) {
  int64_t last = -1;
  for (int life = 0; life < 3; ++life) {
    RunAndCrash([&last](Engine& engine, Machine&) -> Task<void> {
      for (int64_t i = 0; i < kProducerIdBlock / 2 + 1; ++i) {
        auto id = co_await engine.NewProducerId();
        EXPECT_TRUE(id && *id > last);
        if (id) last = *id;
      }
    });
  }
  EXPECT_GE(last, 3 * kProducerIdBlock / 2);
}

TEST_F(EngineTest, DeletionOfATopicEndsTheWaitsForIt) {
  Run([this](Engine& engine, Machine& machine) -> Task<void> {
    co_await MustCreate(engine, "orders");
    io::Scope scope(machine.loop);
    std::vector<SeenPartition> seen = {{kOrders, 0}};
    auto wait = [&]() -> Task<void> {
      EXPECT_TRUE(co_await engine.AwaitData(seen, 1, machine.loop.After(seconds{60})));
    };
    scope.Spawn(wait());
    auto produce = [&]() -> Task<void> {
      ProduceOutcome outcome = co_await Produce(engine, kOrders, BatchOf({"a"}));
      EXPECT_EQ(outcome.error, QueueError::kUnknownTopicOrPartition);
    };
    disk().faults.latency = milliseconds{50};
    scope.Spawn(produce());
    (void)co_await io::Sleep(milliseconds{10});
    EXPECT_TRUE(co_await engine.DeleteTopic("orders"));
    co_await scope.Join();
    EXPECT_EQ(engine.numbers().partitions, 0U);
  });
}

}  // namespace
}  // namespace meridian::queue
