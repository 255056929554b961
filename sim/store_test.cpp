// Tests sim store itself: it must catch bugs planted in its disks.
#include "sim/store.hpp"

#include <gtest/gtest.h>

#include "base/log.hpp"

namespace meridian::sim {
namespace {

// Number of failures among the first seeds; stops at the first failure.
int Failures(PlantedBug bug) {
  ConfigureLog({.min_level = LogLevel::kOff, .process = "sim_test"});
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    if (SimulateStoreWith(seed, io::sim::TraceMode::kHashOnly, bug).broken) return 1;
  }
  return 0;
}

TEST(PlantedStoreBugTest, AcknowledgementBeforeTheSyncIsCaught) {
  EXPECT_GT(Failures(PlantedBug::kSyncsNothing), 0);
}

TEST(PlantedStoreBugTest, MissingSyncOfAFolderIsCaught) {
  EXPECT_GT(Failures(PlantedBug::kForgetsFolderSyncs), 0);
}

}  // namespace
}  // namespace meridian::sim
