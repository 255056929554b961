#include "io/sim/world.hpp"

#include <gmock/gmock.h>

#include "io/sim/sim_fixture.hpp"

namespace meridian::io::sim {
namespace {

using testing::HasSubstr;

// A client of an echo server over a link with every fault; the server crashes.
std::string TraceOf(uint64_t seed) {
  World world(seed, TraceMode::kText);
  SimProcess& server = world.AddProcess({.name = "server", .address = kServerAddress}, Echo);
  auto talk = [](Machine& machine) -> Task<void> {
    for (int i = 0; i < 20; ++i) {
      auto stream =
          co_await machine.network.Connect(kService, {.deadline = machine.loop.After(seconds{2})});
      if (!stream) continue;
      (void)co_await (*stream)->Write(AsBytes("hello"), machine.loop.After(seconds{1}));
      (*stream)->ShutdownWrite();
      (void)co_await ReadToEnd(**stream, machine.loop.After(seconds{1}));
    }
  };
  world.AddProcess({.name = "client", .address = kClientAddress, .must_end = true}, talk);
  world.fabric().options.short_reads = 0.5;
  world.fabric().link(1, 0) = {
      .latency = milliseconds{20}, .jitter = milliseconds{10}, .loss = 0.2};
  for (int i = 0; i < 5; ++i) {
    world.After(milliseconds{200 * i + 100},
                [&] { server.CrashAfterIterations(3, CrashKind::kMachine); });
    world.After(milliseconds{200 * i + 200}, [&] { server.Restart(); });
  }
  world.RunToEnd(world.now() + std::chrono::minutes{5});
  EXPECT_EQ(world.failure(), std::nullopt);
  return world.trace().text() + fmt::format("{:x}", world.trace().hash());
}

TEST(WorldTest, SameSeedGivesTheSameTraceByteForByte) {
  for (uint64_t seed = 1; seed <= 10; ++seed) EXPECT_EQ(TraceOf(seed), TraceOf(seed)) << seed;
}

TEST(WorldTest, DifferentSeedsGiveDifferentTraces) {
  std::set<std::string> traces;
  for (uint64_t seed = 1; seed <= 20; ++seed) traces.insert(TraceOf(seed));
  EXPECT_EQ(traces.size(), 20U);
}

TEST(WorldTest, TimeJumpsToTheNextEvent) {
  World world(1);
  Duration slept{};
  auto sleep = [&](Machine& machine) -> Task<void> {
    TimePoint begin = machine.loop.Now();
    CHECK(co_await Sleep(std::chrono::hours{1000}));
    slept = machine.loop.Now() - begin;
  };
  world.AddProcess({.name = "sleeper", .address = kClientAddress, .must_end = true}, sleep);
  world.RunToEnd(world.now() + std::chrono::hours{1001});
  EXPECT_EQ(slept, std::chrono::hours{1000});
}

TEST(WorldTest, WaitThatNothingCanEndFailsAndNamesTheProcess) {
  World world(1);
  auto wait = [](Machine&) -> Task<void> {
    WaitQueue nobody;
    (void)co_await nobody.Wait();
  };
  world.AddProcess({.name = "forgotten", .address = kClientAddress, .must_end = true}, wait);
  world.RunToEnd(kNever);
  ASSERT_TRUE(world.failure());
  EXPECT_THAT(*world.failure(), HasSubstr("process forgotten waits for ever"));
}

TEST(WorldTest, ProcessThatEndsTooLateFailsAndIsNamed) {
  World world(1);
  auto sleep = [](Machine&) -> Task<void> { (void)co_await Sleep(seconds{10}); };
  world.AddProcess({.name = "late", .address = kClientAddress, .must_end = true}, sleep);
  world.RunToEnd(world.now() + seconds{9});
  ASSERT_TRUE(world.failure());
  EXPECT_THAT(*world.failure(), HasSubstr("process late has not ended in time"));
}

TEST(WorldTest, ClocksMayBeWrongEachInItsOwnWay) {
  World world(1);
  std::vector<Duration> steady;
  std::vector<WallTime> wall;
  Main note = [&](Machine& machine) -> Task<void> {
    TimePoint begin = machine.loop.Now();
    CHECK(co_await Sleep(seconds{1000}));
    steady.push_back(machine.loop.Now() - begin);
    wall.push_back(machine.loop.Wall());
  };
  SimProcessOptions right{.name = "right", .address = kServerAddress, .must_end = true};
  SimProcessOptions fast{.name = "fast",
                         .address = kClientAddress,
                         .must_end = true,
                         .wall_skew = seconds{-3},
                         .drift_ppm = 1000};
  world.AddProcess(right, note);
  world.AddProcess(fast, note);
  world.RunToEnd(kNever);
  EXPECT_NEAR(Seconds(world.elapsed()), 1000, 0.001);
  ASSERT_EQ(steady.size(), 2U);
  EXPECT_GE(steady[0], seconds{1000});  // the fast clock, whose sleep ends a second earlier
  EXPECT_LT(steady[0], seconds{1000} + milliseconds{1});
  // A second less has passed, its clock has made up for that, and its skew is left.
  EXPECT_NEAR(Seconds(wall[1] - wall[0]), 3, 0.001);
}

TEST(WorldTest, PausedProcessDoesNothingAndItsClockGoesOn) {
  World world(1);
  std::vector<Duration> woken;
  auto count = [&](Machine& machine) -> Task<void> {
    const TimePoint begin = machine.loop.Now();
    while (co_await Sleep(seconds{1})) woken.push_back(machine.loop.Now() - begin);
  };
  SimProcess& process = world.AddProcess({.name = "counter", .address = kServerAddress}, count);
  world.RunFor(milliseconds{2500});
  process.Pause(seconds{10});
  world.RunFor(seconds{9});
  EXPECT_EQ(woken.size(), 2U);
  world.RunFor(seconds{2});
  ASSERT_EQ(woken.size(), 4U);
  EXPECT_EQ(woken[2], milliseconds{12'500});
  EXPECT_EQ(woken[3], milliseconds{13'500});
  world.End();  // before the objects that the process refers to
}

TEST(WorldTest, CrashEndsAProcessWhereverItWaitsAndRestartRunsItAgain) {
  for (uint64_t iterations = 0; iterations < 20; ++iterations) {
    World world(iterations);
    int entered = 0;
    int left = 0;
    auto count = [&](Machine& machine) -> Task<void> {
      struct Leaving {
        int& left;
        ~Leaving() { ++left; }
      } leaving{left};
      ++entered;
      while (co_await Sleep(milliseconds{1})) (void)machine.random.Next();
    };
    SimProcess& process = world.AddProcess({.name = "counter", .address = kServerAddress}, count);
    process.CrashAfterIterations(iterations, CrashKind::kProcess);
    world.RunFor(seconds{1});
    EXPECT_FALSE(process.running());
    EXPECT_EQ(left, entered);
    process.Restart();
    world.RunFor(seconds{1});
    EXPECT_TRUE(process.running());
    EXPECT_EQ(entered, left + 1);
    EXPECT_EQ(process.lives(), 2);
    world.End();  // before the objects that the process refers to
  }
}

TEST(WorldTest, ProcessThatOnlyWakesItselfMakesTimeStandStill) {
  World world(1);
  auto spin = [](Machine& machine) -> Task<void> {
    Fiber& fiber = co_await ThisFiber{};
    while (!fiber.cancelled()) (void)co_await SleepUntil(machine.loop.Now());
  };
  world.AddProcess({.name = "spinner", .address = kServerAddress}, spin);
  world.RunFor(seconds{1});
  ASSERT_TRUE(world.failure());
  EXPECT_THAT(*world.failure(), HasSubstr("time stands still"));
}

TEST(WorldTest, FirstFailureStaysAndEndsTheRun) {
  World world(1);
  world.After(seconds{1}, [&] { world.Fail("first"); });
  world.After(seconds{2}, [&] { world.Fail("second"); });
  world.RunFor(seconds{5});
  EXPECT_EQ(world.failure(), "after 1.000000 s: first");
  EXPECT_EQ(world.elapsed(), seconds{1});
}

}  // namespace
}  // namespace meridian::io::sim
