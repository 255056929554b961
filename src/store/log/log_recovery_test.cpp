// What a log finds after crashes and faults.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "store/log/log.hpp"
#include "store/store_fixture.hpp"

namespace meridian::store {
namespace {

class LogRecoveryTest : public StoreTest {
 protected:
  // A log of 300 records over several segments.
  void Fill() {
    RunLog(Small(), [](Log& log, Machine&) { return AppendMany(log, 300); });
    auto names = disk().List("log");
    ASSERT_TRUE(names);
    segments_ = *names;
    ASSERT_GT(segments_.size(), 2U);
  }
  uint64_t FirstOffset(size_t segment) { return *ParseSegmentName(segments_[segment]); }

  std::vector<std::string> segments_;
};

TEST_F(LogRecoveryTest, FlippedBitInASealedSegmentIsReportedAndNothingIsCut) {
  Fill();
  disk().FlipBit("log/" + segments_[1], (kSegmentHeaderBytes + kRecordHeaderBytes) * 8);
  uint64_t damaged = FirstOffset(1);
  RunLog(Small(), [damaged](Log& log, Machine&) -> Task<void> {
    const RecoveryReport& report = log.recovery();
    EXPECT_EQ(report.damaged.size(), 1U);
    EXPECT_EQ(report.damaged[0].begin_offset, damaged);
    EXPECT_EQ(report.damaged[0].end_offset, damaged + 1);
    EXPECT_EQ(report.damaged[0].begin_position, kSegmentHeaderBytes);
    EXPECT_EQ(report.cut_bytes, 0U);
    EXPECT_EQ(report.records, 299U);
    EXPECT_EQ(co_await Bodies(log), Numbers(0, static_cast<int>(damaged)) + "i/o error");
    EXPECT_EQ(log.NextReadable(damaged), damaged + 1);
    EXPECT_EQ(co_await Bodies(log, damaged + 1), Numbers(static_cast<int>(damaged) + 1, 300));
    co_await AppendMany(log, 5);
    EXPECT_EQ(co_await Bodies(log, 299), Numbers(299, 305));
    EXPECT_EQ(co_await log.OffsetAt({1000 + damaged}), damaged + 1);
  });
}

TEST_F(LogRecoveryTest, FlippedBitInTheLastSegmentBeforeLaterGroupsIsReported) {
  Fill();
  disk().FlipBit("log/" + segments_.back(), (kSegmentHeaderBytes + 3) * 8);
  uint64_t damaged = FirstOffset(segments_.size() - 1);
  RunLog(Small(), [damaged](Log& log, Machine&) -> Task<void> {
    EXPECT_EQ(log.recovery().damaged.size(), 1U);
    EXPECT_EQ(log.recovery().damaged[0].begin_offset, damaged);
    EXPECT_EQ(log.end_offset(), 300U);
    co_return;
  });
}

TEST_F(LogRecoveryTest, MissingSegmentIsReported) {
  Fill();
  ASSERT_TRUE(disk().Remove("log/" + segments_[1]));
  uint64_t from = FirstOffset(1);
  uint64_t to = FirstOffset(2);
  RunLog(Small(), [=](Log& log, Machine&) -> Task<void> {
    EXPECT_EQ(log.recovery().damaged.size(), 1U);
    EXPECT_EQ(log.recovery().damaged[0].begin_offset, from);
    EXPECT_EQ(log.recovery().damaged[0].end_offset, to);
    EXPECT_EQ((co_await log.Read(from, 1)).error().code, Errc::kIo);
    EXPECT_EQ(co_await Bodies(log, to), Numbers(static_cast<int>(to), 300));
  });
}

TEST_F(LogRecoveryTest, DamagedHeaderOfASegmentLosesNoRecords) {
  Fill();
  disk().FlipBit("log/" + segments_[1], 100);
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    EXPECT_EQ(log.recovery().damaged.size(), 1U);
    EXPECT_EQ(co_await Bodies(log), Numbers(0, 300));
  });
}

TEST_F(LogRecoveryTest, FolderWithoutAnyHeaderIsNotTouched) {
  RunLog(Small(), [](Log& log, Machine&) { return AppendMany(log, 3); });
  disk().FlipBit("log/" + SegmentName(0), 1);
  uint64_t used = disk().used_bytes();
  Run([](Machine& machine) -> Task<void> {
    auto log = co_await Log::Open(machine.loop, machine.disk, Small());
    EXPECT_EQ(log.error().code, Errc::kInvalid);
  });
  EXPECT_EQ(disk().used_bytes(), used);
}

TEST_F(LogRecoveryTest, RecordsAcrossThePiecesThatAreReadAreFound) {
  LogOptions options = Small();
  options.segment_bytes = kSegmentBytes;
  // The first ends a piece exactly; the last is longer than one.
  const std::vector<size_t> sizes = {kScanChunkBytes - kRecordHeaderBytes, 700'000, 700'000,
                                     3 * kScanChunkBytes};
  RunLog(options, [&sizes](Log& log, Machine&) -> Task<void> {
    for (size_t size : sizes) {
      auto end = log.Append({.body = AsBytes(std::string(size, 'x')), .time = {1000}});
      EXPECT_TRUE(end && co_await log.Durable(*end));
    }
  });
  RunLog(options, [&sizes](Log& log, Machine&) -> Task<void> {
    EXPECT_EQ(log.recovery().records, sizes.size());
    EXPECT_EQ(log.recovery().cut_bytes, 0U);
    EXPECT_EQ(log.end_offset(), sizes.size());
    co_return;
  });
}

TEST_F(LogRecoveryTest, SegmentOfAnotherLogIsRefused) {
  Fill();
  auto other = disk().Open("log/" + SegmentName(1000), io::OpenMode::kCreate);
  std::vector<uint8_t> header;
  AppendSegmentHeader({.log_id = 12345, .begin_offset = 1000}, header);
  ASSERT_TRUE(other && disk().Write(**other, 0, header));
  Run([](Machine& machine) -> Task<void> {
    auto log = co_await Log::Open(machine.loop, machine.disk, Small());
    EXPECT_EQ(log.error().code, Errc::kInvalid);
  });
}

TEST_F(LogRecoveryTest, SegmentThatACrashKeptFromBeingBegunIsRemoved) {
  Fill();
  auto begun = disk().Open("log/" + SegmentName(300), io::OpenMode::kCreate);
  ASSERT_TRUE(begun && disk().Write(**begun, 0, AsBytes("MRDN")));
  RunLog(Small(), [](Log& log, Machine&) -> Task<void> {
    EXPECT_TRUE(log.recovery().damaged.empty());
    co_await AppendMany(log, 2);
    EXPECT_EQ(co_await Bodies(log, 295), Numbers(295, 302));
  });
}

// A machine crashes between any two awaits, and what it had not synced is kept, lost or torn.
TEST(LogCrashTest, NothingDurableIsLostAndNothingElseIsDamage) {
  uint64_t cuts = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    uint64_t durable = 0;
    io::sim::World world(seed);
    auto live = [&](Machine& machine) -> Task<void> {
      auto log = co_await Log::Open(
          machine.loop, machine.disk,
          {.folder = "log", .id = 7, .segment_bytes = kMinSegmentBytes, .headroom_bytes = 0});
      if (!log) co_return;
      EXPECT_TRUE((*log)->recovery().damaged.empty()) << seed;
      EXPECT_GE((*log)->durable_end_offset(), durable) << seed;
      cuts += (*log)->recovery().cut_bytes > 0 ? 1 : 0;
      durable = (*log)->durable_end_offset();  // it has synced what it read
      for (;;) {
        std::string body(machine.random.Below(700), 'x');
        auto end = (*log)->Append({.body = AsBytes(body)});
        if (!end) break;
        if (machine.random.Chance(0.7)) continue;
        if (!co_await (*log)->Durable(*end)) break;
        durable = *end;
      }
      co_await (*log)->Close();
    };
    io::sim::SimProcess& process =
        world.AddProcess({.name = "store", .address = IpAddress::V4(10, 0, 0, 1)}, live);
    for (int life = 0; life < 5; ++life) {
      bool machine = world.random().Chance(0.7);
      process.CrashAfterIterations(world.random().Below(200),
                                   machine ? CrashKind::kMachine : CrashKind::kProcess);
      world.RunFor(seconds{2});
      process.Restart();
    }
    world.End();
  }
  EXPECT_GT(cuts, 0U) << "the crashes tear writes";
}

}  // namespace
}  // namespace meridian::store
