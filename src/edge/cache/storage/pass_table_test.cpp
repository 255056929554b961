#include "edge/cache/storage/pass_table.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace meridian::edge {
namespace {

constexpr TimePoint kNow{std::chrono::hours{1}};

TEST(PassTable, AKeyPassesForAWhile) {
  PassTable table;
  EXPECT_FALSE(table.Passes(7, kNow));
  table.Add(7, kNow);
  EXPECT_TRUE(table.Passes(7, kNow + kPassTime - Duration{1}));
  EXPECT_FALSE(table.Passes(7, kNow + kPassTime));
  EXPECT_FALSE(table.Passes(7 + kPassSlots, kNow));
  table.Remove(7);
  EXPECT_FALSE(table.Passes(7, kNow));
}

TEST(PassTable, ANewerKeyOverwritesAnOlderOneInItsSlot) {
  PassTable table;
  table.Add(7, kNow);
  table.Add(7 + kPassSlots, kNow);
  EXPECT_FALSE(table.Passes(7, kNow));
  EXPECT_TRUE(table.Passes(7 + kPassSlots, kNow));
}

}  // namespace
}  // namespace meridian::edge
