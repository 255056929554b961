#include "store/snapshot/snapshot.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "store/limits.hpp"
#include "store/store_fixture.hpp"

namespace meridian::store {
namespace {

constexpr SnapshotInfo kInfo{.log_id = 7, .end_offset = 100, .time = {55}, .epoch = 2};

constexpr uint64_t kReserve = kHeadroomBytes / kSnapshotReserveShare;

class SnapshotTest : public StoreTest {
 protected:
  static std::vector<std::string> ManyItems(uint64_t bytes) {
    return std::vector<std::string>(bytes >> 20, std::string(1 << 20, 'x'));
  }
  void RunSnapshots(std::function<Task<void>(Snapshots&)> use) {
    Run([use](Machine& machine) -> Task<void> {
      auto snapshots = co_await Snapshots::Open(machine.disk, "snapshots");
      EXPECT_TRUE(snapshots) << snapshots.error().message;
      if (snapshots) co_await use(**snapshots);
    });
  }
  static Task<Result<void>> Write(Snapshots& snapshots, SnapshotInfo info,
                                  std::vector<std::string> items) {
    auto writer = co_await snapshots.Begin(info);
    if (!writer) co_return Fail(writer.error());
    for (const std::string& item : items) {
      if (auto added = co_await (*writer)->Add(AsBytes(item)); !added) co_return added;
    }
    co_return co_await (*writer)->Commit();
  }
  // The items with spaces between, and the error's name.
  static Task<std::string> Items(Snapshots& snapshots) {
    std::string text;
    auto reader = co_await snapshots.ReadNewest();
    if (!reader) co_return std::string(ErrcName(reader.error().code));
    for (;;) {
      auto block = co_await (*reader)->NextBlock();
      if (!block) co_return text + std::string(ErrcName(block.error().code));
      if (!*block) co_return text;
      EXPECT_TRUE(
          ForEachItem(**block, [&](Bytes item) { text += std::string(AsText(item)) + " "; }));
    }
  }
};

TEST_F(SnapshotTest, SnapshotIsReadByTheNextProcess) {
  RunSnapshots([](Snapshots& snapshots) -> Task<void> {
    EXPECT_EQ(snapshots.newest(), std::nullopt);
    EXPECT_EQ(co_await Items(snapshots), "not found");
    EXPECT_TRUE(co_await Write(snapshots, kInfo, {"a", "", "b"}));
  });
  RunSnapshots([](Snapshots& snapshots) -> Task<void> {
    EXPECT_EQ(snapshots.newest(), kInfo);
    EXPECT_EQ(co_await Items(snapshots), "a  b ");
  });
}

TEST_F(SnapshotTest, EmptyStateIsASnapshotToo) {
  RunSnapshots([](Snapshots& snapshots) -> Task<void> {
    EXPECT_TRUE(co_await Write(snapshots, kInfo, {}));
    EXPECT_EQ(co_await Items(snapshots), "");
  });
}

TEST_F(SnapshotTest, NewerOneReplacesTheOlderAndAnOlderOneIsRefused) {
  RunSnapshots([this](Snapshots& snapshots) -> Task<void> {
    EXPECT_TRUE(co_await Write(snapshots, kInfo, {"old"}));
    auto old = co_await snapshots.ReadNewest();
    SnapshotInfo newer = kInfo;
    newer.end_offset += 1;
    EXPECT_TRUE(co_await Write(snapshots, newer, {"new"}));
    EXPECT_EQ(co_await Items(snapshots), "new ");
    EXPECT_EQ(disk().List("snapshots")->size(), 1U);
    EXPECT_TRUE((co_await (*old)->NextBlock()).value()) << "who reads it can read on";
    EXPECT_EQ((co_await snapshots.Begin(kInfo)).error().code, Errc::kInvalid);
  });
}

TEST_F(SnapshotTest, OneSnapshotIsWrittenAtATimeAndAnAbandonedOneIsReplaced) {
  RunSnapshots([](Snapshots& snapshots) -> Task<void> {
    {
      auto writer = co_await snapshots.Begin(kInfo);
      EXPECT_TRUE(co_await (*writer)->Add(AsBytes(std::string(kSnapshotBlockBytes * 2, 'x'))));
      EXPECT_EQ((co_await snapshots.Begin(kInfo)).error().code, Errc::kExists);
    }
    EXPECT_TRUE(co_await Write(snapshots, kInfo, {"whole"}));
    EXPECT_EQ(co_await Items(snapshots), "whole ");
  });
}

// The file stayed, and with it no byte was free.
TEST_F(SnapshotTest, SnapshotThatFindsTheDiskFullLeavesNothingBehind) {
  RunSnapshots([this](Snapshots& snapshots) -> Task<void> {
    EXPECT_TRUE(co_await Write(snapshots, kInfo, {"whole"}));
    uint64_t used = disk().used_bytes();
    disk().faults.capacity_bytes = used + 2 * kReserve;
    SnapshotInfo next = kInfo;
    next.end_offset += 1;
    auto written = co_await Write(snapshots, next, ManyItems(kReserve * 3 / 2));
    EXPECT_EQ(written.error().code, Errc::kUnavailable);
    EXPECT_EQ(disk().used_bytes(), used);
    EXPECT_EQ(co_await Items(snapshots), "whole ");
    disk().faults.capacity_bytes = used + 3 * kReserve;
    EXPECT_TRUE(co_await Write(snapshots, next, ManyItems(kReserve * 3 / 2)));
  });
}

TEST_F(SnapshotTest, WriteThatFailsForAnotherReasonLeavesNothingBehind) {
  Run([this](Machine& machine) -> Task<void> {
    // No reserve: the disk itself says that it is full.
    auto snapshots = co_await Snapshots::Open(machine.disk, "snapshots", 0);
    disk().faults.capacity_bytes = kReserve;
    auto written = co_await Write(**snapshots, kInfo, ManyItems(2 * kReserve));
    EXPECT_EQ(written.error().code, Errc::kUnavailable);
    EXPECT_EQ(disk().used_bytes(), 0U);
    disk().faults.capacity_bytes = UINT64_MAX;
    disk().faults.sync_failures = 1;
    EXPECT_FALSE(co_await Write(**snapshots, kInfo, {"a"}));
    EXPECT_EQ(disk().used_bytes(), 0U);
    disk().faults.sync_failures = 0;
  });
}

TEST_F(SnapshotTest, AbandonedSnapshotLeavesNothingBehind) {
  RunSnapshots([this](Snapshots& snapshots) -> Task<void> {
    auto writer = co_await snapshots.Begin(kInfo);
    std::string item(kSnapshotBlockBytes * 2, 'x');
    EXPECT_TRUE(co_await (*writer)->Add(AsBytes(item)));
    co_await (*writer)->Abandon();
    EXPECT_EQ(disk().used_bytes(), 0U);
    EXPECT_EQ((co_await (*writer)->Add(AsBytes(item))).error().code, Errc::kClosed);
    EXPECT_EQ((co_await (*writer)->Commit()).error().code, Errc::kClosed);
  });
}

// It was written again each second, as far as the disk had room.
TEST_F(SnapshotTest, SnapshotIsNotBegunWithLessRoomThanTheLastOneTook) {
  RunSnapshots([this](Snapshots& snapshots) -> Task<void> {
    disk().faults.capacity_bytes = 2 * kReserve;
    EXPECT_FALSE(co_await Write(snapshots, kInfo, ManyItems(kReserve * 3 / 2)));
    EXPECT_EQ((co_await snapshots.Begin(kInfo)).error().code, Errc::kUnavailable);
    EXPECT_TRUE(disk().List("snapshots")->empty());
    (void)co_await io::Sleep(kFailedSnapshotCounts);
    EXPECT_TRUE(co_await snapshots.Begin(kInfo)) << "the state may be smaller now";
    EXPECT_EQ((co_await snapshots.Begin(kInfo, kReserve + 1)).error().code, Errc::kUnavailable);
  });
}

TEST_F(SnapshotTest, LargestItemIsTakenAndOneByteMoreIsRefused) {
  RunSnapshots([](Snapshots& snapshots) -> Task<void> {
    std::string item(kMaxSnapshotItemBytes + 1, 'x');
    EXPECT_EQ((co_await Write(snapshots, kInfo, {item})).error().code, Errc::kTooLarge);
    item.pop_back();
    // Behind a block that is all but full.
    EXPECT_TRUE(
        co_await Write(snapshots, kInfo, {std::string(kSnapshotBlockBytes - 5, 'y'), item}));
    EXPECT_EQ((co_await Items(snapshots)).size(), kSnapshotBlockBytes - 5 + item.size() + 2);
  });
}

TEST_F(SnapshotTest, DamageAndAMissingEndAreReported) {
  RunSnapshots([](Snapshots& snapshots) -> Task<void> {
    EXPECT_TRUE(co_await Write(snapshots, kInfo, {std::string(kSnapshotBlockBytes, 'x'), "b"}));
  });
  std::string path = "snapshots/" + disk().List("snapshots")->front();
  disk().FlipBit(path, (kSnapshotBlockBytes + 64) * 8);
  RunSnapshots([](Snapshots& snapshots) -> Task<void> {
    EXPECT_TRUE((co_await Items(snapshots)).ends_with("x i/o error"));
  });
  disk().FlipBit(path, (kSnapshotBlockBytes + 64) * 8);
  auto inode = disk().Open(path, io::OpenMode::kWrite);
  ASSERT_TRUE(disk().Truncate(**inode, (*inode)->content.size() - kBlockHeaderBytes));
  RunSnapshots([](Snapshots& snapshots) -> Task<void> {
    EXPECT_TRUE((co_await Items(snapshots)).ends_with("b i/o error"));
  });
}

TEST_F(SnapshotTest, DamagedHeaderIsAnErrorAndNotAMissingSnapshot) {
  RunSnapshots([](Snapshots& snapshots) -> Task<void> {
    EXPECT_TRUE(co_await Write(snapshots, kInfo, {"a"}));
  });
  disk().FlipBit("snapshots/" + disk().List("snapshots")->front(), 100);
  Run([](Machine& machine) -> Task<void> {
    EXPECT_EQ((co_await Snapshots::Open(machine.disk, "snapshots")).error().code, Errc::kIo);
  });
}

TEST_F(SnapshotTest, BlocksOfAnotherMachineAreTakenInTheirOrderOnly) {
  RunSnapshots([](Snapshots& snapshots) -> Task<void> {
    std::string large(kSnapshotBlockBytes, 'x');
    EXPECT_TRUE(co_await Write(snapshots, kInfo, {large, "b"}));
    std::vector<std::vector<uint8_t>> blocks;
    auto reader = co_await snapshots.ReadNewest();
    while (auto block = (co_await (*reader)->NextBlock()).value()) blocks.push_back(*block);
    EXPECT_EQ(blocks.size(), 3U) << "and the end";
    {
      auto writer = co_await snapshots.Begin(kInfo);
      EXPECT_EQ((co_await (*writer)->AddBlock(blocks[1])).error().code, Errc::kInvalid);
      EXPECT_TRUE(co_await (*writer)->AddBlock(blocks[0]));
      EXPECT_EQ((co_await (*writer)->AddBlock(blocks[0])).error().code, Errc::kInvalid);
    }
    auto writer = co_await snapshots.Begin(kInfo);
    for (const auto& block : blocks) EXPECT_TRUE(co_await (*writer)->AddBlock(block));
    EXPECT_TRUE(co_await (*writer)->Commit());
    EXPECT_EQ(co_await Items(snapshots), large + " b ");
  });
}

// The machine crashes at any await while one snapshot after the other is written.
TEST(SnapshotCrashTest, SnapshotIsWholeAndNeverOlderThanTheLastCommitted) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    uint64_t committed = 0;
    io::sim::World world(seed);
    auto live = [&](Machine& machine) -> Task<void> {
      auto snapshots = co_await Snapshots::Open(machine.disk, "snapshots");
      EXPECT_TRUE(snapshots || snapshots.error().code == Errc::kCancelled) << seed;
      if (!snapshots) co_return;
      uint64_t newest = (*snapshots)->newest() ? (*snapshots)->newest()->end_offset : 0;
      EXPECT_GE(newest, committed) << seed;
      if (newest > 0) {
        auto reader = co_await (*snapshots)->ReadNewest();
        while (reader) {
          auto block = co_await (*reader)->NextBlock();
          EXPECT_TRUE(block || block.error().code == Errc::kCancelled) << seed;
          if (!block || !*block) break;
        }
      }
      for (uint64_t offset = newest + 1;; ++offset) {
        auto writer = co_await (*snapshots)->Begin({.log_id = 7, .end_offset = offset});
        if (!writer) co_return;
        std::string item(kSnapshotBlockBytes / 4 * 3, 'x');
        for (int i = 0; i < 3; ++i) {
          if (!co_await (*writer)->Add(AsBytes(item))) co_return;
        }
        if (!co_await (*writer)->Commit()) co_return;
        committed = offset;
      }
    };
    io::sim::SimProcess& process =
        world.AddProcess({.name = "store", .address = IpAddress::V4(10, 0, 0, 1)}, live);
    for (int life = 0; life < 4; ++life) {
      process.CrashAfterIterations(world.random().Below(60), CrashKind::kMachine);
      world.RunFor(seconds{1});
      process.Restart();
    }
    world.End();
  }
}

}  // namespace
}  // namespace meridian::store
