#include <string>
#include <vector>

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
      auto second = wire::kafka::ReadBatchHeader(kept_);
      batch_bytes_ = second->bytes;
    });
  }

  SegmentPosition first_;
  std::vector<uint8_t> kept_;
  size_t batch_bytes_ = 0;
};

TEST_F(PartitionRepairTest, WholeSegmentsPassTheCheck) {
  Prepare();
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    for (const SegmentPosition& segment : log.segments()) {
      auto bad = co_await log.VerifySegment(segment.base_offset);
      EXPECT_TRUE(bad && !*bad);
    }
    EXPECT_EQ((co_await log.VerifySegment(1)).error().code, Errc::kNotFound);
  });
}

TEST_F(PartitionRepairTest, FlippedBitInABodyIsFoundAndRepaired) {
  Prepare();
  disk().FlipBit("p/" + SegmentFileName(0), (batch_bytes_ + 70) * 8);
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    auto bad = co_await log.VerifySegment(0);
    EXPECT_TRUE(bad && *bad);
    if (!bad || !*bad) co_return;
    EXPECT_EQ((*bad)->position, batch_bytes_);
    EXPECT_EQ((*bad)->end_position, 2 * batch_bytes_);
    EXPECT_EQ((*bad)->begin_offset, 2);
    Bytes patch = Bytes(kept_).subspan(batch_bytes_, batch_bytes_);
    EXPECT_TRUE(
        co_await log.RepairSegment({.base_offset = 0, .position = batch_bytes_, .batches = patch}));
    bad = co_await log.VerifySegment(0);
    EXPECT_TRUE(bad && !*bad);
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 60));
  });
}

TEST_F(PartitionRepairTest, BadHeaderIsFoundAndAReadOfItFails) {
  Prepare();
  disk().FlipBit("p/" + SegmentFileName(0), (batch_bytes_ + 16) * 8);  // the magic byte
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_EQ(co_await Offsets(log, {.offset = 2, .max_bytes = 1, .limit_offset = 60}),
              "i/o error");
    auto bad = co_await log.VerifySegment(0);
    EXPECT_TRUE(bad && *bad);
    if (!bad || !*bad) co_return;
    EXPECT_EQ((*bad)->position, batch_bytes_);
    EXPECT_EQ((*bad)->end_position, first_.bytes);
    Bytes patch = Bytes(kept_).subspan(batch_bytes_);
    EXPECT_TRUE(
        co_await log.RepairSegment({.base_offset = 0, .position = batch_bytes_, .batches = patch}));
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 60));
  });
}

TEST_F(PartitionRepairTest, MissingSegmentIsRepairedInParts) {
  Prepare();
  Run([&](PartitionLog&, SegmentFiles& files) -> Task<void> {
    EXPECT_TRUE(co_await files.disk().Remove("p/" + SegmentFileName(0)));
  });
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    auto bad = co_await log.VerifySegment(0);
    EXPECT_TRUE(bad && *bad);
    Bytes kept = kept_;
    auto repair = [&](uint64_t position, Bytes batches) {
      return log.RepairSegment({.base_offset = 0, .position = position, .batches = batches});
    };
    // What is no whole valid batch, leaves a gap, or is too long is refused.
    EXPECT_EQ((co_await repair(0, kept.first(100))).error().code, Errc::kInvalid);
    EXPECT_EQ((co_await repair(batch_bytes_, kept.first(batch_bytes_))).error().code,
              Errc::kInvalid);
    std::vector<uint8_t> flipped(kept.begin(), kept.end());
    flipped.back() ^= 1;
    EXPECT_EQ((co_await repair(0, flipped)).error().code, Errc::kInvalid);
    EXPECT_TRUE(co_await repair(0, kept.first(batch_bytes_)));
    EXPECT_EQ(log.damaged().size(), 1U);
    EXPECT_TRUE(co_await repair(batch_bytes_, kept.subspan(batch_bytes_)));
    EXPECT_TRUE(log.damaged().empty());
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 60));
  });
}

}  // namespace
}  // namespace meridian::queue
