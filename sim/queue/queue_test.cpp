// Tests sim queue itself: it must catch bugs planted in its disk.
#include "sim/queue/queue.hpp"

#include <gtest/gtest.h>

#include "base/log.hpp"

namespace meridian::sim {
namespace {

// Number of failures among the first seeds; stops at the first failure.
int Failures(PlantedQueueBug bug) {
  ConfigureLog({.min_level = LogLevel::kOff, .process = "sim_test"});
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    if (SimulateQueueWith(seed, io::sim::TraceMode::kHashOnly, bug).broken) return 1;
  }
  return 0;
}

TEST(PlantedQueueBugTest, AcknowledgementBeforeTheSyncIsCaught) {
  EXPECT_GT(Failures(PlantedQueueBug::kSyncsNothing), 0);
}

TEST(PlantedQueueBugTest, CheckpointOfSegmentFilesThatAreNotSyncedIsCaught) {
  EXPECT_GT(Failures(PlantedQueueBug::kForgetsSegmentSyncs), 0);
}

}  // namespace
}  // namespace meridian::sim
