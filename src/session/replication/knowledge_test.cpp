#include "session/replication/knowledge.hpp"

#include <gtest/gtest.h>

namespace meridian::session {
namespace {

const std::vector<std::string> kPlaces = {"us-east", "us-west", "eu-west"};

Beat MakeBeat(uint64_t time, std::vector<HybridTime> heard) {
  return {.time = {time}, .data_centers = kPlaces, .heard = std::move(heard)};
}

TEST(Knowledge, NothingIsKnownBeforeEverybodyWasHeard) {
  Knowledge east(kPlaces, 0);
  EXPECT_EQ(east.known(), HybridTime());
  ASSERT_TRUE(east.Hear(1, MakeBeat(100, {{90}, {100}, {80}})));
  EXPECT_EQ(east.known(), HybridTime());
}

TEST(Knowledge, IsWhatAllHaveOfEachOther) {
  Knowledge east(kPlaces, 0);
  ASSERT_TRUE(east.Hear(1, MakeBeat(100, {{90}, {100}, {80}})));
  ASSERT_TRUE(east.Hear(2, MakeBeat(70, {{95}, {60}, {70}})));
  EXPECT_EQ(east.known(), HybridTime{70});  // eu-west's later writes have not come
  ASSERT_TRUE(east.Hear(2, MakeBeat(120, {{95}, {110}, {120}})));
  EXPECT_EQ(east.known(), HybridTime{90});  // us-west lacks our later writes
}

TEST(Knowledge, BeatThatIsAppliedAgainTakesNothingBack) {
  Knowledge east({"us-east", "us-west"}, 0);
  Beat later{.time = {100}, .data_centers = {"us-east", "us-west"}, .heard = {{90}, {100}}};
  Beat earlier{.time = {50}, .data_centers = {"us-east", "us-west"}, .heard = {{40}, {50}}};
  ASSERT_TRUE(east.Hear(1, later));
  ASSERT_TRUE(east.Hear(1, earlier));
  EXPECT_EQ(east.known(), HybridTime{90});
}

TEST(Knowledge, DataCentersInAnotherOrderAreRefused) {
  Knowledge east(kPlaces, 0);
  Beat beat = MakeBeat(100, {{90}, {100}, {80}});
  std::swap(beat.data_centers[1], beat.data_centers[2]);
  EXPECT_FALSE(east.Hear(1, beat));
  EXPECT_EQ(east.heard(1), HybridTime());
}

TEST(Knowledge, OwnBeatSaysWhatWasHeard) {
  Knowledge east(kPlaces, 0);
  ASSERT_TRUE(east.Hear(1, MakeBeat(100, {{90}, {100}, {80}})));
  EXPECT_EQ(east.MakeBeat({200}), MakeBeat(200, {{200}, {100}, {0}}));
}

TEST(Beat, ComesBackAsItWas) {
  Beat beat = MakeBeat(100, {{90}, {UINT64_MAX}, {80}});
  EXPECT_EQ(DecodeBeat(AsBytes(EncodeBeat(beat))).value(), beat);
}

TEST(Beat, CutOrContinuedIsRefused) {
  std::string bytes = EncodeBeat(MakeBeat(100, {{90}, {100}, {80}}));
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(DecodeBeat(AsBytes(bytes.substr(0, cut)))) << cut;
  }
  EXPECT_FALSE(DecodeBeat(AsBytes(bytes + "x")));
}

}  // namespace
}  // namespace meridian::session
