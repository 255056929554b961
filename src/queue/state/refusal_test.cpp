#include "queue/state/refusal.hpp"

#include <cerrno>

#include <gtest/gtest.h>

#include "base/result.hpp"

namespace meridian::queue {
namespace {

TEST(RefusalTest, LackOfDescriptorsIsNoFullDisk) {
  for (int number : {EMFILE, ENFILE}) {
    Refusal refusal = UnwritableRefusal(ErrnoError(number, "queue/topics/1/0/7.log"));
    EXPECT_EQ(refusal.error, QueueError::kTooManyRequests);
    EXPECT_TRUE(LacksDescriptors(refusal.message));
  }
  for (int number : {ENOSPC, EDQUOT}) {
    Refusal refusal = UnwritableRefusal(ErrnoError(number, "queue/topics/1/0/7.log"));
    EXPECT_EQ(refusal.error, QueueError::kStorage);
    EXPECT_FALSE(LacksDescriptors(refusal.message));
  }
}

}  // namespace
}  // namespace meridian::queue
