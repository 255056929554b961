#include "sim/simulation.hpp"

#include <atomic>
#include <set>

#include <gmock/gmock.h>

#include "base/log.hpp"
#include "sim/runner.hpp"

namespace meridian::sim {
namespace {

using io::sim::TraceMode;

class EachSimulation : public testing::TestWithParam<Simulation> {
 protected:
  // The programs' logs about injected faults are not of interest here.
  EachSimulation() { ConfigureLog({.min_level = LogLevel::kOff, .process = "sim_test"}); }
};

TEST_P(EachSimulation, SameSeedGivesTheSameTraceByteForByte) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Outcome first = GetParam().run(seed, TraceMode::kText);
    Outcome second = GetParam().run(seed, TraceMode::kText);
    EXPECT_FALSE(first.trace.empty());
    EXPECT_EQ(first.trace, second.trace) << seed;
    EXPECT_EQ(first.trace_hash, second.trace_hash) << seed;
    EXPECT_EQ(GetParam().run(seed, TraceMode::kHashOnly).trace_hash, first.trace_hash) << seed;
  }
}

TEST_P(EachSimulation, DifferentSeedsGiveDifferentTraces) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    hashes.insert(GetParam().run(seed, TraceMode::kHashOnly).trace_hash);
  }
  EXPECT_EQ(hashes.size(), 20U);
}

TEST_P(EachSimulation, PromisesHold) {
  RunReport report = RunSeeds(GetParam(), {.seeds = 100, .threads = 2});
  EXPECT_EQ(report.failed_seed, std::nullopt) << report.broken;
  EXPECT_EQ(report.seeds, 100U);
}

INSTANTIATE_TEST_SUITE_P(Sim, EachSimulation, testing::ValuesIn(Simulations()),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(RunSeedsTest, LeastSeedThatFailedIsTold) {
  Simulation fails_from_30 = {"toy", "", [](uint64_t seed, TraceMode) {
                                Outcome outcome;
                                if (seed >= 30) outcome.broken = "the promise";
                                return outcome;
                              }};
  for (unsigned threads : {1U, 4U}) {
    RunReport report = RunSeeds(fails_from_30, {.first_seed = 5, .seeds = 100, .threads = threads});
    EXPECT_EQ(report.failed_seed, 30U);
    EXPECT_EQ(report.broken, "the promise");
    EXPECT_LT(report.seeds, 100U) << "no seed is begun after a failure";
  }
}

TEST(RunSeedsTest, EverySeedIsRunOnce) {
  static std::atomic<uint64_t> sum;
  sum = 0;
  Simulation adds = {"toy", "", [](uint64_t seed, TraceMode) {
                       sum += seed;
                       return Outcome{};
                     }};
  EXPECT_EQ(RunSeeds(adds, {.first_seed = 1, .seeds = 100, .threads = 3}).seeds, 100U);
  EXPECT_EQ(sum, 5050U);
}

TEST(RunSeedsTest, AfterTheTimeIsUpNoSeedIsBegun) {
  Simulation holds = {"toy", "", [](uint64_t, TraceMode) { return Outcome{}; }};
  RunReport report =
      RunSeeds(holds, {.seeds = 100, .max_duration = Duration::zero(), .threads = 2});
  EXPECT_EQ(report.seeds, 2U) << "one on each thread";
}

}  // namespace
}  // namespace meridian::sim
