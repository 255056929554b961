#include "store/log/retention.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace meridian::store {
namespace {

using std::chrono::seconds;

constexpr WallTime kNow{seconds{1000}};

// Segments of 100 bytes and 10 offsets, the newest written now, each other a minute before the
// next.
std::vector<SegmentSummary> Segments(uint64_t count) {
  std::vector<SegmentSummary> segments;
  for (uint64_t i = 0; i < count; ++i) {
    segments.push_back({.end_offset = (i + 1) * 10,
                        .bytes = 100,
                        .newest = HybridTime::FromWall(kNow - seconds{60 * (count - 1 - i)})});
  }
  return segments;
}

uint64_t Below(const RetentionPolicy& policy, uint64_t segments = 5) {
  return RemovableBelow(Segments(segments), policy, kNow);
}

TEST(RetentionTest, WithoutAReasonEverythingStays) { EXPECT_EQ(Below({}), 0U); }

TEST(RetentionTest, SegmentOlderThanTheAgeGoes) {
  EXPECT_EQ(Below({.max_age = seconds{121}}), 20U);
  EXPECT_EQ(Below({.max_age = seconds{120}}), 20U) << "at the age it stays";
  EXPECT_EQ(Below({.max_age = seconds{119}}), 30U);
}

TEST(RetentionTest, OldestGoUntilTheBytesFit) {
  EXPECT_EQ(Below({.max_bytes = 500}), 0U);
  EXPECT_EQ(Below({.max_bytes = 499}), 10U);
  EXPECT_EQ(Below({.max_bytes = 200}), 30U);
}

TEST(RetentionTest, LastSegmentStays) {
  EXPECT_EQ(Below({.max_bytes = 1}), 40U);
  EXPECT_EQ(Below({.released_before = 1000}), 40U);
  EXPECT_EQ(Below({.max_bytes = 1}, 1), 0U);
  EXPECT_EQ(Below({.max_bytes = 1}, 0), 0U);
}

TEST(RetentionTest, SegmentMayGoWhenASnapshotCoversAllOfIt) {
  EXPECT_EQ(Below({.released_before = 20}), 20U);
  EXPECT_EQ(Below({.released_before = 29}), 20U);
}

TEST(RetentionTest, PinnedSegmentsStayWhateverTheirAgeAndSize) {
  EXPECT_EQ(Below({.max_age = seconds{1}, .max_bytes = 1, .pinned_from = 20}), 20U);
  EXPECT_EQ(Below({.max_age = seconds{1}, .max_bytes = 1, .pinned_from = 19}), 10U);
}

}  // namespace
}  // namespace meridian::store
