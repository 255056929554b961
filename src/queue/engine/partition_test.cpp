#include "queue/engine/partition.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "queue/partition/segment.hpp"

namespace meridian::queue {
namespace {

TEST(PartitionRunTimeTest, SegmentsOfASnapshotFollowEachOtherUpToTheEnd) {
  Partition partition({1, 0}, "orders-0");
  partition.set_position({.end_offset = 30, .segments = {{.base_offset = 0, .end_offset = 10}}});
  auto add = [&](std::vector<SegmentPosition> segments) { return partition.AddSegments(segments); };
  EXPECT_FALSE(add({{.base_offset = 9, .end_offset = 20}})) << "within the first one";
  EXPECT_FALSE(add({{.base_offset = 10, .end_offset = 20}, {.base_offset = 20, .end_offset = 31}}))
      << "above the end";
  EXPECT_EQ(partition.position().segments.size(), 1U);
  EXPECT_TRUE(add({{.base_offset = 10, .end_offset = 20}, {.base_offset = 25, .end_offset = 30}}));
  EXPECT_EQ(partition.position().segments.size(), 3U);
}

}  // namespace
}  // namespace meridian::queue
