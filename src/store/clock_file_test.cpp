#include "store/clock_file.hpp"

#include <gtest/gtest.h>

#include "store/limits.hpp"
#include "store/store_fixture.hpp"

namespace meridian::store {
namespace {

class ClockFileTest : public StoreTest {
 protected:
  void RunClock(std::function<Task<void>(HybridClock&, ClockFile&)> use) {
    Run([use](Machine& machine) -> Task<void> {
      HybridClock clock(machine.loop.driver(), kMaxClockSkew);
      auto file = co_await ClockFile::Open(machine.loop, machine.disk, clock, {.folder = "state"});
      EXPECT_TRUE(file) << file.error().message;
      if (!file) co_return;
      co_await use(clock, **file);
      co_await (*file)->Close();
    });
  }
};

TEST_F(ClockFileTest, ClockGoesOnForAsLongAsTheBoundIsRaised) {
  RunClock([](HybridClock& clock, ClockFile&) -> Task<void> {
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(clock.Now());
      (void)co_await io::Sleep(milliseconds{700});
    }
  });
}

TEST_F(ClockFileTest, BoundIsRaisedForAStampThatIsFurtherAhead) {
  RunClock([](HybridClock& clock, ClockFile& file) -> Task<void> {
    HybridTime far{clock.Now()->bits + (uint64_t{9000} << HybridTime::kCounterBits)};
    EXPECT_TRUE(co_await file.Observe(far));
    EXPECT_GT(clock.Now().value(), far);
    HybridTime too_far{far.bits + (uint64_t{9000} << HybridTime::kCounterBits)};
    EXPECT_EQ((co_await file.Observe(too_far)).error().code, Errc::kInvalid);
  });
}

TEST_F(ClockFileTest, DamagedFileIsAnErrorAndNotANewClock) {
  RunClock([](HybridClock&, ClockFile&) -> Task<void> { (void)co_await io::Sleep(seconds{3}); });
  disk().FlipBit("state/clock", 64);
  RunClock([](HybridClock&, ClockFile&) -> Task<void> { co_return; });
  disk().FlipBit("state/clock", 64);
  disk().FlipBit("state/clock", 4096 * 8 + 64);
  Run([](Machine& machine) -> Task<void> {
    HybridClock clock(machine.loop.driver(), kMaxClockSkew);
    auto file = co_await ClockFile::Open(machine.loop, machine.disk, clock, {.folder = "state"});
    EXPECT_EQ(file.error().code, Errc::kIo);
  });
}

TEST_F(ClockFileTest, FailedSyncIsTheEnd) {
  int ended = 0;
  Run([&](Machine& machine) -> Task<void> {
    HybridClock clock(machine.loop.driver(), kMaxClockSkew);
    auto file = co_await ClockFile::Open(
        machine.loop, machine.disk, clock,
        {.folder = "state", .on_disk_failure = [&](const Error&) { ++ended; }});
    EXPECT_TRUE(file);
    disk().faults.sync_failures = 1;
    (void)co_await io::Sleep(2 * kClockBoundWindow);
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(clock.Now().error().code, Errc::kUnavailable);
    co_await (*file)->Close();
  });
}

// The machine crashes at any await, and its wall clock is set back while it is down.
TEST(ClockFileCrashTest, NoProcessGivesAStampThatAnEarlierOneMayHaveGiven) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    HybridTime last;
    io::sim::World world(seed);
    auto live = [&](Machine& machine) -> Task<void> {
      ManualClock wall;
      wall.SkewWall(-seconds{machine.process.lives() * 20});
      HybridClock clock(wall, kMaxClockSkew);
      auto file = co_await ClockFile::Open(machine.loop, machine.disk, clock, {.folder = "state"});
      EXPECT_TRUE(file || file.error().code == Errc::kCancelled) << seed << file.error().message;
      if (!file) co_return;
      do {
        wall.Advance(milliseconds{machine.random.Below(100)});
        auto stamp = clock.Now();
        if (!stamp) continue;
        EXPECT_GT(*stamp, last) << seed;
        last = *stamp;
      } while (co_await io::Sleep(milliseconds{50}));
      co_await (*file)->Close();
    };
    io::sim::SimProcess& process =
        world.AddProcess({.name = "clock", .address = IpAddress::V4(10, 0, 0, 1)}, live);
    for (int life = 0; life < 5; ++life) {
      process.CrashAfterIterations(world.random().Below(100), CrashKind::kMachine);
      world.RunFor(seconds{5});
      process.Restart();
    }
    world.End();
    EXPECT_GT(last, HybridTime{}) << seed;
  }
}

}  // namespace
}  // namespace meridian::store
