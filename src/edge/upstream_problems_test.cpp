#include "edge/upstream_problems.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "edge/limits.hpp"

namespace meridian::edge {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1h};
Error Refused() { return {Errc::kRefused, "refused"}; }

TEST(UpstreamProblems, AnOriginThatIsDownIsOneLineForAllLoops) {
  UpstreamProblems problems;
  std::atomic<int> lines = 0;
  std::atomic<int> ends = 0;
  std::vector<std::thread> loops;
  for (int i = 0; i < 4; ++i) {
    loops.emplace_back([&, i] {
      // Their clocks differ a little.
      for (Duration since = i * 1ms; since < 1s; since += 1ms) {
        if (problems.OnFailure("origin", Refused(), kNow + since)) ++lines;
        if (problems.OnAnswer("origin", kNow + since)) ++ends;
      }
    });
  }
  for (std::thread& loop : loops) loop.join();
  EXPECT_EQ(lines, 1);
  EXPECT_EQ(ends, 0) << "it fails and answers by turns";
}

TEST(UpstreamProblems, ItsEndIsOneLineAndTheNextFailureIsNews) {
  UpstreamProblems problems;
  EXPECT_FALSE(problems.OnAnswer("origin", kNow));
  EXPECT_TRUE(problems.OnFailure("origin", Refused(), kNow));
  EXPECT_FALSE(problems.OnAnswer("other", kNow + kUpstreamSolvedAfter));
  EXPECT_FALSE(problems.OnAnswer("origin", kNow + kUpstreamSolvedAfter - 1ms));
  EXPECT_TRUE(problems.OnAnswer("origin", kNow + kUpstreamSolvedAfter));
  EXPECT_FALSE(problems.OnAnswer("origin", kNow + kUpstreamSolvedAfter));
  EXPECT_TRUE(problems.OnFailure("origin", Refused(), kNow + 2 * kUpstreamSolvedAfter));
}

TEST(UpstreamProblems, TwoUpstreamsThatFailAreTwoLines) {
  UpstreamProblems problems;
  EXPECT_TRUE(problems.OnFailure("us-east", Refused(), kNow));
  EXPECT_TRUE(problems.OnFailure("us-west", Refused(), kNow));
  EXPECT_FALSE(problems.OnFailure("us-east", Refused(), kNow));
}

}  // namespace
}  // namespace meridian::edge
