// Queues of three data centers, of which messages want copies in both others.
#include "queue/mirror/copy_gate.hpp"

#include <string>

#include <gtest/gtest.h>

#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine_fixture.hpp"
#include "queue/limits.hpp"
#include "queue/mirror/mirror_site_fixture.hpp"
#include "queue/mirror/mirrors.hpp"
#include "queue/state/queue_state.hpp"

namespace meridian::queue {
namespace {

class CopyGateTest : public MirrorSiteTest {
 protected:
  void SetUp() override {
    for (NodeId id = 1; id <= 3; ++id) AddNode({.id = id, .count = 3, .min_copies = 2});
    StartNodes();
    auto made = On<bool>(1, [](Engine& engine) -> Task<bool> {
      co_return (co_await engine.CreateTopic({.name = "orders"})).has_value();
    });
    ASSERT_TRUE(made);
  }
  // How long the home takes to acknowledge it.
  Duration Produce(std::string value) {
    const TimePoint begun = world_.now();
    auto outcome = On<ProduceOutcome>(1, [&](Engine& engine) {
      return EngineTest::Produce(engine, {"orders", 0}, BatchOf({value}));
    });
    EXPECT_EQ(outcome.error, QueueError::kNone) << outcome.message;
    return world_.now() - begun;
  }
  std::string MissingCopies() { return node(1).mirrors()->MissingCopies(); }
  // That the data center has applied.
  int64_t Messages(NodeId id) {
    const Topic* topic = engine(id).durable().state().FindTopic("orders");
    return topic == nullptr ? -1 : topic->partitions[0].end_offset;
  }
};

TEST_F(CopyGateTest, AcknowledgedMessagesAreInBothOtherDataCenters) {
  EXPECT_LT(Produce("a"), seconds{1});
  EXPECT_EQ(MissingCopies(), "");
  Kill(1);
  world_.RunFor(seconds{1});
  EXPECT_EQ(Messages(2), 1);
  EXPECT_EQ(Messages(3), 1);
}

TEST_F(CopyGateTest, GoesOnWithTheCopiesThatCanBeHadAndSaysHowManyThatAre) {
  Kill(3);
  Duration taken = Produce("a");
  EXPECT_GE(taken, kMaxCopyWait);
  EXPECT_LT(taken, kMaxCopyWait + seconds{1});
  EXPECT_TRUE(
      MissingCopies().starts_with("acknowledged messages are in 1 other data centers, "
                                  "and not in 2"))
      << MissingCopies();
  // The one copy is still waited for, and no second one.
  EXPECT_LT(Produce("b"), seconds{1});
  EXPECT_EQ(Messages(2), 2);
  Kill(2);
  taken = Produce("c");
  EXPECT_GE(taken, kMaxCopyWait);
  EXPECT_LT(taken, kMaxCopyWait + seconds{1});
  EXPECT_TRUE(MissingCopies().starts_with("acknowledged messages are in 0 other data centers"))
      << MissingCopies();
  EXPECT_LT(Produce("d"), seconds{1});
}

TEST_F(CopyGateTest, WaitsForEachCopyAgainOnceItsDataCenterHasCaughtUp) {
  Kill(2);
  Kill(3);
  (void)Produce("a");
  (void)Produce("b");
  Restart(3);
  EXPECT_TRUE(MissingCopies().starts_with("acknowledged messages are in 1 other data centers"))
      << MissingCopies();
  EXPECT_EQ(Messages(3), 2);
  Restart(2);
  EXPECT_EQ(MissingCopies(), "");
  EXPECT_EQ(Messages(2), 2);
  EXPECT_LT(Produce("c"), seconds{1});
  EXPECT_EQ(Messages(2), 3);
  EXPECT_EQ(Messages(3), 3);
}

}  // namespace
}  // namespace meridian::queue
