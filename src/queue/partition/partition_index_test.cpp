// Lookups by index and by time, and indexes that are missing, torn or stale.
#include <optional>
#include <string>
#include <vector>

#include "queue/partition/partition_fixture.hpp"
#include "queue/partition/partition_log.hpp"

namespace meridian::queue {
namespace {

class PartitionIndexTest : public PartitionTest {
 protected:
  PartitionIndexTest() { options_.segment_bytes = 200'000; }

  // Batches of 6 KB, so that an index has an entry for each third one.
  static Task<void> AppendLarge(PartitionLog& log, SegmentFiles& files, int64_t end) {
    while (log.end_offset() < end) {
      int64_t offset = log.end_offset();
      EXPECT_TRUE(co_await Append(
          log, files,
          {{.offset = offset, .records = 2, .timestamp_ms = offset * 10, .value_bytes = 3000}}));
    }
  }
  // A synced log of several segments, whose sealed ones have index files.
  void Prepare() {
    Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
      co_await AppendLarge(log, files, 200);
      co_await Sync(log, files);
      EXPECT_GT(log.segments().size(), 2U);
      for (const SegmentPosition& segment : log.segments()) {
        bool last = segment == log.segments().back();
        EXPECT_EQ(co_await IndexBytes(segment.base_offset, files) == 0, last);
      }
    });
  }
  static Task<uint64_t> IndexBytes(int64_t base_offset, SegmentFiles& files) {
    std::string path = "p/" + IndexFileName(base_offset);
    auto file = co_await files.disk().Open(path, io::OpenMode::kRead);
    if (!file) co_return 0;
    co_return (co_await (*file)->Size()).value();
  }
  // Finds every batch from a start that has not read it before, by several paths.
  void ExpectAllFound() {
    Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
      for (int64_t offset = 198; offset >= 0; offset -= 6) {
        auto range = co_await log.Read(
            {.offset = offset + 1, .max_bytes = 50'000, .limit_offset = log.end_offset()});
        EXPECT_TRUE(range) << range.error().message;
        if (range) EXPECT_EQ(range->begin_offset, offset);
      }
      EXPECT_EQ(co_await AllOffsets(log, 0, 50'000), Evens(0, 200));
    });
    Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
      EXPECT_EQ(co_await AllOffsets(log, 0, 50'000), Evens(0, 200));
    });
    Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
      for (int64_t offset = 0; offset < 200; offset += 14) {
        std::optional<TimedOffset> found = (co_await log.OffsetAtTime(offset * 10 + 1)).value();
        EXPECT_EQ(found, (TimedOffset{offset + 1, offset * 10 + 1, 3}));
      }
    });
  }
};

TEST_F(PartitionIndexTest, OffsetsAndTimesAreFoundAfterAStart) {
  Prepare();
  ExpectAllFound();
}

TEST_F(PartitionIndexTest, MissingIndexIsBuiltAndWrittenAgain) {
  Prepare();
  uint64_t before = 0;
  Run([&](PartitionLog&, SegmentFiles& files) -> Task<void> {
    before = co_await IndexBytes(0, files);
    EXPECT_TRUE(co_await files.disk().Remove("p/" + IndexFileName(0)));
  });
  ExpectAllFound();
  Run([&](PartitionLog&, SegmentFiles& files) -> Task<void> {
    EXPECT_EQ(co_await IndexBytes(0, files), before);
  });
}

TEST_F(PartitionIndexTest, TornOrFlippedIndexIsBuiltAgain) {
  Prepare();
  for (uint64_t bit : {3U, 700U, 1500U, 2000U}) {
    disk().FlipBit("p/" + IndexFileName(0), bit);
    ExpectAllFound();
  }
  Run([&](PartitionLog&, SegmentFiles& files) -> Task<void> {
    auto file = co_await files.disk().Open("p/" + IndexFileName(0), io::OpenMode::kWrite);
    EXPECT_TRUE(co_await (*file)->Truncate(100));
  });
  ExpectAllFound();
}

TEST_F(PartitionIndexTest, StaleIndexIsNoticedAndBuiltAgain) {
  Prepare();
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    // Of another segment, whose batches are at other positions and have other offsets.
    auto file = co_await files.disk().Open("p/" + IndexFileName(0), io::OpenMode::kWrite);
    SegmentIndex wrong;
    for (int64_t i = 1; i < 10; ++i) {
      wrong.Add({.base_offset = i * 3, .bytes = 1, .crc = 7, .max_timestamp_ms = i},
                static_cast<uint64_t>(i) * 17'001);
    }
    std::vector<uint8_t> bytes;
    SegmentIndex::Encode(wrong.entries(), bytes);
    EXPECT_TRUE(co_await (*file)->WriteAt(0, bytes));
    EXPECT_EQ(log.end_offset(), 200);
  });
  ExpectAllFound();
}

TEST_F(PartitionIndexTest, AppendsAfterAStartAreFoundBesideOlderBatches) {
  Prepare();
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendLarge(log, files, 230);
    auto range = co_await log.Read({.offset = 221, .max_bytes = 1, .limit_offset = 230});
    EXPECT_EQ(range->begin_offset, 220);
    range = co_await log.Read({.offset = 199, .max_bytes = 1, .limit_offset = 230});
    EXPECT_EQ(range->begin_offset, 198);
    EXPECT_EQ(co_await AllOffsets(log, 0, 50'000), Evens(0, 230));
    co_await Sync(log, files);
  });
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_EQ(co_await AllOffsets(log, 0, 50'000), Evens(0, 230));
  });
}

TEST_F(PartitionIndexTest, LongSegmentThatIsWrittenToFlushesItsIndex) {
  options_.segment_bytes = 4 << 20;
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendLarge(log, files, 500);
    co_await Sync(log, files);
    EXPECT_GE(co_await IndexBytes(0, files), kIndexFlushEntries * kIndexEntryBytes);
    co_await AppendLarge(log, files, 520);
    co_await Sync(log, files);
  });
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendLarge(log, files, 900);
    co_await Sync(log, files);
    EXPECT_EQ(co_await AllOffsets(log, 0, 100'000), Evens(0, 900));
  });
  Run([&](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_EQ(co_await AllOffsets(log, 0, 100'000), Evens(0, 900));
  });
}

TEST_F(PartitionIndexTest, FirstRecordAtATimeIsFound) {
  Run([&](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    EXPECT_EQ((co_await log.OffsetAtTime(0)).value(), std::nullopt);
    EXPECT_EQ((co_await log.OffsetAtMaxTime()).value(), std::nullopt);
    std::vector<TestBatch> batches = {{.offset = 0, .records = 2, .timestamp_ms = 100},
                                      {.offset = 2, .records = 2, .timestamp_ms = 50},
                                      {.offset = 4, .records = 3, .timestamp_ms = 200},
                                      {.offset = 7, .records = 1, .timestamp_ms = 150}};
    EXPECT_TRUE(co_await Append(log, files, batches));
    auto at = [&](int64_t time) { return log.OffsetAtTime(time); };
    EXPECT_EQ((co_await at(0)).value(), (TimedOffset{0, 100, 3}));
    EXPECT_EQ((co_await at(101)).value(), (TimedOffset{1, 101, 3}));
    EXPECT_EQ((co_await at(120)).value(), (TimedOffset{4, 200, 3}));
    EXPECT_EQ((co_await at(202)).value(), (TimedOffset{6, 202, 3}));
    EXPECT_EQ((co_await at(203)).value(), std::nullopt);
    EXPECT_EQ((co_await log.OffsetAtMaxTime()).value(), (TimedOffset{6, 202, 3}));
    EXPECT_TRUE(co_await log.DropBefore(3));
    EXPECT_EQ((co_await at(0)).value(), (TimedOffset{3, 51, 3}));
  });
}

}  // namespace
}  // namespace meridian::queue
