// The work of one loop iteration is bounded whatever the size of keys: counted in items.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "session/data/change.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/merge.hpp"
#include "session/data/random_choice.hpp"
#include "session/engine/engine_fixture.hpp"
#include "session/limits.hpp"

namespace meridian::session {
namespace {

constexpr size_t kMany = 100000;
// What a segment of the table may have more than was asked for.
constexpr size_t kSegmentItems = 384;

void FillStrings(EngineFixture& world, size_t count) {
  for (size_t i = 0; i < count; ++i) world.Say("SET key:" + std::to_string(i) + " v");
}
void FillHash(EngineFixture& world, const std::string& key, size_t count) {
  for (size_t i = 0; i < count; ++i) world.Say("HSET " + key + " f" + std::to_string(i) + " v");
}
void FillSet(EngineFixture& world, const std::string& key, size_t count) {
  for (size_t i = 0; i < count; ++i) world.Say("SADD " + key + " m" + std::to_string(i));
}

// Runs loop iterations until all is freed; the most items that one of them has freed.
size_t MostItemsInOneIteration(EngineFixture& world) {
  size_t longest = 0;
  while (world.engine->keyspace().unfreed() > 0) {
    size_t before = world.engine->keyspace().unfreed();
    (void)world.engine->Sweep();
    longest = std::max(longest, before - world.engine->keyspace().unfreed());
  }
  return longest;
}

TEST(LoopIterations, FlushFreesNothingAtOnceAndALittleInEachIteration) {
  EngineFixture world;
  FillStrings(world, kMany);
  EXPECT_EQ(world.Say("FLUSHALL"), "+OK|");
  EXPECT_EQ(world.Say("DBSIZE"), ":0|");
  EXPECT_EQ(world.Say("KEYS *"), "*0|");
  EXPECT_EQ(world.engine->keyspace().unfreed(), kMany);
  EXPECT_FALSE(world.engine->Sweep());
  size_t longest = MostItemsInOneIteration(world);
  EXPECT_GE(longest, kFreedPerIteration);
  EXPECT_LE(longest, kFreedPerIteration + kSegmentItems);
  EXPECT_TRUE(world.engine->Sweep());
}

TEST(LoopIterations, LargeHashesOfAFlushAreFreedInPartsToo) {
  EngineFixture world;
  FillHash(world, "large", kMany);
  FillStrings(world, 10);
  world.Say("FLUSHALL");
  EXPECT_EQ(world.engine->keyspace().unfreed(), 11);
  (void)world.engine->Sweep();
  EXPECT_GE(world.engine->keyspace().unfreed(), kMany - kFreedPerIteration - kSegmentItems);
  EXPECT_LE(MostItemsInOneIteration(world), kFreedPerIteration + kSegmentItems);
}

// Ends a hash (set) of many in the way that `line` says; whether there are other data centers that
// may not know.
void ExpectFreedInParts(const std::string& line, bool others) {
  EngineFixture world;
  if (others) world.engine->keyspace().set_stability_horizon({});
  FillHash(world, "h", kMany);
  FillSet(world, "s", kMany);
  world.Say(line);
  EXPECT_EQ(world.engine->keyspace().unfreed(), kMany * 2) << line;
  EXPECT_LE(MostItemsInOneIteration(world), kFreedPerIteration + kSegmentItems) << line;
}

TEST(LoopIterations, DeletedHashesAndSetsAreFreedInParts) { ExpectFreedInParts("DEL h s", false); }
TEST(LoopIterations, DeletedHashesAndSetsThatLeaveATombstoneAreFreedInParts) {
  ExpectFreedInParts("UNLINK h s", true);
}
TEST(LoopIterations, OverwrittenHashesAndSetsAreFreedInParts) {
  ExpectFreedInParts("MSET h 1 s 2", false);
  ExpectFreedInParts("MSET h 1 s 2", true);
}

TEST(LoopIterations, ExpiredHashIsFreedInParts) {
  EngineFixture world;
  FillHash(world, "h", kMany);
  world.Say("PEXPIRE h 10");
  world.wall.Advance(std::chrono::seconds{1});
  EXPECT_EQ(world.Say("EXISTS h"), ":0|");
  EXPECT_EQ(world.engine->keyspace().unfreed(), kMany);
}

TEST(LoopIterations, HashOfTheLimitIsFreedAtOnceAndOnePastItIsNot) {
  EngineFixture world;
  FillHash(world, "h", kFreedAtOnce);
  world.Say("DEL h");
  EXPECT_EQ(world.engine->keyspace().unfreed(), 0);
  FillHash(world, "h", kFreedAtOnce + 1);
  world.Say("DEL h");
  EXPECT_EQ(world.engine->keyspace().unfreed(), kFreedAtOnce + 1);
}

// A flush that another data center made when this one had written already what is newer.
class FlushFromElsewhere : public ::testing::Test {
 protected:
  void Hear() {
    ChangeWriter writer;
    writer.Flushed({flushed_at_, 1});
    ASSERT_TRUE(world_.engine->keyspace().Apply(writer.Take()));
  }
  void Remember() {
    world_.Say("SET now x");
    flushed_at_ = world_.clock.last();
    world_.Say("DEL now");
  }

  EngineFixture world_;
  HybridTime flushed_at_;
};

TEST_F(FlushFromElsewhere, DropsOlderKeysOverSeveralIterationsAndKeepsNewerOnes) {
  FillStrings(world_, 3 * kFlushSlice);
  world_.Say("SADD old a b");
  world_.Say("SADD both old");
  Remember();
  world_.Say("SADD both new");
  world_.Say("SET key:1 new");
  Hear();
  EXPECT_EQ(world_.Say("DBSIZE"), ":" + std::to_string(3 * kFlushSlice + 2) + "|");
  size_t longest = 0;
  for (bool done = false; !done;) {
    size_t before = world_.engine->keyspace().size();
    done = world_.engine->Sweep();
    longest = std::max(longest, before - world_.engine->keyspace().size());
  }
  EXPECT_LE(longest, kFlushSlice + kSegmentItems);
  EXPECT_EQ(world_.Say("DBSIZE"), ":2|");
  EXPECT_EQ(world_.Say("GET key:1"), "$3|new|");
  EXPECT_EQ(world_.Say("SMEMBERS both"), "*1|$3|new|");
}

TEST_F(FlushFromElsewhere, IsSeenAtOnceByACommandThatReadsAKey) {
  world_.Say("SET count 5");
  world_.Say("SET kept 5");
  world_.Say("EXPIRE kept 100");
  world_.Say("HSET h f v");
  Remember();
  world_.Say("SET newer 1");
  Hear();
  EXPECT_EQ(world_.Say("GET h"), "$-1|");
  EXPECT_EQ(world_.Say("INCR count"), ":1|");
  EXPECT_EQ(world_.Say("SET kept 6 KEEPTTL"), "+OK|");
  EXPECT_EQ(world_.Say("TTL kept"), ":-1|");
  while (!world_.engine->Sweep()) {
  }
  EXPECT_EQ(world_.Say("GET count"), "$1|1|");
  EXPECT_EQ(world_.Say("DBSIZE"), ":3|");
}

TEST_F(FlushFromElsewhere, StopsTheTransactionsOfWatchedKeys) {
  world_.Say("SET watched 1");
  Remember();
  world_.Say("WATCH watched");
  world_.Say("MULTI");
  Hear();
  EXPECT_EQ(world_.Say("EXEC"), "*-1|");
}

// --- tombstones of removed fields

// A set of many of which half were removed, and others that do not know yet.
class ManyTombstones : public ::testing::Test {
 protected:
  ManyTombstones() {
    world_.engine->keyspace().set_stability_horizon({});
    FillSet(world_, "s", kMany);
    FillHash(world_, "h", kMany);
    for (size_t i = 0; i < kMany; i += 2) {
      world_.Say("SREM s m" + std::to_string(i));
      world_.Say("HDEL h f" + std::to_string(i));
    }
  }
  size_t Tombstones() {
    Keyspace& keyspace = world_.engine->keyspace();
    return MembersOf(keyspace.Peek("s"))->tombstones() + FieldsOf(keyspace.Peek("h"))->tombstones();
  }
  // Lets a second pass, and sweeps until nothing is left; the most items of one iteration.
  size_t LongestCollection() {
    size_t longest = 0;
    for (int i = 0; i < 20; ++i) {
      world_.wall.Advance(std::chrono::milliseconds{100});
      for (bool done = false; !done;) {
        size_t before = Tombstones();
        done = world_.engine->Sweep();
        longest = std::max(longest, before - Tombstones());
      }
    }
    return longest;
  }

  EngineFixture world_;
};

TEST_F(ManyTombstones, AreTakenOutInParts) {
  world_.wall.Advance(std::chrono::seconds{2});
  HybridTime now{static_cast<uint64_t>(world_.engine->keyspace().now_ms() + 2000)
                 << HybridTime::kCounterBits};
  world_.engine->keyspace().set_stability_horizon(now);
  EXPECT_EQ(Tombstones(), kMany);
  size_t longest = LongestCollection();
  EXPECT_GT(longest, 0);
  EXPECT_LE(longest, kTombstonesPerIteration + kSegmentItems);
  EXPECT_EQ(Tombstones(), 0);
  EXPECT_EQ(world_.Say("SCARD s"), ":" + std::to_string(kMany / 2) + "|");
  EXPECT_EQ(world_.Say("HLEN h"), ":" + std::to_string(kMany / 2) + "|");
}

// Each record of another data center made this one walk over the whole set.
TEST_F(ManyTombstones, AreNotLookedForWithEachRecordOfAnotherDataCenter) {
  HybridTime now{static_cast<uint64_t>(world_.engine->keyspace().now_ms() + 2000)
                 << HybridTime::kCounterBits};
  world_.engine->keyspace().set_stability_horizon(now);
  ChangeWriter writer;
  writer.Begin("s");
  writer.Member("another", 1, {.added = {now.bits + 1}, .removed = {}});
  ASSERT_TRUE(world_.engine->keyspace().Apply(writer.Take()));
  EXPECT_EQ(Tombstones(), kMany);
}

// --- replies of many

// Asks, and takes the pieces of the reply; how many there are, and what they are together.
struct Pieces {
  size_t count = 0;
  size_t longest = 0;
  std::string all;
};
Pieces Ask(EngineFixture& world, const std::vector<std::string_view>& request) {
  Client& client = world.client->client();
  world.engine->BeginBatch();
  world.engine->Execute(client, request);
  Pieces pieces;
  pieces.all = world.client->Heard();
  while (client.long_reply) {
    world.engine->ContinueReply(client);
    std::string piece = world.client->Heard();
    pieces.longest = std::max(pieces.longest, piece.size());
    pieces.all += piece;
    ++pieces.count;
  }
  return pieces;
}

TEST(LongReplies, OfOneIterationsItemsComeAtOnceAndOneItemMoreInPieces) {
  EngineFixture world;
  FillSet(world, "s", kReplyItemsPerIteration);
  EXPECT_EQ(Ask(world, {"SMEMBERS", "s"}).count, 0);
  FillStrings(world, kReplyItemsPerIteration - 1);
  EXPECT_EQ(Ask(world, {"KEYS", "*"}).count, 0);
  world.Say("SADD s more");
  EXPECT_EQ(Ask(world, {"SMEMBERS", "s"}).count, 2);
  world.Say("SET more v");
  EXPECT_GT(Ask(world, {"KEYS", "*"}).count, 1);
}

TEST(LongReplies, AreWhole) {
  EngineFixture world;
  FillHash(world, "h", kMany);
  FillSet(world, "s", kMany);
  FillStrings(world, kMany);
  for (const char* command : {"HGETALL", "HKEYS", "HVALS", "SMEMBERS", "KEYS"}) {
    std::string_view name = command[0] == 'S' ? "s" : command[0] == 'K' ? "*" : "h";
    Pieces pieces = Ask(world, {command, name});
    EXPECT_GT(pieces.count, kMany / kReplyItemsPerIteration) << command;
    EXPECT_LT(pieces.longest, 100 * kReplyItemsPerIteration) << command;
    auto elements = static_cast<size_t>(std::ranges::count(pieces.all, '$'));
    size_t expected = command[0] == 'K' ? kMany + 2 : command[1] == 'G' ? 2 * kMany : kMany;
    EXPECT_EQ(elements, expected) << command;
  }
}

TEST(LongReplies, KeysGivesEachNameOnceWhileTheTableShrinksAndGrows) {
  EngineFixture world;
  FillStrings(world, kMany);
  auto other = world.Connect();
  Client& client = world.client->client();
  world.engine->BeginBatch();
  std::vector<std::string_view> request = {"KEYS", "key:*"};
  world.engine->Execute(client, request);
  std::string heard;
  size_t gone = 1000;
  for (size_t iteration = 0; client.long_reply; ++iteration) {
    world.engine->ContinueReply(client);
    heard += world.client->Heard();
    // All but the first thousand go, and others come.
    for (size_t i = 0; i < 6000 && gone < kMany; ++i) {
      other->Say("DEL key:" + std::to_string(gone++));
      if (iteration % 2 == 0) other->Say("SET other:" + std::to_string(gone) + " v");
    }
  }
  for (size_t i = 0; i < 1000; ++i) {
    std::string name = "|key:" + std::to_string(i) + "|";
    size_t at = heard.find(name);
    ASSERT_NE(at, std::string::npos) << name;
    ASSERT_EQ(heard.find(name, at + 1), std::string::npos) << name;
  }
  size_t count = std::stoull(heard.substr(1));
  EXPECT_EQ(static_cast<size_t>(std::ranges::count(heard, '$')), count);
}

// Begins to read the hash, and lets others do something to it meanwhile.
class ReadWhileItChanges : public ::testing::TestWithParam<const char*> {};

TEST_P(ReadWhileItChanges, GivesTheHashAsItWas) {
  EngineFixture world;
  FillHash(world, "h", kMany);
  std::string as_it_was = world.Say("HGETALL h");
  auto other = world.Connect();
  Client& client = world.client->client();
  world.engine->BeginBatch();
  std::vector<std::string_view> request = {"HGETALL", "h"};
  world.engine->Execute(client, request);
  world.engine->ContinueReply(client);
  other->Say(GetParam());
  world.wall.Advance(std::chrono::milliseconds{100});
  while (!world.engine->Sweep()) {
  }
  while (client.long_reply) world.engine->ContinueReply(client);
  EXPECT_EQ(world.client->Heard(), as_it_was);
}

INSTANTIATE_TEST_SUITE_P(LongReplies, ReadWhileItChanges,
                         ::testing::Values("GET none", "HSET h new v", "HDEL h f7", "DEL h",
                                           "SET h x", "FLUSHALL", "PEXPIRE h 10", "RENAME h g",
                                           "HSET h f1 w"));

TEST(LongReplies, ClientThatLeavesInTheMiddleIsNoReader) {
  EngineFixture world;
  FillHash(world, "h", kMany);
  {
    auto other = world.Connect();
    world.engine->BeginBatch();
    std::vector<std::string_view> request = {"HGETALL", "h"};
    world.engine->Execute(other->client(), request);
    world.engine->ContinueReply(other->client());
    EXPECT_TRUE(other->client().long_reply);
  }
  EXPECT_EQ(world.Say("HSET h f1 w"), ":0|");
}

TEST(LongReplies, OfATransactionAreOfOneMoment) {
  EngineFixture world;
  FillHash(world, "h", kMany);
  world.Say("MULTI");
  world.Say("HLEN h");
  world.Say("HKEYS h");
  Pieces pieces = Ask(world, {"EXEC"});
  EXPECT_EQ(pieces.count, 0);
  EXPECT_EQ(static_cast<size_t>(std::ranges::count(pieces.all, '$')), kMany);
}

// --- snapshots

TEST(LoopIterations, SnapshotOfALargeHashTakesSeveral) {
  EngineFixture world;
  FillHash(world, "h", kMany);
  FillSet(world, "s", kMany);
  FillStrings(world, 10);
  SnapshotWalk walk;
  size_t iterations = 0;
  std::vector<std::string> all;
  for (; !walk.done(); ++iterations) {
    std::vector<std::string> items;
    world.engine->keyspace().Snapshot(&walk, kSnapshotSlice, &items);
    size_t bytes = 0;
    for (const std::string& item : items) bytes += item.size();
    EXPECT_LT(bytes, 2 * kSnapshotItemBytes);
    std::ranges::move(items, std::back_inserter(all));
  }
  EXPECT_GT(iterations, 2 * kMany / kSnapshotSlice / 2);
  EngineFixture again;
  for (const std::string& item : all) ASSERT_TRUE(again.engine->keyspace().Apply(AsBytes(item)));
  again.engine->BeginBatch();
  EXPECT_EQ(again.Say("HLEN h"), ":" + std::to_string(kMany) + "|");
  EXPECT_EQ(again.Say("SCARD s"), ":" + std::to_string(kMany) + "|");
  EXPECT_EQ(again.Say("DBSIZE"), ":12|");
}

TEST(LoopIterations, SnapshotGoesOnWhenTheLargeHashItIsInIsDeleted) {
  EngineFixture world;
  FillHash(world, "h", kMany);
  SnapshotWalk walk;
  std::vector<std::string> items;
  for (int i = 0; i < 5; ++i) world.engine->keyspace().Snapshot(&walk, kSnapshotSlice, &items);
  ASSERT_FALSE(walk.done());
  world.Say("DEL h");
  for (int i = 0; i < 5; ++i) {
    if (!walk.done()) world.engine->keyspace().Snapshot(&walk, kSnapshotSlice, &items);
  }
  EXPECT_TRUE(walk.done());
}

// Items that count how many of them are looked at.
class CountedItems {
 public:
  explicit CountedItems(size_t size) : size_(size) {
    for (size_t i = 0; i < size; ++i) items_.push_back(static_cast<int>(i));
  }
  size_t size() const { return size_; }
  const int& Sample(Random& random) const {
    ++looked_at_;
    return items_[random.Below(items_.size())];
  }
  template <class Visit>
  void ForEach(Visit visit) const {
    for (const int& item : items_) {
      ++looked_at_;
      visit(item);
    }
  }
  template <class Visit>
  void ForEachInOrder(Visit visit) const {
    ForEach(visit);
  }
  size_t looked_at() const { return looked_at_; }

 private:
  size_t size_;
  std::vector<int> items_;
  mutable size_t looked_at_ = 0;
};

TEST(LoopIterations, ChoosingAFewOfManyLooksAtAFew) {
  Random random(5);
  for (size_t count : {size_t{0}, size_t{1}, size_t{100}, kMany / 4, kMany / 2, kMany, kMany * 2}) {
    CountedItems items(kMany);
    auto chosen = ChooseDifferent<int>(items, count, random);
    EXPECT_EQ(chosen.size(), std::min(count, kMany));
    EXPECT_EQ(std::set<const int*>(chosen.begin(), chosen.end()).size(), chosen.size());
    EXPECT_LE(items.looked_at(), count * 4) << count;
  }
}

TEST(LoopIterations, EveryMemberIsChosenAboutAsOften) {
  EngineFixture world;
  FillSet(world, "s", 1000);
  std::set<std::string> met;
  for (int i = 0; i < 2000; ++i) met.insert(world.Say("SRANDMEMBER s 2"));
  EXPECT_GT(met.size(), 1900);
  EXPECT_EQ(world.Say("SPOP s 1000").substr(0, 6), "*1000|");
  EXPECT_EQ(world.Say("EXISTS s"), ":0|");
}

}  // namespace
}  // namespace meridian::session
