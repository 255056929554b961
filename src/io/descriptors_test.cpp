#include "io/descriptors.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace meridian::io {
namespace {

TEST(Descriptors, ALowLimitBoundsConnectionsAndLeavesSomeForAllElse) {
  EXPECT_EQ(ConnectionsWithin(1024, 20'000, 2), 448U);
  EXPECT_EQ(ConnectionsWithin(1024, 100, 2), 100U);
  EXPECT_EQ(ConnectionsWithin(1'048'576, 20'000, 2), 20'000U);
  EXPECT_EQ(ConnectionsWithin(64, 20'000, 2), 1U);
  // Each loop has descriptors of its own.
  EXPECT_EQ(ConnectionsWithin(1024, 20'000, 2, 64), 196U);
  EXPECT_EQ(ConnectionsWithin(1024, 20'000, 1, 1, 256), 640U);
}

TEST(Descriptors, ALowLimitBoundsFilesToAQuarter) {
  EXPECT_EQ(FilesWithin(1'048'576, 12'000), 12'000U);
  EXPECT_EQ(FilesWithin(1024, 12'000), 256U);
  EXPECT_EQ(FilesWithin(2, 12'000), 1U);
}

TEST(Descriptors, ALowLimitBoundsLoopsAndLeavesHalfToConnections) {
  EXPECT_EQ(LoopsWithin(1'048'576, 64), 64U);
  EXPECT_EQ(LoopsWithin(1024, 64), 56U);
  EXPECT_EQ(LoopsWithin(100, 64), 1U);
}

TEST(Descriptors, TheSoftLimitIsRaisedToTheHardOneAndTheFormerOneKept) {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit low{.rlim_cur = before.rlim_max / 2, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  RaiseDescriptorLimit();
  rlimit now{};
  getrlimit(RLIMIT_NOFILE, &now);
  EXPECT_EQ(now.rlim_cur, before.rlim_max);
  ASSERT_TRUE(FormerDescriptorLimit());
  EXPECT_EQ(FormerDescriptorLimit()->rlim_cur, low.rlim_cur);
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace meridian::io
