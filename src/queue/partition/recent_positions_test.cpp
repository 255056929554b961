#include "queue/partition/recent_positions.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

#include <gtest/gtest.h>

#include "queue/partition/limits.hpp"

namespace meridian::queue {
namespace {

TEST(RecentPositionsTest, PositionsOfASegmentThatCompactionReplacedAreNotThoseOfTheNewOne) {
  RecentPositions recent;
  recent.Add({.offset = 7, .base_offset = 0, .generation = 0, .position = 500});
  EXPECT_EQ(recent.Find(7, {.base_offset = 0, .generation = 0}), 500U);
  EXPECT_EQ(recent.Find(7, {.base_offset = 0, .generation = 1}), std::nullopt);
  EXPECT_EQ(recent.Find(7, {.base_offset = 5, .generation = 0}), std::nullopt);
}

TEST(RecentPositionsTest, OldestIsForgotten) {
  RecentPositions recent;
  for (size_t i = 0; i <= kRecentPositions; ++i) {
    recent.Add({.offset = static_cast<int64_t>(i), .position = i});
  }
  EXPECT_EQ(recent.Find(0, {}), std::nullopt);
  EXPECT_EQ(recent.Find(static_cast<int64_t>(kRecentPositions), {}), kRecentPositions);
}

}  // namespace
}  // namespace meridian::queue
