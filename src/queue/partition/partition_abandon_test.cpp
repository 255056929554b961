// What remains of appends that failed.
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "io/file/disk.hpp"
#include "queue/partition/partition_fixture.hpp"

namespace meridian::queue {
namespace {

TEST_F(PartitionTest, SegmentThatWasBegunForAnAbandonedAppendDoesNotTakeEarlierOffsets) {
  Run([this](PartitionLog& log, SegmentFiles& files) -> Task<void> {
    co_await AppendUpTo(log, files, 2);
    // Several segments are begun, and nothing is written.
    std::vector<std::vector<uint8_t>> encoded;
    for (int64_t offset = 2; offset < 8; offset += 2) {
      encoded.push_back(MakeBatch({.offset = offset, .records = 2, .value_bytes = 400}));
    }
    std::vector<Bytes> views(encoded.begin(), encoded.end());
    std::vector<io::FileWrite> writes;
    EXPECT_TRUE(co_await log.Prepare(views, writes));
    log.Abandon();
    co_await AppendUpTo(log, files, 40);
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 40));
    co_await Sync(log, files);
  });
  Run([](PartitionLog& log, SegmentFiles&) -> Task<void> {
    EXPECT_EQ(co_await AllOffsets(log, 0), Evens(0, 40));
    EXPECT_TRUE(log.damaged().empty());
  });
}

}  // namespace
}  // namespace meridian::queue
