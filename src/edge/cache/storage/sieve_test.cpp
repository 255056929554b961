#include "edge/cache/storage/sieve.hpp"

#include <array>

#include <gtest/gtest.h>

namespace meridian::edge {
namespace {

TEST(Sieve, TheOldestGoesFirstUnlessItWasVisited) {
  std::array<SieveNode, 4> nodes;
  Sieve sieve;
  for (SieveNode& node : nodes) sieve.Add(&node);
  nodes[0].visited = true;
  EXPECT_EQ(sieve.Next(), &nodes[1]);
  EXPECT_FALSE(nodes[0].visited);
}

TEST(Sieve, TheHandGoesOnWhereItStoppedAndPastTheEndToTheOldest) {
  std::array<SieveNode, 3> nodes;
  Sieve sieve;
  for (SieveNode& node : nodes) sieve.Add(&node);
  for (SieveNode& node : nodes) node.visited = true;
  EXPECT_EQ(sieve.Next(), &nodes[0]);  // all were visited: once around
  sieve.Remove(&nodes[0]);
  EXPECT_EQ(sieve.Next(), &nodes[1]);
  EXPECT_EQ(sieve.Next(), &nodes[2]);
  EXPECT_EQ(sieve.Next(), &nodes[1]);
}

TEST(Sieve, AWalkOfFewStepsGoesOnWhereTheLastOneEnded) {
  std::array<SieveNode, 3> nodes;
  Sieve sieve;
  for (SieveNode& node : nodes) sieve.Add(&node);
  for (SieveNode& node : nodes) node.visited = true;
  size_t steps = 2;
  EXPECT_EQ(sieve.Next(&steps), nullptr);
  EXPECT_EQ(steps, 0U);
  steps = 2;
  EXPECT_EQ(sieve.Next(&steps), &nodes[0]);
  EXPECT_EQ(steps, 0U);
  steps = 2;
  EXPECT_EQ(sieve.Next(&steps), &nodes[1]);
  EXPECT_EQ(steps, 1U);
}

TEST(Sieve, AnEntryMayLeaveWhileTheHandPointsAtIt) {
  std::array<SieveNode, 3> nodes;
  Sieve sieve;
  for (SieveNode& node : nodes) sieve.Add(&node);
  EXPECT_EQ(sieve.Next(), &nodes[0]);
  sieve.Remove(&nodes[1]);
  EXPECT_EQ(sieve.Next(), &nodes[2]);
  sieve.Remove(&nodes[2]);
  EXPECT_EQ(sieve.Next(), &nodes[0]);
  sieve.Remove(&nodes[0]);
  EXPECT_TRUE(sieve.empty());
}

}  // namespace
}  // namespace meridian::edge
