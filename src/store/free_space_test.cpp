#include "store/free_space.hpp"

#include <gtest/gtest.h>

namespace meridian::store {
namespace {

TEST(FreeSpace, ReserveStaysFree) {
  FreeSpace space(100);
  EXPECT_TRUE(space.HasRoomFor(1'000'000)) << "nothing is known yet";
  space.Take(150, 0, 0);
  EXPECT_TRUE(space.HasRoomFor(50));
  EXPECT_FALSE(space.HasRoomFor(51));
  space.Take(99, 0, 0);
  EXPECT_FALSE(space.HasRoomFor(0));
}

TEST(FreeSpace, WhatIsAppendedAfterAReadingCounts) {
  FreeSpace space(100);
  space.Take(150, 0, 0);
  space.Charge(50);
  EXPECT_TRUE(space.HasRoomFor(0));
  EXPECT_FALSE(space.HasRoomFor(1));
  space.Charge(1000);
  EXPECT_FALSE(space.HasRoomFor(0));
}

TEST(FreeSpace, WhatAReadingCannotHaveSeenStillCounts) {
  FreeSpace space(100);
  space.Charge(30);
  uint64_t charged = space.charged();
  space.Charge(20);              // while the disk is asked
  space.Take(160, charged, 10);  // 20 of the 30 are on disk
  EXPECT_EQ(space.charged(), 30U);
  EXPECT_TRUE(space.HasRoomFor(30));
  EXPECT_FALSE(space.HasRoomFor(31));
}

TEST(FreeSpace, WithoutAReserveTheDiskItselfSaysWhenItIsFull) {
  FreeSpace space(0);
  space.Take(10, 0, 0);
  EXPECT_TRUE(space.HasRoomFor(11));
}

}  // namespace
}  // namespace meridian::store
