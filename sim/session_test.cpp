// Tests sim session itself: it must catch planted bugs.
#include "sim/session.hpp"

#include <gtest/gtest.h>

#include "base/log.hpp"

namespace meridian::sim {
namespace {

// Whether one of the first seeds fails.
bool IsCaught(SessionBug bug) {
  ConfigureLog({.min_level = LogLevel::kOff, .process = "sim_test"});
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    if (SimulateSessionWith(seed, io::sim::TraceMode::kHashOnly, bug).broken) return true;
  }
  return false;
}

TEST(PlantedSessionBugTest, AcknowledgementBeforeTheSyncIsCaught) {
  EXPECT_TRUE(IsCaught(SessionBug::kAnswersBeforeSync));
}

TEST(PlantedSessionBugTest, TombstoneThatIsForgottenTooEarlyIsCaught) {
  EXPECT_TRUE(IsCaught(SessionBug::kDropsTombstones));
}

}  // namespace
}  // namespace meridian::sim
