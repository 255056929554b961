#include "session/replication/matrix_clock.hpp"

#include <gtest/gtest.h>

namespace meridian::session {
namespace {

const std::vector<std::string> kReplicas = {"us-east", "us-west", "eu-west"};

Heartbeat MakeHeartbeat(uint64_t time, std::vector<HybridTime> applied) {
  return {.time = {time}, .data_centers = kReplicas, .applied = std::move(applied)};
}

TEST(MatrixClock, HorizonIsZeroBeforeEveryReplicaWasHeard) {
  MatrixClock east(kReplicas, 0);
  EXPECT_EQ(east.stability_horizon(), HybridTime());
  ASSERT_TRUE(east.Observe(1, MakeHeartbeat(100, {{90}, {100}, {80}})));
  EXPECT_EQ(east.stability_horizon(), HybridTime());
}

TEST(MatrixClock, HorizonIsTheLowestTimeThatAllHaveApplied) {
  MatrixClock east(kReplicas, 0);
  ASSERT_TRUE(east.Observe(1, MakeHeartbeat(100, {{90}, {100}, {80}})));
  ASSERT_TRUE(east.Observe(2, MakeHeartbeat(70, {{95}, {60}, {70}})));
  EXPECT_EQ(east.stability_horizon(), HybridTime{60});  // eu-west lacks us-west's later writes
  ASSERT_TRUE(east.Observe(2, MakeHeartbeat(120, {{95}, {110}, {120}})));
  EXPECT_EQ(east.stability_horizon(), HybridTime{80});  // us-west lacks eu-west's later writes
  ASSERT_TRUE(east.Observe(1, MakeHeartbeat(130, {{90}, {130}, {115}})));
  EXPECT_EQ(east.stability_horizon(), HybridTime{90});  // us-west lacks our later writes
}

TEST(MatrixClock, HeartbeatThatIsAppliedAgainLowersNothing) {
  MatrixClock east({"us-east", "us-west"}, 0);
  Heartbeat later{.time = {100}, .data_centers = {"us-east", "us-west"}, .applied = {{90}, {100}}};
  Heartbeat earlier{.time = {50}, .data_centers = {"us-east", "us-west"}, .applied = {{40}, {50}}};
  ASSERT_TRUE(east.Observe(1, later));
  ASSERT_TRUE(east.Observe(1, earlier));
  EXPECT_EQ(east.stability_horizon(), HybridTime{90});
}

TEST(MatrixClock, DataCentersInAnotherOrderAreRefused) {
  MatrixClock east(kReplicas, 0);
  Heartbeat heartbeat = MakeHeartbeat(100, {{90}, {100}, {80}});
  std::swap(heartbeat.data_centers[1], heartbeat.data_centers[2]);
  EXPECT_FALSE(east.Observe(1, heartbeat));
  EXPECT_EQ(east.applied(1), HybridTime());
}

TEST(MatrixClock, OwnHeartbeatSaysWhatIsApplied) {
  MatrixClock east(kReplicas, 0);
  ASSERT_TRUE(east.Observe(1, MakeHeartbeat(100, {{90}, {100}, {80}})));
  EXPECT_EQ(east.MakeHeartbeat({200}), MakeHeartbeat(200, {{200}, {100}, {0}}));
}

TEST(Heartbeat, ComesBackAsItWas) {
  Heartbeat heartbeat = MakeHeartbeat(100, {{90}, {UINT64_MAX}, {80}});
  EXPECT_EQ(DecodeHeartbeat(AsBytes(EncodeHeartbeat(heartbeat))).value(), heartbeat);
}

TEST(Heartbeat, CutOrContinuedIsRefused) {
  std::string bytes = EncodeHeartbeat(MakeHeartbeat(100, {{90}, {100}, {80}}));
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(DecodeHeartbeat(AsBytes(bytes.substr(0, cut)))) << cut;
  }
  EXPECT_FALSE(DecodeHeartbeat(AsBytes(bytes + "x")));
}

}  // namespace
}  // namespace meridian::session
