#include "dns/data_centers.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace meridian::dns {
namespace {

constexpr Duration kTtl = std::chrono::seconds{5};
constexpr TimePoint kNow{std::chrono::hours{1}};

site::Site TwoDataCenters() {
  site::Site site{.name = "photos", .domain = "photos.example"};
  site.datacenters = {{.name = "us-east",
                       .address = IpAddress::V4(127, 1, 0, 1),
                       .public_addresses = {IpAddress::V4(192, 0, 2, 1)},
                       .location = {39.04, -77.49}},
                      {.name = "us-west",
                       .address = IpAddress::V4(127, 2, 0, 1),
                       .public_addresses = {IpAddress::V4(192, 0, 2, 2)},
                       .location = {37.34, -121.89}}};
  return site;
}

site::DataCenterView Seen(const char* name, site::DataCenterState state) {
  return {.name = name, .weight = 100, .state = state};
}

std::vector<bool> Serving(const DataCenters& data_centers) {
  std::vector<bool> serving;
  for (const DataCenterCandidate& candidate : data_centers.candidates())
    serving.push_back(candidate.serving);
  return serving;
}

TEST(DataCenters, AllServeBeforeAnythingIsHeard) {
  DataCenters data_centers(TwoDataCenters(), kTtl);
  EXPECT_EQ(Serving(data_centers), (std::vector{true, true}));
  EXPECT_FALSE(data_centers.TakeChange());
}

TEST(DataCenters, AnAgentThatIsNotHeardDoesNotTakeItsDataCenterOut) {
  DataCenters data_centers(TwoDataCenters(), kTtl);
  data_centers.OnView(
      {.number = 1, .datacenters = {Seen("us-east", site::DataCenterState::kDown)}});
  EXPECT_EQ(Serving(data_centers), (std::vector{true, true}));
}

TEST(DataCenters, FirstProbesDecideUnlessAllMissed) {
  DataCenters data_centers(TwoDataCenters(), kTtl);
  data_centers.OnProbe(0, false);
  EXPECT_FALSE(data_centers.AllProbed());
  data_centers.DecideByFirstProbes();
  EXPECT_EQ(Serving(data_centers), (std::vector{true, true}));
  data_centers.OnProbe(1, true);
  EXPECT_TRUE(data_centers.AllProbed());
  data_centers.DecideByFirstProbes();
  EXPECT_EQ(Serving(data_centers), (std::vector{false, true}));
}

TEST(DataCenters, TheViewTakesOutWhatIsDraining) {
  for (site::DataCenterState state :
       {site::DataCenterState::kDraining, site::DataCenterState::kDrained}) {
    DataCenters data_centers(TwoDataCenters(), kTtl);
    data_centers.OnView({.number = 1, .datacenters = {Seen("us-east", state)}});
    EXPECT_EQ(Serving(data_centers), (std::vector{false, true}));
    EXPECT_TRUE(data_centers.TakeChange());
    EXPECT_FALSE(data_centers.TakeChange());
  }
}

TEST(DataCenters, ProbesTakeOutWhatFailsWithoutAWord) {
  DataCenters data_centers(TwoDataCenters(), kTtl);
  for (int i = 0; i < 3; ++i) data_centers.OnProbe(1, false);
  EXPECT_EQ(Serving(data_centers), (std::vector{true, false}));
  for (int i = 0; i < 2; ++i) data_centers.OnProbe(1, true);
  EXPECT_EQ(Serving(data_centers), (std::vector{true, true}));
}

TEST(DataCenters, ViewThatSaysTheSameAgainChangesNothing) {
  DataCenters data_centers(TwoDataCenters(), kTtl);
  site::SiteView view{.number = 1,
                      .datacenters = {Seen("us-east", site::DataCenterState::kServing),
                                      Seen("us-west", site::DataCenterState::kServing)}};
  data_centers.OnView(view);
  EXPECT_FALSE(data_centers.TakeChange());
  view.datacenters[0].weight = 10;
  data_centers.OnView(view);
  EXPECT_TRUE(data_centers.TakeChange());
}

TEST(DataCenters, ViewOfAnUnknownDataCenterIsPassedOver) {
  DataCenters data_centers(TwoDataCenters(), kTtl);
  data_centers.OnView(
      {.number = 1, .datacenters = {Seen("mars", site::DataCenterState::kServing)}});
  EXPECT_EQ(data_centers.candidates().size(), 2U);
  EXPECT_FALSE(data_centers.TakeChange());
}

TEST(DataCenters, OverloadMovesClientsToWhereThereIsRoom) {
  DataCenters data_centers(TwoDataCenters(), kTtl);
  site::DataCenterView east = Seen("us-east", site::DataCenterState::kServing);
  site::DataCenterView west = Seen("us-west", site::DataCenterState::kServing);
  east.capacity_rps = west.capacity_rps = 1000;
  east.load_rps = 1500;
  data_centers.OnView({.number = 1, .datacenters = {east, west}});
  data_centers.Spill(kNow);
  EXPECT_TRUE(data_centers.TakeChange());
  EXPECT_LT(data_centers.candidates()[0].kept_share, 0.7);
  EXPECT_EQ(data_centers.candidates()[1].kept_share, 1);
}

TEST(DataCenters, WeightZeroOffersNoRoomForOthersOverload) {
  DataCenters data_centers(TwoDataCenters(), kTtl);
  site::DataCenterView east = Seen("us-east", site::DataCenterState::kServing);
  site::DataCenterView west = Seen("us-west", site::DataCenterState::kServing);
  east.capacity_rps = 1000;
  east.load_rps = 1500;
  west.weight = 0;
  data_centers.OnView({.number = 1, .datacenters = {east, west}});
  data_centers.Spill(kNow);
  EXPECT_EQ(data_centers.candidates()[0].kept_share, 1);
}

TEST(DataCenters, SnapshotAnswersWithWhatIsKnownNow) {
  site::Site site = TwoDataCenters();
  Result<FixedParts> parts = FixedParts::Make(site, Config{}, kTtl);
  ASSERT_TRUE(parts) << parts.error().message;
  EXPECT_EQ(parts->zone->ttl_seconds(), 5U);
  DataCenters data_centers(site, kTtl);
  auto count = [&] {
    auto snapshot = data_centers.MakeSnapshot(*parts);
    return Decide(*snapshot, {IpAddress::V4(198, 51, 100, 1), 32}).choice.count;
  };
  EXPECT_EQ(count(), 2);
  for (int i = 0; i < 3; ++i) data_centers.OnProbe(0, false);
  EXPECT_EQ(count(), 1);
}

TEST(FixedParts, GeoDatabaseThatIsMissingIsNamed) {
  Config config{.geo_database = "/nowhere/city.mmdb"};
  Result<FixedParts> parts = FixedParts::Make(TwoDataCenters(), config, kTtl);
  ASSERT_FALSE(parts);
  EXPECT_EQ(parts.error().code, Errc::kNotFound);
  EXPECT_NE(parts.error().message.find("/nowhere/city.mmdb"), std::string::npos);
}

}  // namespace
}  // namespace meridian::dns
