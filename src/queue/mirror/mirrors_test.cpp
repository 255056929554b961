// Queues of several data centers on machines of their own, which lose power, links and disks.
#include "queue/mirror/mirrors.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine_fixture.hpp"
#include "queue/limits.hpp"
#include "queue/mirror/mirror_fixture.hpp"
#include "queue/mirror/mirror_site_fixture.hpp"
#include "queue/mirror/peer_caller.hpp"
#include "queue/state/queue_state.hpp"
#include "wire/kafka/messages/metadata.hpp"

namespace meridian::queue {
namespace {

namespace kafka = wire::kafka;

const TopicPartition kOrders{"orders", 0};
constexpr int16_t kMetadataVersion = 12;

class MirrorsTest : public MirrorSiteTest {
 protected:
  void Add(NodeId id, size_t count, size_t min_copies) {
    AddNode({.id = id, .count = count, .min_copies = min_copies, .allowed = allowed_});
  }
  void Start(size_t count = 2, size_t min_copies = 1) {
    for (NodeId id = 1; id <= count; ++id) Add(id, count, min_copies);
    StartNodes();
  }
  void Create(std::string name, uint32_t partitions = 1, TopicOverrides overrides = {}) {
    auto error = On<QueueError>(1, [&](Engine& engine) -> Task<QueueError> {
      auto made = co_await engine.CreateTopic(
          {.name = name, .partitions = partitions, .overrides = overrides});
      co_return made ? QueueError::kNone : made.error().error;
    });
    EXPECT_EQ(error, QueueError::kNone);
  }
  ProduceOutcome Produce(NodeId id, std::vector<std::string> values, TestProducer producer = {},
                         Duration timeout = seconds{30}) {
    return On<ProduceOutcome>(id, [&](Engine& engine) {
      return EngineTest::Produce(engine, kOrders, BatchOf(values, producer), timeout);
    });
  }
  void MustProduce(NodeId id, std::vector<std::string> values, TestProducer producer = {}) {
    ProduceOutcome outcome = Produce(id, std::move(values), producer);
    EXPECT_EQ(outcome.error, QueueError::kNone) << outcome.message;
  }
  // The answer to an order, which comes within a minute.
  template <class T>
  Outcome<T> Order(NodeId id, std::function<Task<Outcome<T>>(Mirrors&)> order) {
    Mirrors* mirrors = node(id).mirrors();
    std::optional<Outcome<T>> result;
    auto run = [&]() -> Task<void> { result = co_await order(*mirrors); };
    node(id).calls()->Spawn(run());
    for (int i = 0; i < 6000 && !result; ++i) world_.RunFor(milliseconds{10});
    EXPECT_TRUE(result.has_value());
    return result.value_or(Refuse(QueueError::kTimedOut, "no answer"));
  }
  Outcome<int32_t> Promote(NodeId id, Mirrors::PromoteRequest request = {.all = true}) {
    return Order<int32_t>(id, [&](Mirrors& mirrors) { return mirrors.Promote(request); });
  }
  // Node 1 lost its disk and is back; node 2 is the home.
  void LoseTheDiskOfTheHome() {
    Start();
    Create("orders");
    MustProduce(1, {"a"});
    Kill(1);
    disk(1).Replace();
    ASSERT_TRUE(Promote(2));
    Restart(1);
    world_.RunFor(seconds{20});
    ASSERT_TRUE(node(2).mirrors()->Peers()[0].other_journal);
  }
  // Its error, or kNone.
  QueueError FollowAnew(NodeId id, const std::string& data_center) {
    auto followed =
        Order<void>(id, [&](Mirrors& mirrors) { return mirrors.FollowAnew(data_center); });
    return followed ? QueueError::kNone : followed.error().error;
  }
  const PartitionState* PartitionAt(NodeId id) {
    const QueueState& state = engine(id).durable().state();
    const Topic* topic = state.FindTopic("orders");
    return topic == nullptr ? nullptr : &topic->partitions[0];
  }
  std::vector<uint8_t> Read(NodeId id, const std::string& path) {
    io::Disk* disk = node(id).disk();
    return On<std::vector<uint8_t>>(id, [&](Engine&) -> Task<std::vector<uint8_t>> {
      auto file = co_await disk->Open(path, io::OpenMode::kRead);
      EXPECT_TRUE(file) << path;
      if (!file) co_return std::vector<uint8_t>();
      std::vector<uint8_t> bytes(*co_await (*file)->Size());
      (void)co_await (*file)->ReadAt(0, bytes);
      co_return bytes;
    });
  }
  std::vector<std::string> SetAside(NodeId id) {
    auto files = process(id).disk().List("queue/set-aside");
    return files ? *files : std::vector<std::string>();
  }

  // Of the nodes that are added from now on.
  std::function<bool(std::string_view)> allowed_ = [](std::string_view) { return true; };
};

TEST_F(MirrorsTest, MirrorHasTheSameBatchesAtTheSameOffsets) {
  Start();
  Create("orders", 3);
  MustProduce(1, {"a", "b"});
  MustProduce(1, {"c"});
  world_.RunFor(seconds{2});
  ASSERT_NE(PartitionAt(2), nullptr);
  EXPECT_EQ(PartitionAt(2)->end_offset, 3);
  const std::string number =
      std::to_string(engine(1).durable().state().FindTopic("orders")->number);
  const std::string file = "queue/topics/" + number + "/0/00000000000000000000.log";
  const std::vector<uint8_t> here = Read(1, file);
  EXPECT_FALSE(here.empty());
  EXPECT_EQ(here, Read(2, file));
}

TEST_F(MirrorsTest, OnlyTheHomeServesClientsAndOnlyTheControllerCreates) {
  Start();
  Create("orders");
  world_.RunFor(seconds{2});
  EXPECT_EQ(Produce(2, {"a"}).error, QueueError::kNotHome);
  EXPECT_EQ(Values(2), "not the home of the topic");
  auto made = On<QueueError>(2, [](Engine& engine) -> Task<QueueError> {
    auto created = co_await engine.CreateTopic({.name = "other"});
    co_return created ? QueueError::kNone : created.error().error;
  });
  EXPECT_EQ(made, QueueError::kNotController);
}

TEST_F(MirrorsTest, AcknowledgedMessagesSurviveTheLossOfTheirHome) {
  Start();
  Create("orders");
  for (int i = 0; i < 20; ++i) MustProduce(1, {std::to_string(i)});
  Kill(1);
  ASSERT_TRUE(Promote(2));
  EXPECT_EQ(Values(2), "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 ");
  MustProduce(2, {"20"});
  EXPECT_TRUE(engine(2).is_controller());
}

TEST_F(MirrorsTest, WithoutAnyMirrorTheHomeGoesOnAloneAfterTenSecondsAndSaysSo) {
  Start();
  Create("orders");
  MustProduce(1, {"a"});
  EXPECT_EQ(node(1).mirrors()->MissingCopies(), "");
  Kill(2);
  const TimePoint begun = world_.now();
  MustProduce(1, {"b"});
  EXPECT_GE(world_.now() - begun, kMaxCopyWait);
  EXPECT_LT(world_.now() - begun, kMaxCopyWait + seconds{1});
  EXPECT_NE(node(1).mirrors()->MissingCopies(), "");
  const TimePoint second = world_.now();
  MustProduce(1, {"c"});
  EXPECT_LT(world_.now() - second, seconds{1});
  Restart(2);
  world_.RunFor(seconds{3});
  EXPECT_EQ(node(1).mirrors()->MissingCopies(), "");
  EXPECT_EQ(PartitionAt(2)->end_offset, 3);
}

TEST_F(MirrorsTest, ReturnedHomeFollowsAndSetsAsideWhatWasNeverMirrored) {
  Start();
  Create("orders");
  MustProduce(1, {"a"});
  Cut(true);
  MustProduce(1, {"lost", "lost too"});  // alone
  ASSERT_TRUE(Promote(2));
  MustProduce(2, {"b"});  // alone
  Cut(false);
  world_.RunFor(seconds{15});
  EXPECT_EQ(Produce(1, {"x"}).error, QueueError::kNotHome);
  EXPECT_FALSE(engine(1).is_controller());
  EXPECT_EQ(PartitionAt(1)->end_offset, 2);
  ASSERT_EQ(SetAside(1).size(), 1U);
  EXPECT_TRUE(SetAside(1)[0].starts_with("orders-0-from-1-before-epoch-")) << SetAside(1)[0];
  // Back again: all is where it was acknowledged last.
  ASSERT_TRUE(Promote(1));
  EXPECT_EQ(Values(1), "a b ");
  MustProduce(1, {"c"});
}

TEST_F(MirrorsTest, HomeThatWasDeadDuringThePromotionDoesNotServeWhenItReturns) {
  Start();
  Create("orders");
  MustProduce(1, {"a"});
  Cut(true);
  MustProduce(1, {"lost"});
  Kill(1);
  ASSERT_TRUE(Promote(2));
  MustProduce(2, {"b"});
  Cut(false);
  Restart(1);
  EXPECT_EQ(Produce(1, {"x"}).error, QueueError::kNotHome);
  world_.RunFor(seconds{5});
  EXPECT_EQ(PartitionAt(1)->end_offset, 2);
  EXPECT_EQ(SetAside(1).size(), 1U);
  // Another crash, with the move only in the copy of the journal.
  Kill(1);
  Restart(1);
  world_.RunFor(seconds{5});
  EXPECT_EQ(PartitionAt(1)->end_offset, 2);
  EXPECT_EQ(SetAside(1).size(), 1U);
  ASSERT_TRUE(Promote(1));
  EXPECT_EQ(Values(1), "a b ");
}

TEST_F(MirrorsTest, HomeThatHasNotHeardOfThePromotionGetsNoMoreAcknowledgements) {
  Start();
  Create("orders");
  MustProduce(1, {"a"});
  // Records and acknowledgements pass from 1 to 2, and nothing of what 2 says in its journal.
  world_.fabric().link(1, 0).latency = seconds{3};
  ASSERT_TRUE(Promote(2));
  ProduceOutcome outcome = Produce(1, {"lost"}, {}, seconds{8});
  EXPECT_NE(outcome.error, QueueError::kNone) << "2 is the home, and does not have it";
}

TEST_F(MirrorsTest, CommittedOffsetsAndProducersAreMirroredInOrder) {
  Start();
  Create("orders");
  auto id = On<int64_t>(
      1, [](Engine& engine) -> Task<int64_t> { co_return *co_await engine.NewProducerId(); });
  MustProduce(1, {"a", "b"}, {.id = id, .epoch = 0, .sequence = 0});
  auto committed = On<QueueError>(1, [](Engine& engine) -> Task<QueueError> {
    OffsetToCommit offset{.where = kOrders, .committed = {.offset = 2, .metadata = "m"}};
    co_return (co_await engine.CommitOffsets("billing", std::span(&offset, 1)))[0];
  });
  EXPECT_EQ(committed, QueueError::kNone);
  world_.RunFor(seconds{2});
  Kill(1);
  ASSERT_TRUE(Promote(2));
  auto found = engine(2).FindCommitted("billing", kOrders);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->offset, 2);
  // The batch that was acknowledged is recognised when it is sent again.
  ProduceOutcome again = Produce(2, {"a", "b"}, {.id = id, .epoch = 0, .sequence = 0});
  EXPECT_EQ(again.base_offset, 0);
  EXPECT_EQ(Values(2), "a b ");
}

TEST_F(MirrorsTest, NewMirrorIsFilledWithWhatWasThereBefore) {
  Add(1, 2, 0);
  Add(2, 2, 0);
  StartNode(1);
  Create("orders");
  for (int i = 0; i < 10; ++i) MustProduce(1, {std::to_string(i)});
  // The journal reaches back no further.
  auto done = On<bool>(1, [](Engine& engine) -> Task<bool> {
    co_return (co_await engine.durable().CheckpointNow()).has_value();
  });
  EXPECT_TRUE(done);
  MustProduce(1, {"10"});
  StartNode(2);
  world_.RunFor(seconds{30});
  ASSERT_NE(PartitionAt(2), nullptr);
  EXPECT_EQ(PartitionAt(2)->end_offset, 11);
  MustProduce(1, {"11"});
  world_.RunFor(seconds{2});
  Kill(1);
  ASSERT_TRUE(Promote(2));
  EXPECT_EQ(Values(2), "0 1 2 3 4 5 6 7 8 9 10 11 ");
}

TEST_F(MirrorsTest, MirrorThatLacksMessagesIsPromotedByForceAlone) {
  // The journal is followed, and every further connection, which fetches old messages, is refused.
  int connections = 0;
  allowed_ = [&connections](std::string_view) { return ++connections == 1; };
  Add(1, 2, 0);
  allowed_ = [](std::string_view) { return true; };
  Add(2, 2, 0);
  StartNode(1);
  Create("orders");
  MustProduce(1, {"a", "b"});
  auto done = On<bool>(1, [](Engine& engine) -> Task<bool> {
    co_return (co_await engine.durable().CheckpointNow()).has_value();
  });
  EXPECT_TRUE(done);
  MustProduce(1, {"c"});
  StartNode(2);
  world_.RunFor(seconds{5});
  ASSERT_NE(PartitionAt(2), nullptr);
  ASSERT_LT(PartitionAt(2)->end_offset, PartitionAt(2)->source_end);

  Outcome<int32_t> refused = Promote(2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error, QueueError::kNotHome);
  EXPECT_EQ(engine(2).FindTopic("orders")->home, 1U);

  ASSERT_TRUE(Promote(2, {.all = true, .force = true}));
  EXPECT_EQ(Values(2), "");
  MustProduce(2, {"d"});
  EXPECT_EQ(Values(2), "d ");
  // What the old home had is not lost, but set aside.
  world_.RunFor(seconds{15});
  EXPECT_EQ(engine(1).FindTopic("orders")->home, 2U);
  EXPECT_EQ(SetAside(1).size(), 1U);
}

TEST_F(MirrorsTest, HomeThatLostItsDiskIsFollowedAnewOnceItIsNoHome) {
  Start();
  Create("orders");
  MustProduce(1, {"a", "b"});
  Kill(1);
  disk(1).Replace();
  EXPECT_EQ(FollowAnew(2, "us-east"), QueueError::kUnknownTopicOrPartition);
  EXPECT_EQ(FollowAnew(2, MirrorNode::NameOf(1)), QueueError::kNotHome)
      << "nothing says that its disk was lost";
  ASSERT_TRUE(Promote(2));
  Restart(1);
  world_.RunFor(seconds{20});
  EXPECT_EQ(Values(1), "not the home of the topic");
  ASSERT_EQ(node(2).mirrors()->Peers().size(), 1U);
  EXPECT_TRUE(node(2).mirrors()->Peers()[0].other_journal);

  ASSERT_EQ(FollowAnew(2, MirrorNode::NameOf(1)), QueueError::kNone);
  world_.RunFor(seconds{10});
  EXPECT_FALSE(node(2).mirrors()->Peers()[0].other_journal);
  EXPECT_TRUE(node(2).mirrors()->Peers()[0].connected);
  // Each has what the other takes from now on, also as the home again.
  MustProduce(2, {"c"});
  ASSERT_TRUE(Promote(1));
  MustProduce(1, {"d"});
  Kill(1);
  ASSERT_TRUE(Promote(2));
  EXPECT_EQ(Values(2), "a b c d ");
}

TEST_F(MirrorsTest, AMoveGoesOnWithoutWhoeverAskedForIt) {
  LoseTheDiskOfTheHome();
  QueueError told = QueueError::kNone;
  auto ask = [&]() -> Task<void> {
    auto followed = co_await io::Within(world_.now() + milliseconds{1},
                                        node(2).mirrors()->FollowAnew(MirrorNode::NameOf(1)));
    if (!followed) told = followed.error().error;
  };
  node(2).calls()->Spawn(ask());
  world_.RunFor(seconds{20});
  EXPECT_EQ(told, QueueError::kClosing);
  EXPECT_FALSE(node(2).mirrors()->Peers()[0].other_journal);
  EXPECT_TRUE(node(2).mirrors()->Peers()[0].connected);
  EXPECT_TRUE(Promote(1)) << "another move may follow";
}

TEST_F(MirrorsTest, CloseEndsAMoveWhichMayBeAskedForAgain) {
  LoseTheDiskOfTheHome();
  for (int i = 0; i < 20; ++i) {
    auto ask = [&]() -> Task<void> {
      (void)co_await node(2).mirrors()->FollowAnew(MirrorNode::NameOf(1));
    };
    node(2).calls()->Spawn(ask());
    world_.RunFor(std::chrono::microseconds{100 * i});
    auto close = [&]() -> Task<void> { co_await node(2).mirrors()->Close(); };
    node(2).calls()->Spawn(close());
    world_.RunFor(seconds{20});
    Kill(2);
    Restart(2);
    world_.RunFor(seconds{20});
    EXPECT_EQ(Values(2), "a ");
  }
  EXPECT_EQ(FollowAnew(2, MirrorNode::NameOf(1)), QueueError::kNone);
}

TEST_F(MirrorsTest, HomeThatLostItsDiskIsNotFollowedWhileTopicsHaveTheirHomeThere) {
  Start();
  Create("orders");
  MustProduce(1, {"a"});
  Kill(1);
  disk(1).Replace();
  Restart(1);
  world_.RunFor(seconds{20});
  EXPECT_EQ(FollowAnew(2, MirrorNode::NameOf(1)), QueueError::kNotHome);
  ASSERT_TRUE(Promote(2));
  EXPECT_EQ(Values(2), "a ") << "nothing was removed";
}

// A start did not replay the batch from the journal, because the checkpoint had another home, and
// failed at the batch behind it.
TEST_F(MirrorsTest, BatchThatWaitsForCopiesWhileItsHomeMovesAwayAndBackSurvivesACrash) {
  Start(3, 2);
  Create("orders");
  MustProduce(1, {"a"});
  world_.fabric().CutBothWays(0, 2, true);
  world_.fabric().CutBothWays(1, 2, true);
  auto produce = [](Engine& engine) -> Task<void> {
    (void)co_await EngineTest::Produce(engine, kOrders, BatchOf({"b"}));
  };
  node(1).calls()->Spawn(produce(engine(1)));
  world_.RunFor(seconds{1});
  ASSERT_EQ(PartitionAt(2)->end_offset, 2);
  ASSERT_TRUE(Promote(2));
  world_.RunFor(seconds{1});
  ASSERT_EQ(engine(1).FindTopic("orders")->home, 2U);
  ASSERT_TRUE(Promote(1));
  MustProduce(1, {"c"});
  Kill(1);
  Restart(1);
  ASSERT_NE(node(1).engine(), nullptr);
  EXPECT_EQ(Values(1), "a b c ");
}

TEST_F(MirrorsTest, KafkaRequestsAtThePeerPortAreForOtherDataCentersAlone) {
  std::string caller = "dc1";  // whose certificate is shown
  allowed_ = [&caller](std::string_view name) { return name == caller; };
  Start(2, 0);
  auto is_answered = [this] {
    return On<bool>(2, [this](Engine&) -> Task<bool> {
      auto response = co_await node(2).mirrors()->CallerOf(1)->Call<kafka::MetadataResponse>(
          kafka::MetadataRequest{}, kMetadataVersion, world_.now() + seconds{10});
      co_return response.has_value();
    });
  };
  EXPECT_FALSE(is_answered()) << "the data center itself";
  caller = "london";
  EXPECT_FALSE(is_answered()) << "an edge place of the site";
  caller = "dc2";
  EXPECT_TRUE(is_answered());
}

TEST_F(MirrorsTest, OneTopicMovesAndTheControllerStays) {
  Start();
  Create("orders");
  Create("other");
  MustProduce(1, {"a"});
  world_.RunFor(seconds{1});
  ASSERT_TRUE(Promote(2, {.topics = {"orders"}}));
  world_.RunFor(seconds{2});
  EXPECT_TRUE(engine(1).is_controller());
  MustProduce(2, {"b"});
  EXPECT_EQ(Produce(1, {"x"}).error, QueueError::kNotHome);
  EXPECT_EQ(engine(1).FindTopic("other")->home, 1U);
  EXPECT_EQ(Values(2), "a b ");
  EXPECT_TRUE(SetAside(1).empty());
  // 2 has stopped following 1 for the move, and goes on.
  EXPECT_TRUE(node(2).mirrors()->Peers()[0].connected);
  EXPECT_EQ(node(1).mirrors()->MissingCopies(), "");
}

// The second new home did not know of the first, whose messages stood at the same offsets.
TEST_F(MirrorsTest, MessagesOfAHomeThatTheNextOneNeverHeardOfAreCutOffWhereTheyPart) {
  Start(3);
  Create("orders");
  MustProduce(1, {"a"});
  world_.RunFor(seconds{2});
  // 1 and 2 on one side, 3 on the other.
  world_.fabric().CutBothWays(0, 2, true);
  world_.fabric().CutBothWays(1, 2, true);
  ASSERT_TRUE(Promote(2));
  MustProduce(2, {"lost"});
  ASSERT_TRUE(Promote(3));
  MustProduce(3, {"b", "c"});
  world_.fabric().CutBothWays(0, 2, false);
  world_.fabric().CutBothWays(1, 2, false);
  world_.RunFor(seconds{20});
  EXPECT_EQ(SetAside(1).size(), 1U);
  EXPECT_EQ(SetAside(2).size(), 1U);
  Kill(3);
  ASSERT_TRUE(Promote(1));
  EXPECT_EQ(Values(1), "a b c ");
}

TEST_F(MirrorsTest, MessagesThatFindNoRoomAreSetAsideOnceThereIsSome) {
  Start();
  Create("orders");
  MustProduce(1, {"a"});
  Cut(true);
  MustProduce(1, {std::string(200'000, 'x')});  // alone
  ASSERT_TRUE(Promote(2));
  disk(1).faults.capacity_bytes = disk(1).used_bytes() + 100'000;
  Cut(false);
  world_.RunFor(seconds{15});
  EXPECT_EQ(Produce(1, {"y"}).error, QueueError::kNotHome);
  EXPECT_TRUE(SetAside(1).empty());
  // The next life has to try, too.
  disk(1).faults.capacity_bytes = disk(1).used_bytes() + 100'000;
  Kill(1);
  process(1).Restart();
  world_.RunFor(seconds{15});
  EXPECT_TRUE(SetAside(1).empty());
  disk(1).faults.capacity_bytes = UINT64_MAX;
  world_.RunFor(seconds{15});
  ASSERT_EQ(SetAside(1).size(), 1U);
  const std::vector<uint8_t> bytes = Read(1, "queue/set-aside/" + SetAside(1)[0]);
  EXPECT_EQ(std::ranges::count(bytes, 'x'), 200'000);
  EXPECT_EQ(Values(2), "a ");
}

TEST_F(MirrorsTest, TopicThatIsDeletedBeforeItWasCutOffHoldsUpNothingElse) {
  Start();
  Create("orders");
  MustProduce(1, {"a"});
  Cut(true);
  MustProduce(1, {"lost"});  // alone
  ASSERT_TRUE(Promote(2));
  auto deleted = On<bool>(2, [](Engine& engine) -> Task<bool> {
    co_return (co_await engine.DeleteTopic("orders")).has_value();
  });
  EXPECT_TRUE(deleted);
  auto made = On<bool>(2, [](Engine& engine) -> Task<bool> {
    co_return (co_await engine.CreateTopic({.name = "orders"})).has_value();
  });
  EXPECT_TRUE(made);
  MustProduce(2, {"new"});  // alone
  Cut(false);
  world_.RunFor(seconds{15});
  EXPECT_EQ(node(2).mirrors()->MissingCopies(), "");
  EXPECT_EQ(PartitionAt(1)->end_offset, 1);
  Kill(1);
  Restart(1);
  ASSERT_TRUE(Promote(1));
  EXPECT_EQ(Values(1), "new ");
}

TEST_F(MirrorsTest, TopicsThatTheNewControllerDoesNotKnowAreSetAside) {
  Start();
  Cut(true);
  Create("orders");
  MustProduce(1, {"a"});  // alone
  ASSERT_TRUE(Promote(2));
  Cut(false);
  world_.RunFor(seconds{15});
  EXPECT_FALSE(engine(1).FindTopic("orders"));
  ASSERT_EQ(SetAside(1).size(), 1U);
  EXPECT_TRUE(SetAside(1)[0].starts_with("orders-0-from-0-"));
}

TEST_F(MirrorsTest, DeletedTopicStaysDeletedWhereverItsRecordsArrive) {
  Start(3);
  Create("orders");
  MustProduce(1, {"a"});
  world_.RunFor(seconds{2});
  auto deleted = On<bool>(1, [](Engine& engine) -> Task<bool> {
    co_return (co_await engine.DeleteTopic("orders")).has_value();
  });
  EXPECT_TRUE(deleted);
  world_.RunFor(seconds{2});
  for (NodeId id = 1; id <= 3; ++id) EXPECT_FALSE(engine(id).FindTopic("orders"));
  Kill(3);
  Restart(3);
  EXPECT_FALSE(engine(3).FindTopic("orders"));
}

}  // namespace
}  // namespace meridian::queue
