// Retention, truncation and removal of partition logs.
#include <string>
#include <vector>

#include "queue/partition/partition_fixture.hpp"
#include "queue/partition/partition_log.hpp"

namespace meridian::queue {
namespace {

class PartitionRemovalTest : public PartitionTest {
 protected:
  static ReadRequest From(int64_t offset) {
    return {.offset = offset, .max_bytes = 1 << 20, .limit_offset = INT64_MAX};
  }
};

TEST_F(PartitionRemovalTest, WholeSegmentsBelowTheLogStartAreRemoved) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 60);
    co_await Sync(log, files);
    SegmentPosition second = log.segments()[1];
    auto range = co_await log.Read(From(0));
    EXPECT_TRUE(co_await log.DropBefore(second.base_offset + 2));
    EXPECT_EQ(log.segments()[0], second);
    EXPECT_EQ(log.log_start_offset(), second.base_offset + 2);
    EXPECT_EQ(co_await AllOffsets(log, second.base_offset + 2), Evens(second.base_offset + 2, 60));
    // A reader that has the range still reads it.
    std::vector<uint8_t> bytes(range->bytes);
    EXPECT_EQ((co_await range->file->ReadAt(range->position, bytes)).value(), bytes.size());
    EXPECT_TRUE(wire::kafka::ReadBatchHeader(bytes));
    EXPECT_TRUE(co_await log.DropBefore(5));  // never back
    EXPECT_EQ(log.log_start_offset(), second.base_offset + 2);
    position_ = log.position();
  });
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_EQ(log.log_start_offset(), position_.log_start_offset);
    EXPECT_EQ(co_await AllOffsets(log, log.log_start_offset()), Evens(log.log_start_offset(), 60));
  });
}

TEST_F(PartitionRemovalTest, SegmentRemovedAfterTheCheckpointIsNoDamageAfterTheReplay) {
  int64_t start = 0;
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 60);
    co_await Sync(log, files);
    start = log.segments()[1].base_offset;
    EXPECT_TRUE(co_await log.DropBefore(start));
  });
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_EQ(log.damaged().size(), 1U);
    EXPECT_TRUE(co_await log.DropBefore(start));
    EXPECT_TRUE(log.damaged().empty());
    EXPECT_EQ(co_await AllOffsets(log, start), Evens(start, 60));
  });
}

TEST_F(PartitionRemovalTest, LogOfWhichNothingIsKeptGoesOnAtItsEnd) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 10);
    EXPECT_TRUE(co_await log.DropBefore(99));
    EXPECT_TRUE(log.segments().empty());
    EXPECT_EQ(log.bytes(), 0U);
    EXPECT_EQ(log.log_start_offset(), 10);
    EXPECT_EQ(co_await Offsets(log, From(10)), "");
    EXPECT_EQ(log.position(), (PartitionPosition{.log_start_offset = 10, .end_offset = 10}));
    co_await AppendUpTo(log, files, 14);
    EXPECT_EQ(co_await Offsets(log, From(10)), "10 12");
    co_await Sync(log, files);
  });
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_EQ(co_await Offsets(log, From(10)), "10 12");
  });
}

TEST_F(PartitionRemovalTest, TruncationCutsTheBatchThatHasTheOffset) {
  for (int64_t offset : {0, 1, 2, 7, 18, 30, 41, 59, 60, 70}) {
    std::string name = "cut" + std::to_string(offset);
    RunMachine([&, offset](Machine& machine) -> Task<void> {
      SegmentFiles files(machine.disk, {.max_open = 2});
      PartitionOptions options = {.folder = name, .segment_bytes = 1000};
      auto log = (co_await PartitionLog::Open(files, options, {})).value();
      co_await AppendUpTo(*log, files, 60);
      PartitionLog* logs[] = {log.get()};
      EXPECT_TRUE(co_await SyncLogs(files, logs));
      EXPECT_TRUE(co_await log->TruncateTo(offset));
      int64_t end = std::min<int64_t>(offset / 2 * 2, 60);
      EXPECT_EQ(log->end_offset(), end);
      EXPECT_EQ(co_await AllOffsets(*log, 0), Evens(0, end));
      EXPECT_EQ(log->position().end_offset, end);
      // Opened where the truncation is known, and where it is not.
      auto again = (co_await PartitionLog::Open(files, options, log->position())).value();
      EXPECT_EQ(co_await AllOffsets(*again, 0), Evens(0, end));
      co_await AppendUpTo(*again, files, 80);
      EXPECT_EQ(co_await AllOffsets(*again, 0), Evens(0, 80));
    });
  }
}

TEST_F(PartitionRemovalTest, TruncationIsRepeatedInTheReplay) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 60);
    co_await Sync(log, files);
    EXPECT_TRUE(co_await log.TruncateTo(30));
  });
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    EXPECT_FALSE(log.damaged().empty());
    EXPECT_TRUE(co_await log.TruncateTo(30));
    EXPECT_TRUE(log.damaged().empty());
    co_await AppendUpTo(log, files, 50);
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 50));
  });
}

TEST_F(PartitionRemovalTest, RemovedPartitionLeavesNoFolder) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 60);
    co_await Sync(log, files);
    EXPECT_TRUE(co_await log.Remove());
    EXPECT_EQ((co_await files.disk().List("p")).error().code, Errc::kNotFound);
    EXPECT_EQ(files.open(), 0U);
    {
      auto other = (co_await PartitionLog::Open(files, {.folder = "other"}, {})).value();
      co_await AppendUpTo(*other, files, 2);
      EXPECT_EQ(files.open(), 1U);
    }
    EXPECT_EQ(files.open(), 0U);
  });
  position_ = {};
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_TRUE(co_await log.Remove());  // of a folder that was never made
  });
}

}  // namespace
}  // namespace meridian::queue
