// Tests sim coordinator itself: it must see two holders where the clocks differ by more than the
// terms allow for.
#include "sim/coordinator/coordinator.hpp"

#include <gtest/gtest.h>

#include "base/log.hpp"

namespace meridian::sim {
namespace {

TEST(CoordinatorSimulationTest, ClocksThatDifferTooMuchAreCaught) {
  ConfigureLog({.min_level = LogLevel::kOff, .process = "sim_test"});
  bool caught = false;
  for (uint64_t seed = 1; seed <= 300 && !caught; ++seed) {
    auto broken = SimulateCoordinatorWith(seed, io::sim::TraceMode::kHashOnly, 250'000).broken;
    caught = broken && broken->find("hold the term") != std::string::npos;
  }
  EXPECT_TRUE(caught);
}

}  // namespace
}  // namespace meridian::sim
