#include "agent/peers/availability.hpp"

#include <chrono>
#include <optional>

#include <gtest/gtest.h>

#include "agent/limits.hpp"
#include "base/clock.hpp"

namespace meridian::agent {
namespace {

const TimePoint kStart{std::chrono::hours{1}};
const UnavailableReason kHangs{.reason = "the session tier hangs"};
const UnavailableReason kRestarts{.reason = "the balancer tier is not ready", .restarting = true};

TEST(Availability, ATierThatHangsMakesTheDataCenterUnavailableAtOnce) {
  Availability availability;
  EXPECT_TRUE(availability.available());
  availability.Observe(kHangs, kStart);
  EXPECT_FALSE(availability.available());
  EXPECT_EQ(availability.reason(), "the session tier hangs");
  availability.Observe(std::nullopt, kStart);
  EXPECT_TRUE(availability.available());
}

TEST(Availability, ATierThatIsStartedAgainDoesSoOnlyWhenItTakesLong) {
  Availability availability;
  availability.Observe(kRestarts, kStart);
  availability.Observe(kRestarts, kStart + kRestartGrace - std::chrono::milliseconds(1));
  EXPECT_TRUE(availability.available());
  availability.Observe(kRestarts, kStart + kRestartGrace);
  EXPECT_FALSE(availability.available());
}

TEST(Availability, EachRestartHasItsOwnGrace) {
  Availability availability;
  availability.Observe(kRestarts, kStart);
  availability.Observe(std::nullopt, kStart + kRestartGrace / 2);
  availability.Observe(kRestarts, kStart + kRestartGrace);
  EXPECT_TRUE(availability.available());
}

}  // namespace
}  // namespace meridian::agent
