#include "store/retention.hpp"

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
    segments.push_back({.next_offset = (i + 1) * 10,
                        .bytes = 100,
                        .newest = HybridTime::FromWall(kNow - seconds{60 * (count - 1 - i)})});
  }
  return segments;
}

size_t Removed(const RetentionPolicy& policy, uint64_t segments = 5) {
  return SegmentsToRemove(Segments(segments), policy, kNow);
}

TEST(RetentionTest, WithoutAReasonEverythingStays) { EXPECT_EQ(Removed({}), 0U); }

TEST(RetentionTest, SegmentOlderThanTheAgeGoes) {
  EXPECT_EQ(Removed({.most_age = seconds{121}}), 2U);
  EXPECT_EQ(Removed({.most_age = seconds{120}}), 2U) << "at the age it stays";
  EXPECT_EQ(Removed({.most_age = seconds{119}}), 3U);
}

TEST(RetentionTest, OldestGoUntilTheBytesFit) {
  EXPECT_EQ(Removed({.most_bytes = 500}), 0U);
  EXPECT_EQ(Removed({.most_bytes = 499}), 1U);
  EXPECT_EQ(Removed({.most_bytes = 200}), 3U);
}

TEST(RetentionTest, LastSegmentStays) {
  EXPECT_EQ(Removed({.most_bytes = 1}), 4U);
  EXPECT_EQ(Removed({.released_before = 1000}), 4U);
  EXPECT_EQ(Removed({.most_bytes = 1}, 1), 0U);
  EXPECT_EQ(Removed({.most_bytes = 1}, 0), 0U);
}

TEST(RetentionTest, SegmentGoesWhenASnapshotStandsForAllOfIt) {
  EXPECT_EQ(Removed({.released_before = 20}), 2U);
  EXPECT_EQ(Removed({.released_before = 29}), 2U);
}

TEST(RetentionTest, WhatIsPinnedStaysWhateverItsAgeAndSize) {
  EXPECT_EQ(Removed({.most_age = seconds{1}, .most_bytes = 1, .pinned_from = 20}), 2U);
  EXPECT_EQ(Removed({.most_age = seconds{1}, .most_bytes = 1, .pinned_from = 19}), 1U);
}

}  // namespace
}  // namespace meridian::store
