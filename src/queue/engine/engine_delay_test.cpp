// Topics with meridian.delay.ms.
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/engine/engine.hpp"
#include "queue/engine/engine_fixture.hpp"

namespace meridian::queue {
namespace {

using std::chrono::minutes;

const TopicPartition kLater{"later", 0};

class EngineDelayTest : public EngineTest {
 protected:
  static Task<void> CreateLater(Engine& engine, std::string delay_ms = "60000") {
    co_await MustCreate(engine, "later", 1, {{"meridian.delay.ms", std::move(delay_ms)}});
  }
  static Task<int64_t> Latest(Engine& engine) {
    auto found = co_await engine.ListOffset(kLater, kLatestOffset);
    EXPECT_TRUE(found && *found);
    co_return found && *found ? (*found)->offset : -1;
  }
  static Task<void> Sleep(Duration duration) { EXPECT_TRUE(co_await io::Sleep(duration)); }
};

TEST_F(EngineDelayTest, AMessageIsSeenWhenTheDelayHasPassedSinceItWasAppended) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    co_await CreateLater(engine);
    EXPECT_EQ(co_await MustProduce(engine, kLater, {"one"}), 0) << "the producer does not wait";
    co_await Sleep(seconds{30});
    co_await MustProduce(engine, kLater, {"two"});
    EXPECT_EQ(co_await Values(engine, kLater), "");
    EXPECT_EQ(co_await Latest(engine), 0);
    co_await Sleep(milliseconds{29'500});
    EXPECT_EQ(co_await Values(engine, kLater), "");
    co_await Sleep(seconds{1});
    EXPECT_EQ(co_await Values(engine, kLater), "one ");
    EXPECT_EQ(co_await Latest(engine), 1);
    co_await Sleep(seconds{30});
    EXPECT_EQ(co_await Values(engine, kLater), "one two ");
    EXPECT_EQ(co_await Latest(engine), 2);
  });
}

TEST_F(EngineDelayTest, ACrashNeitherShortensNorBeginsTheDelayAgain) {
  for (bool checkpoint : {false, true}) {
    const std::string topic = checkpoint ? "with" : "without";
    const TopicPartition where{topic, 0};
    RunAndCrash([&](Engine& engine, Machine&) -> Task<void> {
      co_await MustCreate(engine, topic, 1, {{"meridian.delay.ms", "60000"}});
      co_await MustProduce(engine, where, {"one"});
      co_await Sleep(seconds{20});
      co_await MustProduce(engine, where, {"two"});
      if (checkpoint) EXPECT_TRUE(co_await engine.CheckpointNow());
    });
    Run([&](Engine& engine, Machine&) -> Task<void> {
      EXPECT_EQ(co_await Values(engine, where), "") << topic << " a checkpoint";
      co_await Sleep(milliseconds{39'000});
      EXPECT_EQ(co_await Values(engine, where), "") << topic << " a checkpoint";
      // Stamps just after a restart may be ahead of the clock.
      co_await Sleep(seconds{1} + store::kClockBoundWindow);
      EXPECT_EQ(co_await Values(engine, where), "one ") << topic << " a checkpoint";
      co_await Sleep(seconds{20});
      EXPECT_EQ(co_await Values(engine, where), "one two ") << topic << " a checkpoint";
    });
  }
}

TEST_F(EngineDelayTest, AReaderThatWaitsIsWokenWhenTheNextMessageIsDue) {
  Run([](Engine& engine, Machine& machine) -> Task<void> {
    co_await CreateLater(engine, "20000");
    co_await MustProduce(engine, kLater, {"one"});
    const SeenPartition seen{.where = kLater, .high_watermark = 0};
    const TimePoint begin = machine.loop.Now();
    EXPECT_TRUE(co_await engine.AwaitData({&seen, 1}, 1, machine.loop.After(minutes{1})));
    const Duration waited = machine.loop.Now() - begin;
    EXPECT_GE(waited, milliseconds{19'000});
    EXPECT_LE(waited, milliseconds{20'100});
    EXPECT_EQ(co_await Values(engine, kLater), "one ");
  });
}

TEST_F(EngineDelayTest, AReaderOfAnEmptyTopicIsWokenByAMessageThatComesWhileItWaits) {
  Run([](Engine& engine, Machine& machine) -> Task<void> {
    co_await CreateLater(engine, "5000");
    io::Scope scope(machine.loop);
    auto produce = [&]() -> Task<void> {
      co_await Sleep(seconds{3});
      co_await MustProduce(engine, kLater, {"one"});
    };
    scope.Spawn(produce());
    const SeenPartition seen{.where = kLater, .high_watermark = 0};
    const TimePoint begin = machine.loop.Now();
    EXPECT_TRUE(co_await engine.AwaitData({&seen, 1}, 1, machine.loop.After(minutes{1})));
    EXPECT_GE(machine.loop.Now() - begin, milliseconds{8'000});
    EXPECT_LE(machine.loop.Now() - begin, milliseconds{8'100});
    EXPECT_FALSE(co_await engine.AwaitData({&seen, 1}, 1 << 20, machine.loop.Now()) &&
                 co_await Values(engine, kLater) == "");
    co_await scope.Join();
  });
}

TEST_F(EngineDelayTest, AWaitForMessagesThatDoNotComeEndsAtItsDeadline) {
  Run([](Engine& engine, Machine& machine) -> Task<void> {
    co_await CreateLater(engine, "700");
    const SeenPartition seen{.where = kLater, .high_watermark = 0};
    const TimePoint deadline = machine.loop.After(seconds{10});
    EXPECT_FALSE(co_await engine.AwaitData({&seen, 1}, 1, deadline));
    EXPECT_EQ(machine.loop.Now(), deadline);
  });
}

TEST_F(EngineDelayTest, ACancelledWaitEndsAtOnce) {
  Run([](Engine& engine, Machine& machine) -> Task<void> {
    co_await CreateLater(engine, "700");
    io::Scope scope(machine.loop);
    auto wait = [&]() -> Task<void> {
      const SeenPartition seen{.where = kLater, .high_watermark = 0};
      EXPECT_FALSE(co_await engine.AwaitData({&seen, 1}, 1, machine.loop.After(minutes{1})));
    };
    scope.Spawn(wait());
    co_await Sleep(seconds{2});
    const TimePoint cancelled = machine.loop.Now();
    scope.Cancel();
    co_await scope.Join();
    EXPECT_EQ(machine.loop.Now(), cancelled);
  });
}

TEST_F(EngineDelayTest, AnOffsetThatIsHiddenCanBeReadFromWithoutAnError) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "later");
    co_await MustProduce(engine, kLater, {"one"});
    EXPECT_TRUE(co_await engine.ConfigureTopic("later", {{"meridian.delay.ms", "60000"}}));
    co_await MustProduce(engine, kLater, {"two"});
    EXPECT_EQ(co_await Values(engine, kLater), "one ") << "what was seen stays";
    auto view = co_await engine.Fetch({.where = kLater, .offset = 2}, 1000);
    EXPECT_TRUE(view);
    if (view) EXPECT_EQ(view->range.bytes, 0u);
    auto past = co_await engine.Fetch({.where = kLater, .offset = 3}, 1000);
    EXPECT_FALSE(past);
  });
}

TEST_F(EngineDelayTest, WithoutTheDelayAllIsSeenAtOnce) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    co_await CreateLater(engine);
    co_await MustProduce(engine, kLater, {"one"});
    EXPECT_EQ(co_await Values(engine, kLater), "");
    EXPECT_TRUE(co_await engine.ConfigureTopic("later", {}));
    EXPECT_EQ(co_await Values(engine, kLater), "one ");
  });
}

TEST_F(EngineDelayTest, LookupsByTimeAndDeletionsStopWhereReadersDo) {
  Run([](Engine& engine, Machine&) -> Task<void> {
    co_await CreateLater(engine);
    co_await MustProduce(engine, kLater, {"one"});
    co_await Sleep(seconds{61});
    co_await MustProduce(engine, kLater, {"two"});
    auto found = co_await engine.ListOffset(kLater, 1000);
    EXPECT_TRUE(found && *found && (*found)->offset == 0);
    auto deleted = co_await engine.DeleteRecords(kLater, kLatestOffset);
    EXPECT_TRUE(deleted && *deleted == 1);
    found = co_await engine.ListOffset(kLater, 1000);
    EXPECT_TRUE(found && !*found);
    co_await Sleep(seconds{61});
    EXPECT_EQ(co_await Values(engine, kLater, 1), "two ");
  });
}

TEST_F(EngineDelayTest, RetentionCountsFromWhenAMessageIsSeen) {
  Run([](Engine& engine, Machine& machine) -> Task<void> {
    co_await MustCreate(engine, "later", 1,
                        {{"meridian.delay.ms", "60000"}, {"retention.ms", "10000"}});
    const int64_t now_ms =
        std::chrono::floor<milliseconds>(machine.loop.Wall()).time_since_epoch().count();
    auto outcome = co_await Produce(engine, kLater, BatchOf({"one"}, {}, now_ms));
    EXPECT_EQ(outcome.error, QueueError::kNone);
    co_await Sleep(seconds{62});
    EXPECT_EQ(co_await Values(engine, kLater), "one ");
    co_await Sleep(seconds{20});
    EXPECT_EQ(co_await Latest(engine), 1);
    auto begin = co_await engine.ListOffset(kLater, kEarliestOffset);
    EXPECT_TRUE(begin && *begin && (*begin)->offset == 1) << "now it is gone";
  });
}

}  // namespace
}  // namespace meridian::queue
