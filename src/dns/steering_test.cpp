#include "dns/steering.hpp"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

namespace meridian::dns {
namespace {

constexpr uint8_t kEast = 0;
constexpr uint8_t kWest = 1;
constexpr uint8_t kEurope = 2;
constexpr Location kAshburn{39.04, -77.49};
constexpr Location kSanJose{37.34, -121.89};
constexpr Location kFrankfurt{50.11, 8.68};
constexpr Location kNewYork{40.71, -74.01};
constexpr Location kOregon{45.52, -122.68};
constexpr int kClients = 20000;

std::vector<DataCenterCandidate> Three() {
  return {{.name = "us-east", .location = UnitVectorOf(kAshburn)},
          {.name = "us-west", .location = UnitVectorOf(kSanJose)},
          {.name = "eu-central", .location = UnitVectorOf(kFrankfurt)}};
}

std::vector<DataCenterCandidate> Weighted(double east, double west) {
  std::vector<DataCenterCandidate> candidates = Three();
  candidates.pop_back();
  candidates[kEast].weight = east;
  candidates[kWest].weight = west;
  return candidates;
}

SteeringClient ClientAt(const Location& location) {
  return {
      .address = IpAddress::V4(198, 51, 100, 1), .location = UnitVectorOf(location), .mapped = {}};
}

// The nth of many clients, each in its own block, with unknown locations.
SteeringClient Client(int n) {
  return {.address = IpAddress::V4(10, static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n), 1),
          .location = {},
          .mapped = {}};
}

std::vector<uint8_t> OrderOf(const Choice& choice) {
  return {choice.data_centers().begin(), choice.data_centers().end()};
}

std::vector<uint8_t> Order(const Steering& steering, const SteeringClient& client) {
  return OrderOf(steering.Choose(client));
}

uint8_t First(const Steering& steering, const SteeringClient& client) {
  return Order(steering, client).front();
}

double ShareOf(const Steering& steering, uint8_t data_center) {
  int count = 0;
  for (int n = 0; n < kClients; ++n) count += First(steering, Client(n)) == data_center ? 1 : 0;
  return static_cast<double>(count) / kClients;
}

TEST(Steering, NearestComesFirstAndTheOthersByDistance) {
  Steering steering(SteeringMode::kNearest, Three());
  EXPECT_EQ(Order(steering, ClientAt(kNewYork)), (std::vector{kEast, kWest, kEurope}));
  EXPECT_EQ(Order(steering, ClientAt(kOregon)), (std::vector{kWest, kEast, kEurope}));
  EXPECT_EQ(Order(steering, ClientAt({51.5, -0.13})), (std::vector{kEurope, kEast, kWest}));
}

TEST(Steering, DistanceAloneNeedsNoBitsOfTheBlock) {
  Steering steering(SteeringMode::kNearest, Three());
  EXPECT_FALSE(steering.Choose(ClientAt(kOregon)).by_block);
  EXPECT_TRUE(steering.Choose(Client(1)).by_block);
  EXPECT_TRUE(Steering(SteeringMode::kWeighted, Three()).Choose(ClientAt(kOregon)).by_block);
}

TEST(Steering, WhatIsOutIsNotInTheOrder) {
  std::vector<DataCenterCandidate> candidates = Three();
  candidates[kWest].serving = false;
  Steering steering(SteeringMode::kNearest, candidates);
  EXPECT_EQ(Order(steering, ClientAt(kOregon)), (std::vector{kEast, kEurope}));
}

TEST(Steering, WhenAllAreOutAllAreAnswered) {
  std::vector<DataCenterCandidate> candidates = Three();
  for (DataCenterCandidate& candidate : candidates) candidate.serving = false;
  for (SteeringMode mode :
       {SteeringMode::kNearest, SteeringMode::kWeighted, SteeringMode::kMapped}) {
    Choice choice = Steering(mode, candidates).Choose(ClientAt(kNewYork));
    EXPECT_TRUE(choice.all_are_out);
    EXPECT_EQ(choice.count, 3);
  }
}

TEST(Steering, WeightsAreTheSharesOfClients) {
  EXPECT_NEAR(ShareOf(Steering(SteeringMode::kWeighted, Weighted(30, 70)), kEast), 0.3, 0.015);
  EXPECT_NEAR(ShareOf(Steering(SteeringMode::kWeighted, Weighted(99, 1)), kWest), 0.01, 0.004);
  EXPECT_EQ(ShareOf(Steering(SteeringMode::kWeighted, Weighted(0, 100)), kEast), 0);
}

TEST(Steering, ChangedWeightMovesOnlyTheDifference) {
  Steering before(SteeringMode::kWeighted, Weighted(30, 70));
  Steering after(SteeringMode::kWeighted, Weighted(40, 60));
  int moved = 0;
  for (int n = 0; n < kClients; ++n) {
    uint8_t from = First(before, Client(n));
    uint8_t to = First(after, Client(n));
    if (from == to) continue;
    ++moved;
    EXPECT_EQ(to, kEast) << "nobody moves away from the one that got heavier";
  }
  EXPECT_NEAR(static_cast<double>(moved) / kClients, 0.1, 0.01);
}

TEST(Steering, LostDataCenterMovesOnlyItsOwnClients) {
  std::vector<DataCenterCandidate> candidates = Three();
  Steering whole(SteeringMode::kWeighted, candidates);
  candidates[kWest].serving = false;
  Steering without(SteeringMode::kWeighted, candidates);
  for (int n = 0; n < 2000; ++n) {
    std::vector<uint8_t> wishes = Order(whole, Client(n));
    std::erase(wishes, kWest);
    EXPECT_EQ(Order(without, Client(n)), wishes);
  }
}

TEST(Steering, ServersAgreeInWhateverOrderTheyKnowTheDataCenters) {
  std::vector<DataCenterCandidate> forward = Three();
  std::vector<DataCenterCandidate> backward(forward.rbegin(), forward.rend());
  Steering a(SteeringMode::kWeighted, forward);
  Steering b(SteeringMode::kWeighted, backward);
  for (int n = 0; n < 2000; ++n) {
    EXPECT_EQ(forward[First(a, Client(n))].name, backward[First(b, Client(n))].name);
  }
}

TEST(Steering, ClientsOfOneBlockAreNotToldApart) {
  Steering steering(SteeringMode::kWeighted, Three());
  for (int host = 0; host < 256; ++host) {
    SteeringClient client = Client(5);
    client.address = IpAddress::V4(10, 0, 5, static_cast<uint8_t>(host));
    EXPECT_EQ(Order(steering, client), Order(steering, Client(5)));
  }
  SteeringClient a{.address = *IpAddress::Parse("2001:db8:1:200::1"), .location = {}, .mapped = {}};
  SteeringClient b{.address = *IpAddress::Parse("2001:db8:1:2ff::9"), .location = {}, .mapped = {}};
  EXPECT_EQ(Order(steering, a), Order(steering, b));
  EXPECT_EQ(BlockBits(a.address), 56);
  EXPECT_EQ(BlockBits(Client(5).address), 24);
}

TEST(Steering, ClientsOfUnknownLocationAreSpreadByWeight) {
  EXPECT_NEAR(ShareOf(Steering(SteeringMode::kNearest, Weighted(50, 50)), kEast), 0.5, 0.02);
}

TEST(Steering, DataCentersInOnePlaceShareTheirClientsByWeight) {
  std::vector<DataCenterCandidate> candidates = Three();
  candidates[kWest].location = candidates[kEast].location;
  Steering steering(SteeringMode::kNearest, candidates);
  std::map<uint8_t, int> clients;
  for (int n = 0; n < 1000; ++n) {
    SteeringClient client = Client(n);
    client.location = UnitVectorOf(kNewYork);
    ++clients[First(steering, client)];
  }
  EXPECT_NEAR(clients[kEast], 500, 60);
  EXPECT_NEAR(clients[kWest], 500, 60);
}

TEST(Steering, WeightZeroIsTheLastResortOfEveryMode) {
  std::vector<DataCenterCandidate> candidates = Three();
  candidates[kWest].weight = 0;
  EXPECT_EQ(Order(Steering(SteeringMode::kNearest, candidates), ClientAt(kOregon)),
            (std::vector{kEast, kEurope, kWest}));
  candidates[kEast].serving = candidates[kEurope].serving = false;
  EXPECT_EQ(Order(Steering(SteeringMode::kNearest, candidates), ClientAt(kOregon)),
            std::vector{kWest});
}

TEST(Steering, MapComesBeforeDistanceWhileItsDataCenterServes) {
  std::vector<DataCenterCandidate> candidates = Three();
  SteeringClient client = ClientAt(kOregon);
  client.mapped = kEurope;
  EXPECT_EQ(Order(Steering(SteeringMode::kMapped, candidates), client),
            (std::vector{kEurope, kWest, kEast}));
  EXPECT_EQ(First(Steering(SteeringMode::kNearest, candidates), client), kWest);
  candidates[kEurope].serving = false;
  EXPECT_EQ(Order(Steering(SteeringMode::kMapped, candidates), client),
            (std::vector{kWest, kEast}));
}

TEST(Steering, ADataCenterOfWeightZeroKeepsItsMappedClientsWhenAnotherOneIsFull) {
  std::vector<DataCenterCandidate> candidates = Three();
  candidates[kEurope].weight = 0;
  candidates[kEast].kept_share = 0.5;
  SteeringClient client = ClientAt(kOregon);
  client.mapped = kEurope;
  EXPECT_EQ(First(Steering(SteeringMode::kMapped, candidates), client), kEurope);
  // Nor does it get the clients of the full one.
  client.mapped = kEast;
  EXPECT_NE(First(Steering(SteeringMode::kMapped, candidates), client), kEurope);
}

TEST(Steering, FullDataCenterPassesOnTheShareThatItDoesNotKeep) {
  std::vector<DataCenterCandidate> candidates = Three();
  candidates[kEast].kept_share = 0.6;
  Steering steering(SteeringMode::kNearest, candidates);
  std::map<uint8_t, int> clients;
  for (int n = 0; n < kClients; ++n) {
    SteeringClient client = Client(n);
    client.location = UnitVectorOf(kNewYork);
    ++clients[First(steering, client)];
    EXPECT_TRUE(steering.Choose(client).by_block);
  }
  EXPECT_NEAR(clients[kEast], 0.6 * kClients, 0.015 * kClients);
  EXPECT_NEAR(clients[kWest], 0.4 * kClients, 0.015 * kClients);
  EXPECT_EQ(clients[kEurope], 0);
}

TEST(Steering, ClientsThatOneFullDataCenterPassesOnAreSpreadByTheNext) {
  std::vector<DataCenterCandidate> candidates = Three();
  candidates[kEast].kept_share = candidates[kWest].kept_share = 0.5;
  Steering steering(SteeringMode::kNearest, candidates);
  std::map<uint8_t, int> clients;
  for (int n = 0; n < kClients; ++n) {
    SteeringClient client = Client(n);
    client.location = UnitVectorOf(kNewYork);
    ++clients[First(steering, client)];
  }
  EXPECT_NEAR(clients[kWest], 0.25 * kClients, 0.015 * kClients);
  EXPECT_NEAR(clients[kEurope], 0.25 * kClients, 0.015 * kClients);
}

TEST(Steering, ShrinkingShareMovesOnlyMoreOfTheSameClients) {
  std::vector<DataCenterCandidate> candidates = Three();
  candidates[kEast].kept_share = 0.7;
  Steering before(SteeringMode::kWeighted, candidates);
  candidates[kEast].kept_share = 0.4;
  Steering after(SteeringMode::kWeighted, candidates);
  for (int n = 0; n < 2000; ++n) {
    if (First(before, Client(n)) != kEast) {
      EXPECT_EQ(First(after, Client(n)), First(before, Client(n)));
    }
  }
}

}  // namespace
}  // namespace meridian::dns
