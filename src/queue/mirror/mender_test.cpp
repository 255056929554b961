// Queues of several data centers whose segment files lose bytes.
#include "queue/mirror/mender.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/file/disk.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine_fixture.hpp"
#include "queue/mirror/mirror_site_fixture.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/state/queue_state.hpp"

namespace meridian::queue {
namespace {

const TopicPartition kOrders{"orders", 0};

class MenderTest : public MirrorSiteTest {
 protected:
  void Start(size_t count) {
    for (NodeId id = 1; id <= count; ++id) {
      AddNode({.id = id,
               .count = count,
               .min_copies = count - 1,
               .segment_bytes = 1000,
               .check_interval = seconds{30}});
    }
    StartNodes();
    On<bool>(1, [](Engine& engine) -> Task<bool> {
      co_await EngineTest::MustCreate(engine, "orders");
      for (int i = 0; i < 100; ++i) {
        co_await EngineTest::MustProduce(engine, kOrders, {std::to_string(i)});
      }
      co_return true;
    });
    world_.RunFor(seconds{2});
    for (NodeId id = 1; id <= count; ++id) CheckpointAt(id);
    whole_ = ContentAt(1);
    for (NodeId id = 2; id <= count; ++id) ASSERT_TRUE(ContentAt(id) == whole_);
    ASSERT_GT(LogAt(1).segments().size(), 4U);
  }
  void CheckpointAt(NodeId id) {
    EXPECT_TRUE(On<bool>(id, [](Engine& engine) -> Task<bool> {
      co_return (co_await engine.CheckpointNow()).has_value();
    }));
  }
  PartitionLog& LogAt(NodeId id) {
    const Topic* topic = engine(id).durable().state().FindTopic("orders");
    return *engine(id).durable().FindPartition({topic->number, 0})->log();
  }
  std::string PathAt(NodeId id, size_t segment) {
    const SegmentPosition position = LogAt(id).segments()[segment];
    return LogAt(id).folder() + "/" + SegmentFileName(position.base_offset, position.generation);
  }
  size_t DamagedAt(NodeId id) { return engine(id).numbers().damaged_partitions; }
  // The bytes of all segment files of a node, as they are on its disk.
  std::string ContentAt(NodeId id) {
    std::string content;
    for (size_t i = 0; i < LogAt(id).segments().size(); ++i) content += FileAt(id, PathAt(id, i));
    return content;
  }
  std::string FileAt(NodeId id, const std::string& path) {
    auto inode = disk(id).Open(path, io::OpenMode::kRead);
    return inode ? (*inode)->content : "(missing)";
  }
  static std::string AllValues() {
    std::string text;
    for (int i = 0; i < 100; ++i) text += std::to_string(i) + " ";
    return text;
  }
  void KillAndRestart(NodeId id) {
    Kill(id);
    Restart(id);
  }
  void Flip(NodeId id, size_t segment, uint64_t byte) {
    disk(id).FlipBit(PathAt(id, segment), byte * 8);
  }
  void ExpectMended(NodeId id) {
    EXPECT_EQ(DamagedAt(id), 0U);
    EXPECT_TRUE(ContentAt(id) == whole_) << "node " << id;
    EXPECT_EQ(node(id).mirrors()->RepairProblem(), "");
  }

  std::string whole_;
};

TEST_F(MenderTest, FileThatIsMissingAtTheHomeIsFoundAtAStartAndRepaired) {
  Start(2);
  const std::string path = PathAt(1, 1);
  disk(1).Lose(path);
  KillAndRestart(1);
  ExpectMended(1);
  EXPECT_EQ(engine(1).numbers().repaired_segments, 1U);
  EXPECT_EQ(Values(1), AllValues());
}

TEST_F(MenderTest, FileThatIsTooShortAtAMirrorIsRepairedFromTheHome) {
  Start(2);
  disk(2).Shorten(PathAt(2, 2), 100);
  KillAndRestart(2);
  ExpectMended(2);
}

TEST_F(MenderTest, FlippedBytesThatNobodyReadsAreFoundByTheRegularCheck) {
  Start(2);
  Flip(1, 1, 80);
  Flip(2, 3, 7);  // of a base offset, which no checksum covers
  world_.RunFor(seconds{70});
  ExpectMended(1);
  ExpectMended(2);
  EXPECT_GT(engine(1).numbers().checked_segment_bytes, 0U);
}

TEST_F(MenderTest, ReadThatFailsAtTheHomeIsAnsweredAgainSoonAfter) {
  Start(2);
  KillAndRestart(1);
  Flip(1, 1, 16);  // the first header of a segment
  const int64_t offset = LogAt(1).segments()[1].base_offset;
  auto read = [offset](Engine& engine) { return EngineTest::Values(engine, kOrders, offset); };
  EXPECT_EQ(On<std::string>(1, read), "storage");
  world_.RunFor(seconds{2});
  EXPECT_TRUE(On<std::string>(1, read).starts_with(std::to_string(offset) + " "));
  ExpectMended(1);
}

TEST_F(MenderTest, DamageAtTheSamePlaceOfBothIsReportedUntilOneIsRepaired) {
  Start(2);
  const std::string path = PathAt(1, 1);
  const std::string before = FileAt(2, PathAt(2, 1));
  Flip(1, 1, 80);
  Flip(2, 1, 90);
  world_.RunFor(seconds{90});
  EXPECT_EQ(DamagedAt(1), 1U);
  EXPECT_EQ(DamagedAt(2), 1U);
  EXPECT_NE(node(1).mirrors()->RepairProblem().find("KAFKA_STORAGE_ERROR"), std::string::npos)
      << node(1).mirrors()->RepairProblem();
  // Reads elsewhere go on.
  const int64_t behind = LogAt(1).segments()[2].base_offset;
  EXPECT_TRUE(On<std::string>(1, [behind](Engine& engine) {
                return EngineTest::Values(engine, kOrders, behind);
              }).ends_with("99 "));
  // An operator brings one file back.
  (*disk(2).Open(PathAt(2, 1), io::OpenMode::kRead))->content = before;
  (*disk(2).Open(PathAt(2, 1), io::OpenMode::kRead))->durable = before;
  world_.RunFor(std::chrono::minutes{6});
  ExpectMended(1);
  ExpectMended(2);
}

TEST_F(MenderTest, AnotherMirrorHelpsWhenTheHomeIsDamagedAtTheSamePlace) {
  Start(3);
  Flip(1, 1, 80);
  Flip(2, 1, 80);
  world_.RunFor(seconds{90});
  ExpectMended(1);
  ExpectMended(2);
}

TEST_F(MenderTest, RepairsGoOnWhenTheHomeHasMoved) {
  Start(2);
  world_.fabric().CutBothWays(0, 1, true);
  auto promoted = On<bool>(2, [this](Engine&) -> Task<bool> {
    co_return (co_await node(2).mirrors()->Promote({.all = true})).has_value();
  });
  ASSERT_TRUE(promoted);
  world_.fabric().CutBothWays(0, 1, false);
  world_.RunFor(seconds{20});
  EXPECT_EQ(engine(1).FindTopic("orders")->home, 2U);
  Flip(1, 1, 80);
  Flip(2, 3, 80);
  world_.RunFor(seconds{90});
  ExpectMended(1);
  ExpectMended(2);
}

TEST_F(MenderTest, CopyUnderAnotherLeaderEpochAnswersNoRepairer) {
  Start(2);
  auto fetch = [](int32_t epoch, FetchAs as) {
    return [epoch, as](Engine& engine) -> Task<QueueError> {
      auto view = co_await engine.Fetch({.where = kOrders, .leader_epoch = epoch, .as = as}, 1000);
      co_return view ? QueueError::kNone : view.error().error;
    };
  };
  EXPECT_EQ(On<QueueError>(2, fetch(-1, FetchAs::kMirror)), QueueError::kNotHome);
  EXPECT_EQ(On<QueueError>(2, fetch(-1, FetchAs::kRepairer)), QueueError::kFencedLeaderEpoch);
  EXPECT_EQ(On<QueueError>(2, fetch(0, FetchAs::kRepairer)), QueueError::kNone);
  EXPECT_EQ(On<QueueError>(2, fetch(99, FetchAs::kRepairer)), QueueError::kUnknownLeaderEpoch);
}

TEST_F(MenderTest, DataCenterThatIsCutOffRepairsAfterwards) {
  Start(2);
  world_.fabric().CutBothWays(0, 1, true);
  Flip(1, 1, 80);
  world_.RunFor(seconds{120});
  EXPECT_EQ(DamagedAt(1), 1U);
  EXPECT_NE(node(1).mirrors()->RepairProblem(), "");
  world_.fabric().CutBothWays(0, 1, false);
  world_.RunFor(std::chrono::minutes{6});
  ExpectMended(1);
}

TEST_F(MenderTest, CrashesInTheMidstOfRepairsLeaveNothingWrong) {
  Start(2);
  for (uint64_t iterations = 1; iterations < 60; iterations += 3) {
    disk(1).Lose(PathAt(1, 1));
    Flip(1, 2, 80);
    KillAndRestart(1);
    // The damage may be repaired already; then the next crash hits nothing.
    process(1).CrashAfterIterations(iterations, CrashKind::kMachine);
    world_.RunFor(seconds{2});
    disk(1).LoseUnsynced();
    process(1).Restart();
    world_.RunFor(seconds{90});
    ASSERT_NE(node(1).engine(), nullptr);
    ExpectMended(1);
  }
}

// The empty file that the repair had begun was taken for one that retention had emptied.
TEST_F(MenderTest, CrashInTheRepairOfTheOldestFileDoesNotMoveTheLogStart) {
  Start(2);
  for (uint64_t iterations = 1; iterations < 40; ++iterations) {
    disk(1).Lose(PathAt(1, 0));
    process(1).Crash(CrashKind::kMachine);
    disk(1).LoseUnsynced();
    process(1).Restart();
    while (node(1).engine() == nullptr) world_.RunFor(milliseconds{1});
    process(1).CrashAfterIterations(iterations, CrashKind::kProcess);
    world_.RunFor(seconds{2});
    process(1).Restart();
    world_.RunFor(seconds{40});
    ASSERT_NE(node(1).engine(), nullptr);
    ASSERT_EQ(LogAt(1).log_start_offset(), 0) << iterations;
    ExpectMended(1);
  }
}

TEST_F(MenderTest, TopicThatIsDeletedMeanwhileIsDamagedNoMore) {
  Start(2);
  disk(1).Lose(PathAt(1, 1));
  Flip(1, 2, 80);
  process(1).Crash(CrashKind::kProcess);
  world_.fabric().link(1, 0).latency = seconds{2};  // the answer comes late
  process(1).Restart();
  for (int i = 0; i < 1000 && node(1).engine() == nullptr; ++i) world_.RunFor(milliseconds{20});
  auto deleted = On<bool>(1, [](Engine& engine) -> Task<bool> {
    co_return (co_await engine.DeleteTopic("orders")).has_value();
  });
  EXPECT_TRUE(deleted);
  world_.RunFor(seconds{30});
  EXPECT_EQ(DamagedAt(1), 0U);
  EXPECT_EQ(node(1).mirrors()->RepairProblem(), "");
}

TEST_F(MenderTest, RetentionThatPassesTheDamageEndsIt) {
  Start(2);
  world_.fabric().CutBothWays(0, 1, true);
  Flip(1, 1, 80);
  world_.RunFor(seconds{70});
  EXPECT_EQ(DamagedAt(1), 1U);
  world_.fabric().link(1, 0).latency = seconds{1};
  world_.fabric().CutBothWays(0, 1, false);
  const int64_t behind = LogAt(1).segments()[2].base_offset;
  auto moved = On<int64_t>(1, [behind](Engine& engine) -> Task<int64_t> {
    auto start = co_await engine.DeleteRecords(kOrders, behind);
    co_return start ? *start : -1;
  });
  EXPECT_EQ(moved, behind);
  EXPECT_EQ(DamagedAt(1), 0U);
  world_.RunFor(seconds{60});
  EXPECT_EQ(DamagedAt(1), 0U);
  EXPECT_EQ(node(1).mirrors()->RepairProblem(), "");
}

}  // namespace
}  // namespace meridian::queue
