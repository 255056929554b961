// What the engine says of itself while the disk has no room.
#include <string>

#include <gtest/gtest.h>

#include "io/scope.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/engine.hpp"
#include "queue/engine/engine_fixture.hpp"
#include "queue/state/refusal.hpp"

namespace meridian::queue {
namespace {

constexpr TopicPartition kOrders{"orders", 0};

class EngineProblemsTest : public EngineTest {};

TEST_F(EngineProblemsTest, CheckpointsThatFailAreReportedUntilOneSucceeds) {
  Run([this](Engine& engine, Machine& machine) -> Task<void> {
    co_await MustCreate(engine, "orders");
    co_await MustProduce(engine, kOrders, {"a"});
    EXPECT_EQ(engine.checkpoint_problem(), "");
    FillDisk();
    io::Scope scope(machine.loop);
    bool written = false;
    auto checkpoint = [&]() -> Task<void> {
      EXPECT_TRUE(co_await engine.CheckpointNow());
      written = true;
    };
    scope.Spawn(checkpoint());
    (void)co_await io::Sleep(seconds{5});
    EXPECT_FALSE(written);
    EXPECT_NE(engine.checkpoint_problem(), "");
    MakeRoom();
    co_await scope.Join();
    EXPECT_EQ(engine.checkpoint_problem(), "");
  });
}

TEST_F(EngineProblemsTest, SegmentFilesThatCannotBeWrittenAreReportedUntilTheyAre) {
  Run([this](Engine& engine, Machine&) -> Task<void> {
    co_await MustCreate(engine, "orders");
    co_await MustProduce(engine, kOrders, {"a"});
    // The journal has room for the batch, and the segment file has none.
    disk().faults.capacity_bytes = disk().used_bytes() + 1500;
    const std::string value(1000, 'x');
    ProduceOutcome outcome = co_await Produce(engine, kOrders, BatchOf({value}), seconds{2});
    EXPECT_EQ(outcome.error, QueueError::kTimedOut) << outcome.message;
    EXPECT_NE(engine.checkpoint_problem(), "");
    EXPECT_EQ(co_await Values(engine, kOrders), "a ");
    MakeRoom();
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(engine.checkpoint_problem(), "");
    EXPECT_EQ(co_await Values(engine, kOrders), "a " + value + " ");
  });
}

}  // namespace
}  // namespace meridian::queue
