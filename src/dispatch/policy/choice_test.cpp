#include "dispatch/policy/choice.hpp"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace meridian::dispatch {
namespace {

TEST(Choice, WithoutAUsableInstanceThereIsNoChoice) {
  Random random(1);
  EXPECT_EQ(Choose({}, random), std::nullopt);
  std::vector<Candidate> out(3);
  EXPECT_EQ(Choose(out, random), std::nullopt);
}

TEST(Choice, OnlyUsableInstancesAreChosenAndEachOfThemIs) {
  Random random(2);
  std::vector<Candidate> candidates = {{0, false}, {0, true}, {0, false}, {0, true}, {0, true}};
  std::array<int, 5> chosen{};
  for (int i = 0; i < 3000; ++i) ++chosen[Choose(candidates, random).value()];
  EXPECT_EQ(chosen[0], 0);
  EXPECT_EQ(chosen[2], 0);
  for (size_t i : {1u, 3u, 4u}) EXPECT_NEAR(chosen[i], 1000, 150);
}

TEST(Choice, TheMoreLoadedOfTwoIsNeverChosen) {
  Random random(3);
  std::vector<Candidate> candidates = {{7, true}, {2, true}};
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Choose(candidates, random), 1u);
}

TEST(Choice, LoadStaysEvenWhenRequestsNeverEnd) {
  Random random(4);
  std::vector<Candidate> candidates(10, Candidate{0, true});
  for (int i = 0; i < 10'000; ++i) ++candidates[Choose(candidates, random).value()].in_flight;
  for (const Candidate& candidate : candidates) EXPECT_NEAR(candidate.in_flight, 1000, 10);
}

// How often the first candidate is chosen in 10,000 requests that do not overlap.
int TimesFirstIsChosen(std::vector<Candidate> candidates) {
  Random random(5);
  int times = 0;
  for (int i = 0; i < 10'000; ++i) times += Choose(candidates, random) == 0 ? 1 : 0;
  return times;
}

TEST(Choice, AnIdleInstanceInSlowStartGetsItsShare) {
  EXPECT_NEAR(TimesFirstIsChosen({{0, true, 0.1}, {0, true}}), 909, 100);
  EXPECT_NEAR(TimesFirstIsChosen({{0, true, 0.5}, {0, true}}), 3333, 150);
}

TEST(Choice, AnInstanceInSlowStartGetsItsShareOfLongRequests) {
  Random random(6);
  std::vector<Candidate> candidates = {{0, true, 0.1}, {0, true}, {0, true}};
  for (int i = 0; i < 2100; ++i) ++candidates[Choose(candidates, random).value()].in_flight;
  EXPECT_NEAR(candidates[0].in_flight, 100, 10);
}

TEST(WeightedPairs, OneCandidateIsBothOfThePair) {
  Random random(7);
  const WeightedPairs::Pair pair = WeightedPairs({0.5}).Draw(random);
  EXPECT_EQ(pair.first, 0U);
  EXPECT_EQ(pair.second, 0U);
}

TEST(WeightedPairs, TheTwoDifferAndEachIsDrawnByItsWeight) {
  for (const std::vector<double>& weights :
       {std::vector<double>{1, 1, 1, 1}, {0.1, 1, 1, 0.4}, {1, 0.1}, {0.3, 0.3}}) {
    Random random(8);
    const WeightedPairs pairs(weights);
    double sum = 0;
    for (double weight : weights) sum += weight;
    std::vector<double> first(weights.size());
    std::vector<double> second(weights.size());
    constexpr int kDraws = 20'000;
    for (int i = 0; i < kDraws; ++i) {
      const auto [one, other] = pairs.Draw(random);
      ASSERT_NE(one, other);
      ++first[one];
      ++second[other];
    }
    for (size_t i = 0; i < weights.size(); ++i) {
      EXPECT_NEAR(first[i] / kDraws, weights[i] / sum, 0.02) << i;
      double expected = 0;  // as the second, after each other first
      for (size_t j = 0; j < weights.size(); ++j) {
        if (j != i) expected += weights[j] / sum * weights[i] / (sum - weights[j]);
      }
      EXPECT_NEAR(second[i] / kDraws, expected, 0.02) << i;
    }
  }
}

}  // namespace
}  // namespace meridian::dispatch
