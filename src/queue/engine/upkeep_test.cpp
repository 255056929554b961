// What the engine does by itself: retention, compaction, expiry of offsets; and what a start makes
// of a crash within it.
#include "queue/engine/upkeep.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "io/wait_queue.hpp"
#include "queue/engine/engine.hpp"
#include "queue/engine/engine_fixture.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/refusal.hpp"

namespace meridian::queue {
namespace {

constexpr TopicPartition kOrders{"orders", 0};

class UpkeepTest : public EngineTest {
 protected:
  UpkeepTest() { options_.topic_defaults.segment_bytes = 1000; }

  static Task<void> ProduceMany(Engine& engine, int count) {
    for (int i = 0; i < count; ++i) co_await MustProduce(engine, kOrders, {std::string(100, 'x')});
  }
  static Task<int64_t> LogStart(Engine& engine) {
    auto start = co_await engine.ListOffset(kOrders, kEarliestOffset);
    co_return (*start)->offset;
  }
  int EmptyFiles() {
    auto files = disk().ListSizes("queue/topics/1/0");
    return static_cast<int>(std::ranges::count_if(*files, [](const io::ListedFile& file) {
      return file.bytes == 0 && file.name.ends_with(".log");
    }));
  }
  static Task<void> Pass(int passes = 1) {
    (void)co_await io::Sleep(passes * kUpkeepInterval + seconds{1});
  }
};

TEST_F(UpkeepTest, OldestSegmentsGoBySizeAndStayGone) {
  int64_t log_start = 0;
  RunAndCrash([&log_start](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders", 1, {{"retention.bytes", "2000"}});
    co_await ProduceMany(engine, 20);
    EXPECT_TRUE(co_await engine.CheckpointNow());
    co_await Pass();
    log_start = co_await LogStart(engine);
    EXPECT_GT(log_start, 0);
    EXPECT_LT(log_start, 20);
  });
  Run([&log_start](Engine& engine, Machine&) -> Task<void> {
    EXPECT_EQ(co_await LogStart(engine), log_start);
    EXPECT_EQ(engine.numbers().damaged_partitions, 0U);
    EXPECT_EQ(co_await MustProduce(engine, kOrders, {"next"}), 20);
  });
}

TEST_F(UpkeepTest, RecordsGoByAge) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    // The records of the fixture are of 1970.
    co_await MustCreate(engine, "orders", 1, {{"retention.ms", "60000"}});
    co_await ProduceMany(engine, 20);
    co_await Pass();
    EXPECT_EQ(co_await LogStart(engine), 20);
    EXPECT_EQ(co_await MustProduce(engine, kOrders, {"next"}), 20);
  });
}

TEST_F(UpkeepTest, RetentionMakesRoomOnAFullDiskAndACrashThenIsNoDamage) {
  RunAndCrash([this](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders");
    co_await ProduceMany(engine, 20);
    EXPECT_TRUE(co_await engine.CheckpointNow());
    EXPECT_TRUE(co_await engine.ConfigureTopic("orders", {{"retention.bytes", "2000"}}));
    FillDisk();
    ProduceOutcome outcome = co_await Produce(engine, kOrders, BatchOf({"a"}), seconds{1});
    EXPECT_EQ(outcome.error, QueueError::kStorage);
    uint64_t used = disk().used_bytes();
    co_await Pass();
    EXPECT_LT(disk().used_bytes(), used);
    EXPECT_GT(co_await LogStart(engine), 0);
    MakeRoom();
  });
  // A start whose process ends before retention runs once more.
  Run([](Engine& engine, Machine&) -> Task<void> {
    EXPECT_EQ(engine.numbers().damaged_partitions, 0U);
    co_return;
  });
  Run([this](Engine& engine, Machine&) -> Task<void> {
    EXPECT_GT(co_await LogStart(engine), 0);
    EXPECT_EQ(engine.numbers().damaged_partitions, 0U);
    co_await Pass();
    EXPECT_EQ(co_await Values(engine, kOrders, 20), "a ") << "durable, late";
    EXPECT_EQ(EmptyFiles(), 0);
  });
}

// It counted as removed by retention, whoever had removed it.
TEST_F(UpkeepTest, OldestSegmentThatRetentionDidNotRemoveIsDamage) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders");
    co_await ProduceMany(engine, 20);
    EXPECT_TRUE(co_await engine.CheckpointNow());
  });
  auto files = disk().List("queue/topics/1/0");
  ASSERT_TRUE(files);
  auto oldest =
      std::ranges::find_if(*files, [](const auto& name) { return name.ends_with(".log"); });
  ASSERT_TRUE(disk().Remove("queue/topics/1/0/" + *oldest));
  Run([](Engine& engine, Machine&) -> Task<void> {
    EXPECT_EQ(engine.numbers().damaged_partitions, 1U);
    EXPECT_EQ(co_await LogStart(engine), 0);
    EXPECT_EQ(co_await Values(engine, kOrders), "storage");
    // The way on, if nobody has the messages.
    EXPECT_TRUE(co_await engine.DeleteRecords(kOrders, 15));
    EXPECT_EQ(engine.numbers().damaged_partitions, 0U);
    EXPECT_EQ(co_await LogStart(engine), 15);
  });
}

TEST_F(UpkeepTest, RetentionGoesOnWhereTheWaitForItsRecordFailed) {
  Run([this](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders", 1, {{"retention.bytes", "2000"}});
    co_await ProduceMany(engine, 20);
    // The next record does not fit any more, and is not known to fail yet.
    FillDisk();
    co_await Pass(4);
    EXPECT_GT(co_await LogStart(engine), 0);
    MakeRoom();
    co_await Pass(4);
    EXPECT_LT(disk().used_bytes(), 20'000U);
    auto files = disk().ListSizes("queue/topics/1/0");
    EXPECT_TRUE(std::ranges::none_of(*files, [](const auto& file) { return file.bytes == 0; }));
  });
}

TEST_F(UpkeepTest, DamagedSegmentIsReportedAndTheRestIsServed) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders");
    co_await ProduceMany(engine, 20);
    EXPECT_TRUE(co_await engine.CheckpointNow());
  });
  auto files = disk().List("queue/topics/1/0");
  ASSERT_TRUE(files);
  std::vector<std::string> segments;
  for (const std::string& file : *files) {
    if (file.ends_with(".log")) segments.push_back(file);
  }
  ASSERT_GE(segments.size(), 3U);
  ASSERT_TRUE(disk().Remove("queue/topics/1/0/" + segments[1]));
  Run([](Engine& engine, Machine&) -> Task<void> {
    EXPECT_EQ(engine.numbers().damaged_partitions, 1U);
    std::string values = co_await Values(engine, kOrders);
    EXPECT_TRUE(values.starts_with("xxx") && values.ends_with("storage")) << values;
    EXPECT_EQ(co_await MustProduce(engine, kOrders, {"next"}), 20);
    EXPECT_EQ(co_await Values(engine, kOrders, 20), "next ");
  });
}

TEST_F(UpkeepTest, CompactedTopicKeepsTheLastRecordOfEachKey) {
  std::string values;
  RunAndCrash([&values](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders", 1, {{"cleanup.policy", "compact"}});
    for (int i = 0; i < 30; ++i) co_await MustProduce(engine, kOrders, {std::to_string(i)});
    EXPECT_TRUE(co_await engine.CheckpointNow());
    co_await Pass();
    values = co_await Values(engine, kOrders);
    EXPECT_TRUE(values.size() < 60 && values.ends_with("28 29 ")) << values;
    // It names the files that compaction wrote, and releases the others.
    EXPECT_TRUE(co_await engine.CheckpointNow());
  });
  Run([&values](Engine& engine, Machine&) -> Task<void> {
    EXPECT_EQ(co_await Values(engine, kOrders), values);
    EXPECT_EQ(engine.numbers().damaged_partitions, 0U);
    EXPECT_EQ(co_await MustProduce(engine, kOrders, {"next"}), 30);
  });
}

TEST_F(UpkeepTest, OffsetsOfAGroupExpireWhenItHasLongBeenEmpty) {
  options_.upkeep_interval = std::chrono::hours{1};
  bool active = true;
  options_.group_is_active = [&active](std::string_view group) {
    return active && group == "billing";
  };
  Run([&active](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders");
    std::vector<OffsetToCommit> offsets = {{kOrders, {.offset = 0}}};
    for (const char* group : {"billing", "search"}) {
      EXPECT_EQ((co_await engine.CommitOffsets(group, offsets)).at(0), QueueError::kNone);
    }
    (void)co_await io::Sleep(kOffsetsRetention + std::chrono::hours{2});
    EXPECT_EQ(engine.GroupsWithOffsets(), std::vector<std::string>{"billing"});
    active = false;
    (void)co_await io::Sleep(kOffsetsRetention - std::chrono::hours{2});
    EXPECT_EQ(engine.GroupsWithOffsets().size(), 1U);
    (void)co_await io::Sleep(std::chrono::hours{4});
    EXPECT_TRUE(engine.GroupsWithOffsets().empty());
  });
}

}  // namespace
}  // namespace meridian::queue
