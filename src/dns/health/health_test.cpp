#include "dns/health/health.hpp"

#include <string_view>

#include <gtest/gtest.h>

namespace meridian::dns {
namespace {

// Feeds probes, '+' a hit and '-' a miss, and returns after each whether it is serving: "10".
std::string Serving(Health* health, std::string_view probes) {
  std::string serving;
  for (char probe : probes) {
    if (probe == '+') health->ProbeHit();
    if (probe == '-') health->ProbeMissed();
    serving.push_back(health->serving() ? '1' : '0');
  }
  return serving;
}

TEST(Health, BeforeTheFirstProbeTheConfiguredStateCounts) {
  Health health;
  EXPECT_TRUE(health.serving());
  health.SetConfigured(ConfiguredState::kStarting);
  EXPECT_TRUE(health.serving()) << "of a peer that was never heard the view can say no more";
  health.SetConfigured(ConfiguredState::kOut);
  EXPECT_FALSE(health.serving());
}

TEST(Health, ThreeMissesTakeItOutAndTwoHitsBringItBack) {
  Health health;
  EXPECT_EQ(Serving(&health, "+--"), "111");
  EXPECT_EQ(Serving(&health, "-"), "0");
  EXPECT_EQ(Serving(&health, "---+"), "0000");
  EXPECT_EQ(Serving(&health, "+"), "1");
}

TEST(Health, TheFirstProbeOfAServerThatStartsMayTakeOutWhatSaysThatItServes) {
  Health health;
  Serving(&health, "-");
  health.DecideByFirstProbe();
  EXPECT_FALSE(health.serving());
  EXPECT_EQ(Serving(&health, "+"), "1");

  Health hit;
  Serving(&hit, "+");
  hit.DecideByFirstProbe();
  EXPECT_EQ(Serving(&hit, "--"), "11");

  Health starting;
  starting.SetConfigured(ConfiguredState::kStarting);
  Serving(&starting, "-");
  starting.DecideByFirstProbe();
  EXPECT_EQ(Serving(&starting, "--"), "10");
}

TEST(Health, MissesOfTheFirstStartAreForgottenWhenItServes) {
  Health health;
  health.SetConfigured(ConfiguredState::kStarting);
  EXPECT_EQ(Serving(&health, "---"), "110");
  health.SetConfigured(ConfiguredState::kServing);
  EXPECT_TRUE(health.serving()) << "visitors of a site that has just started were sent elsewhere";
  EXPECT_EQ(Serving(&health, "---"), "110");
}

TEST(Health, MissesOfALaterStartCount) {
  Health health;
  Serving(&health, "++");
  health.SetConfigured(ConfiguredState::kStarting);
  EXPECT_EQ(Serving(&health, "---"), "110");
  health.SetConfigured(ConfiguredState::kServing);
  EXPECT_EQ(Serving(&health, "++"), "01");
}

TEST(Health, OnlyResultsInARowCount) {
  Health health;
  EXPECT_EQ(Serving(&health, "--+--+--+"), "111111111");
  EXPECT_EQ(Serving(&health, "---"), "110");
  EXPECT_EQ(Serving(&health, "+-+-+-++"), "00000001");
}

TEST(Health, ADataCenterThatStartsAgainServesAfterTwoHits) {
  Health health;
  Serving(&health, "++");
  health.SetConfigured(ConfiguredState::kOut);
  health.SetConfigured(ConfiguredState::kStarting);
  EXPECT_FALSE(health.serving());
  EXPECT_EQ(Serving(&health, "+-+-++"), "000001");
  health.SetConfigured(ConfiguredState::kServing);
  EXPECT_TRUE(health.serving());
}

TEST(Health, TheViewTakesItOutAtOnceWhateverProbesSay) {
  Health health;
  Serving(&health, "++++");
  health.SetConfigured(ConfiguredState::kOut);
  EXPECT_FALSE(health.serving());
  EXPECT_EQ(Serving(&health, "++"), "00");
}

TEST(Health, ADataCenterThatCannotServeByItselfIsOutThoughItsEdgeAnswersProbes) {
  Health health;
  Serving(&health, "++");
  health.SetAvailable(false);
  EXPECT_EQ(Serving(&health, "++"), "00");
  health.SetAvailable(true);
  EXPECT_TRUE(health.serving());
}

TEST(Health, AfterDrainingProbesMustBringItBack) {
  Health health;
  health.SetConfigured(ConfiguredState::kOut);
  Serving(&health, "---");  // a draining edge is not ready
  health.SetConfigured(ConfiguredState::kServing);
  EXPECT_FALSE(health.serving());
  EXPECT_EQ(Serving(&health, "++"), "01");
}

TEST(Health, ShortDrainAndAProbeUnderWayDoNotTakeItOutAgain) {
  Health health;
  Serving(&health, "++");
  health.SetConfigured(ConfiguredState::kOut);
  Serving(&health, "--");
  health.SetConfigured(ConfiguredState::kServing);
  EXPECT_EQ(Serving(&health, "-++"), "111") << "it flapped: out, back, out, back for one drain";
}

}  // namespace
}  // namespace meridian::dns
