#include "store/log/segment_index.hpp"

#include <gtest/gtest.h>

#include "store/limits.hpp"

namespace meridian::store {
namespace {

constexpr uint32_t kRecordBytes = 1000;

// Records of 1,000 bytes and two offsets each, from offset 100 and position 32 on.
SegmentIndex Indexed(uint64_t records) {
  SegmentIndex index(100, 32);
  for (uint64_t i = 0; i < records; ++i) {
    index.Add({.offset = 100 + 2 * i, .span = 2, .bytes = kRecordBytes, .time = {i}},
              32 + i * kRecordBytes);
  }
  return index;
}

TEST(SegmentIndexTest, PositionIsAtOrBeforeTheRecordAndNotFarBefore) {
  SegmentIndex index = Indexed(1000);
  for (uint64_t offset = 100; offset < 2100; ++offset) {
    uint64_t exact = 32 + (offset - 100) / 2 * kRecordBytes;
    EXPECT_LE(index.PositionOf(offset), exact);
    EXPECT_GT(index.PositionOf(offset) + kIndexIntervalBytes + kRecordBytes, exact);
  }
  EXPECT_LE(index.entries(), 1000 * kRecordBytes / kIndexIntervalBytes + 1);
  EXPECT_EQ(index.end_offset(), 2100U);
}

TEST(SegmentIndexTest, OffsetBeforeATimeSkipsNothingThatIsAsNew) {
  SegmentIndex index = Indexed(1000);
  for (uint64_t time = 0; time < 1000; ++time) {
    EXPECT_LE(index.OffsetBefore({time}), 100 + 2 * time);
    EXPECT_GT(index.OffsetBefore({time}) + 2 * (kIndexIntervalBytes / kRecordBytes + 2),
              100 + 2 * time);
  }
}

TEST(SegmentIndexTest, RecordBehindDamageHasAnEntryOfItsOwn) {
  SegmentIndex index = Indexed(2);
  index.Add({.offset = 110, .bytes = 50}, 5000);
  EXPECT_EQ(index.PositionOf(110), 5000U);
  EXPECT_EQ(index.PositionOf(103), 32U);
}

TEST(SegmentIndexTest, EmptySegmentBeginsAtItsStart) {
  SegmentIndex index(5, 32);
  EXPECT_EQ(index.PositionOf(5), 32U);
  EXPECT_EQ(index.OffsetBefore({77}), 5U);
  EXPECT_EQ(index.end_position(), 32U);
}

}  // namespace
}  // namespace meridian::store
