#include <chrono>
#include <string>
#include <vector>

#include "io/scope.hpp"
#include "io/wait_queue.hpp"
#include "queue/partition/partition_fixture.hpp"
#include "queue/partition/partition_log.hpp"

namespace meridian::queue {
namespace {

class PartitionRepairTest : public PartitionTest {
 protected:
  // A log of several segments, and what its first segment holds.
  void Prepare() {
    Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
      co_await AppendUpTo(log, files, 60);
      co_await Sync(log, files);
      first_ = log.segments()[0];
      kept_.resize(first_.bytes);
      auto range = co_await log.Read({.max_bytes = 1 << 20, .limit_offset = 60});
      EXPECT_EQ((co_await range->file->ReadAt(0, kept_)).value(), kept_.size());
      auto first = wire::kafka::ReadBatchHeader(kept_);
      batch_bytes_ = first->bytes;
    });
  }
  void FlipByte(uint64_t position) { disk().FlipBit("p/" + SegmentFileName(0), position * 8 + 1); }
  // What a check of the first segment finds.
  static Task<std::vector<BadBatches>> Check(PartitionLog& log) {
    auto report = co_await log.CheckSegment({.base_offset = 0, .epochs = {{0, 3}}});
    EXPECT_TRUE(report) << report.error().message;
    co_return report ? report->bad : std::vector<BadBatches>();
  }
  Bytes KeptBatches(size_t first, size_t count) const {
    return Bytes(kept_).subspan(first * batch_bytes_, count * batch_bytes_);
  }
  static Task<std::string> At(PartitionLog& log, int64_t offset) {
    co_return co_await Offsets(log, {.offset = offset, .max_bytes = 1, .limit_offset = 60});
  }

  SegmentPosition first_;
  std::vector<uint8_t> kept_;
  size_t batch_bytes_ = 0;
};

TEST_F(PartitionRepairTest, WholeSegmentsPassTheCheck) {
  Prepare();
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    for (const SegmentPosition& segment : log.segments()) {
      auto report =
          co_await log.CheckSegment({.base_offset = segment.base_offset, .epochs = {{0, 3}}});
      EXPECT_TRUE(report && report->bad.empty());
    }
    EXPECT_EQ((co_await log.CheckSegment({.base_offset = 1})).error().code, Errc::kNotFound);
    EXPECT_FALSE(log.has_damage());
  });
}

// Also in what no checksum covers: base offset, length, leader epoch, and the checksum itself.
TEST_F(PartitionRepairTest, AnyFlippedByteOfABatchIsFoundAndCostsThatBatchAlone) {
  Prepare();
  for (size_t byte = 0; byte < batch_bytes_; ++byte) {
    const uint64_t position = 2 * batch_bytes_ + byte;
    FlipByte(position);
    Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
      const std::vector<BadBatches> bad = co_await Check(log);
      EXPECT_EQ(bad.size(), 1U) << "byte " << byte;
      if (bad.size() != 1) co_return;
      // Of two batches with one offset, either may be the wrong one.
      EXPECT_LE(bad[0].position, 2 * batch_bytes_) << "byte " << byte;
      EXPECT_GE(bad[0].end_position, 3 * batch_bytes_) << "byte " << byte;
      EXPECT_LE(bad[0].end_position - bad[0].position, 2 * batch_bytes_) << "byte " << byte;
      EXPECT_TRUE(log.has_damage());
      EXPECT_EQ(co_await At(log, 4), "i/o error") << "byte " << byte;
      EXPECT_EQ(co_await At(log, 0), "0") << "byte " << byte;
      EXPECT_EQ(co_await At(log, 8), "8") << "byte " << byte;
      // A read from the beginning ends where the damage begins.
      auto range = co_await log.Read({.max_bytes = 1 << 20, .limit_offset = 60});
      EXPECT_TRUE(range && range->bytes == bad[0].position) << "byte " << byte;
      const size_t first = bad[0].position / batch_bytes_;
      const size_t count = (bad[0].end_position - bad[0].position) / batch_bytes_;
      EXPECT_TRUE(co_await log.RepairSegment(
          {.base_offset = 0, .position = bad[0].position, .batches = KeptBatches(first, count)}));
      EXPECT_TRUE((co_await Check(log)).empty()) << "byte " << byte;
      EXPECT_FALSE(log.has_damage());
      EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 60)) << "byte " << byte;
    });
  }
}

TEST_F(PartitionRepairTest, ReadThatMeetsABadHeaderAsksForACheck) {
  Prepare();
  FlipByte(batch_bytes_ + 16);  // the magic byte
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_TRUE(log.suspects().empty());
    EXPECT_EQ(co_await At(log, 4), "i/o error") << "what is behind it is not known yet";
    EXPECT_EQ(log.suspects(), std::vector<int64_t>{0});
    EXPECT_EQ((co_await Check(log)).size(), 1U);
    EXPECT_TRUE(log.suspects().empty());
    EXPECT_EQ(co_await At(log, 2), "i/o error");
    EXPECT_EQ(co_await At(log, 4), "4");
    EXPECT_TRUE(log.suspects().empty());
  });
}

// The read went on with the next segment, as if there were nothing.
TEST_F(PartitionRepairTest, BatchThatClaimsTooManyOrTooFewOffsetsIsNotSteppedOver) {
  Prepare();
  const uint64_t last = first_.bytes - batch_bytes_;
  // Of the last offset delta, which is 1: a high byte, then the lowest bit.
  for (const uint64_t bit : {(last + 25) * 8, (last + 26) * 8}) {
    disk().FlipBit("p/" + SegmentFileName(0), bit);
    Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
      EXPECT_EQ(co_await At(log, first_.end_offset - 1), "i/o error");
      EXPECT_EQ(log.suspects(), std::vector<int64_t>{0});
      EXPECT_EQ(co_await At(log, first_.end_offset), std::to_string(first_.end_offset));
    });
    disk().FlipBit("p/" + SegmentFileName(0), bit);
  }
}

// The same when a check had found it a moment before.
TEST_F(PartitionRepairTest, ReadDuringACheckLeavesNothingOut) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    for (int64_t offset = 0; offset < 4; offset += 2) {
      EXPECT_TRUE(co_await Append(log, files, {{.offset = offset, .value_bytes = 1000}}));
    }
    co_await Sync(log, files);
    EXPECT_EQ(log.segments().size(), 2U);
  });
  FlipByte(70);
  RunMachine([&](Machine& machine) -> Task<void> {
    for (int delay_us = 0; delay_us < 2000; delay_us += 20) {
      SegmentFiles files(machine.disk);
      auto log = co_await PartitionLog::Open(files, options_, position_);
      if (!log) co_return;
      io::Scope scope(machine.loop);
      auto check = [](PartitionLog& checked, Duration delay) -> Task<void> {
        (void)co_await io::Sleep(delay);
        (void)co_await Check(checked);
      };
      scope.Spawn(check(**log, std::chrono::microseconds{delay_us}));
      auto range = co_await (*log)->Read({.max_bytes = 10, .limit_offset = 3});
      EXPECT_TRUE(!range || range->begin_offset == 0) << range->begin_offset;
      co_await scope.Join();
    }
  });
}

TEST_F(PartitionRepairTest, CheckedReadHandsNoBadBatchOut) {
  Prepare();
  FlipByte(2 * batch_bytes_ + 70);
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    auto range = co_await log.ReadSound({.max_bytes = 1 << 20, .limit_offset = 60});
    EXPECT_TRUE(range && range->bytes == 2 * batch_bytes_ && range->next_offset == 4);
    EXPECT_EQ(log.suspects(), std::vector<int64_t>{0});
    auto bad = co_await log.ReadSound({.offset = 4, .max_bytes = 1, .limit_offset = 60});
    EXPECT_EQ(bad.error().code, Errc::kIo);
  });
}

TEST_F(PartitionRepairTest, SeveralBadPlacesAreToldApart) {
  Prepare();
  FlipByte(batch_bytes_ + 70);
  FlipByte(4 * batch_bytes_ + 8);  // the length
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    const std::vector<BadBatches> bad = co_await Check(log);
    EXPECT_EQ(bad.size(), 2U);
    for (int64_t offset : {2, 3, 8}) EXPECT_EQ(co_await At(log, offset), "i/o error") << offset;
    for (int64_t offset : {0, 4, 6, 10}) {
      EXPECT_EQ(co_await At(log, offset), std::to_string(offset));
    }
  });
}

TEST_F(PartitionRepairTest, FileThatLosesItsNameOrItsEndMeanwhileIsFound) {
  Prepare();
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    EXPECT_EQ(co_await At(log, 0), "0");  // it is open
    EXPECT_TRUE(co_await files.disk().Remove("p/" + SegmentFileName(0)));
    EXPECT_EQ((co_await Check(log)).size(), 1U);
    EXPECT_EQ(co_await At(log, 0), "i/o error");
    EXPECT_TRUE(co_await log.RepairSegment({.base_offset = 0, .batches = Bytes(kept_)}));
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 60));
    auto file = co_await files.disk().Open("p/" + SegmentFileName(0), io::OpenMode::kWrite);
    EXPECT_TRUE(file && co_await (*file)->Truncate(batch_bytes_ + 10));
    const std::vector<BadBatches> bad = co_await Check(log);
    EXPECT_EQ(bad.size(), 1U);
    EXPECT_EQ(bad[0].position, batch_bytes_);
    EXPECT_TRUE(co_await log.RepairSegment({.base_offset = 0,
                                            .position = batch_bytes_,
                                            .batches = Bytes(kept_).subspan(batch_bytes_)}));
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 60));
  });
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_FALSE(log.has_damage());
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 60));
  });
}

TEST_F(PartitionRepairTest, MissingSegmentIsRepairedInPartsAlsoOverACrash) {
  Prepare();
  disk().Lose("p/" + SegmentFileName(0));
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_EQ((co_await Check(log)).size(), 1U);
    auto repair = [&](uint64_t position, Bytes batches) {
      return log.RepairSegment({.base_offset = 0, .position = position, .batches = batches});
    };
    // What is no whole valid batch, leaves a gap, or is out of order or too long is refused.
    Bytes kept = kept_;
    std::vector<uint8_t> flipped(kept.begin(), kept.end());
    flipped.back() ^= 1;
    std::vector<uint8_t> longer(kept.begin(), kept.end());
    longer.insert(longer.end(), kept.begin(), kept.begin() + static_cast<ptrdiff_t>(batch_bytes_));
    for (Bytes wrong : {kept.first(100), Bytes(flipped), Bytes(longer), Bytes()}) {
      EXPECT_EQ((co_await repair(0, wrong)).error().code, Errc::kInvalid);
    }
    EXPECT_EQ((co_await repair(batch_bytes_, KeptBatches(1, 1))).error().code, Errc::kInvalid);
    EXPECT_TRUE(co_await repair(0, KeptBatches(0, 2)));
    EXPECT_TRUE(log.has_damage());
    EXPECT_EQ(co_await At(log, 2), "2");
    EXPECT_EQ(co_await At(log, 4), "i/o error");
    EXPECT_EQ((co_await repair(2 * batch_bytes_, KeptBatches(0, 1))).error().code, Errc::kInvalid);
  });
  process_->Crash(CrashKind::kMachine);
  disk().LoseUnsynced();
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    const std::vector<BadBatches> bad = co_await Check(log);
    EXPECT_EQ(bad.size(), 1U);
    EXPECT_EQ(bad[0].position, 2 * batch_bytes_);
    EXPECT_TRUE(co_await log.RepairSegment({.base_offset = 0,
                                            .position = 2 * batch_bytes_,
                                            .batches = Bytes(kept_).subspan(2 * batch_bytes_)}));
    EXPECT_FALSE(log.has_damage());
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 60));
  });
}

TEST_F(PartitionRepairTest, LastSegmentIsWrittenToAgainAfterItsRepair) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 6);
    co_await Sync(log, files);
    kept_.resize(log.segments()[0].bytes);
    auto range = co_await log.Read({.max_bytes = 1 << 20, .limit_offset = 6});
    (void)co_await range->file->ReadAt(0, kept_);
    batch_bytes_ = kept_.size() / 3;
  });
  Run([&](PartitionLog&, SegmentFiles& files) -> Task<void> {
    auto file = co_await files.disk().Open("p/" + SegmentFileName(0), io::OpenMode::kWrite);
    EXPECT_TRUE(file && co_await (*file)->Truncate(batch_bytes_));
  });
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    EXPECT_EQ((co_await Check(log)).size(), 1U);
    EXPECT_TRUE(co_await log.RepairSegment(
        {.base_offset = 0, .position = batch_bytes_, .batches = KeptBatches(1, 2)}));
    co_await AppendUpTo(log, files, 10);
    EXPECT_EQ(log.segments().size(), 1U);
    EXPECT_FALSE(log.has_damage());
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 10));
  });
}

TEST_F(PartitionRepairTest, LogIsCutOffBehindDamageWhichStays) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 8);
    co_await Sync(log, files);
    batch_bytes_ = log.segments()[0].bytes / 4;
  });
  FlipByte(batch_bytes_ + 16);
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    EXPECT_TRUE(co_await log.TruncateTo(6));
    EXPECT_EQ(log.end_offset(), 6);
    EXPECT_TRUE(log.has_damage());
    EXPECT_EQ(co_await At(log, 2), "i/o error");
    EXPECT_EQ(co_await At(log, 4), "4");
    co_await AppendUpTo(log, files, 10);
    EXPECT_EQ(co_await AllOffsets(log, 4), Evens(4, 10));
    EXPECT_EQ(co_await At(log, 2), "i/o error");
    // In the midst of the damage: what is lost stays known as lost.
    EXPECT_TRUE(co_await log.TruncateTo(3));
    EXPECT_EQ(log.end_offset(), 3);
    EXPECT_EQ(co_await At(log, 2), "i/o error");
    EXPECT_TRUE(co_await Append(log, files, {{.offset = 3}}));
    EXPECT_EQ(co_await Offsets(log, {.offset = 3, .max_bytes = 1, .limit_offset = 4}), "3");
  });
}

TEST_F(PartitionRepairTest, RetentionThatPassesTheDamageEndsIt) {
  Prepare();
  FlipByte(batch_bytes_ + 70);
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_EQ((co_await Check(log)).size(), 1U);
    EXPECT_TRUE(co_await log.DropBefore(4));  // the segment stays
    EXPECT_FALSE(log.has_damage());
    EXPECT_TRUE(co_await log.DropBefore(first_.end_offset));
    EXPECT_EQ((co_await log.RepairSegment(
                   {.base_offset = 0, .position = batch_bytes_, .batches = KeptBatches(1, 1)}))
                  .error()
                  .code,
              Errc::kInvalid);
  });
}

}  // namespace
}  // namespace meridian::queue
