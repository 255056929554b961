// How much is done in one turn of the loop, whatever the size of things: counted in items.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "session/engine_fixture.hpp"
#include "session/keyspace.hpp"
#include "session/limits.hpp"
#include "session/merge.hpp"
#include "session/random_choice.hpp"
#include "session/record.hpp"

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

// Lets turns pass until all is freed; the most that one of them has freed.
size_t LongestTurn(EngineFixture& world) {
  size_t longest = 0;
  while (world.engine->keyspace().unfreed() > 0) {
    size_t before = world.engine->keyspace().unfreed();
    (void)world.engine->Sweep();
    longest = std::max(longest, before - world.engine->keyspace().unfreed());
  }
  return longest;
}

TEST(Turns, FlushFreesNothingAtOnceAndALittleInEachTurn) {
  EngineFixture world;
  FillStrings(world, kMany);
  EXPECT_EQ(world.Say("FLUSHALL"), "+OK|");
  EXPECT_EQ(world.Say("DBSIZE"), ":0|");
  EXPECT_EQ(world.Say("KEYS *"), "*0|");
  EXPECT_EQ(world.engine->keyspace().unfreed(), kMany);
  EXPECT_FALSE(world.engine->Sweep());
  size_t longest = LongestTurn(world);
  EXPECT_GE(longest, kFreedPerTurn);
  EXPECT_LE(longest, kFreedPerTurn + kSegmentItems);
  EXPECT_TRUE(world.engine->Sweep());
}

TEST(Turns, LargeHashesOfAFlushAreFreedInPartsToo) {
  EngineFixture world;
  FillHash(world, "large", kMany);
  FillStrings(world, 10);
  world.Say("FLUSHALL");
  EXPECT_EQ(world.engine->keyspace().unfreed(), 11);
  (void)world.engine->Sweep();
  EXPECT_GE(world.engine->keyspace().unfreed(), kMany - kFreedPerTurn - kSegmentItems);
  EXPECT_LE(LongestTurn(world), kFreedPerTurn + kSegmentItems);
}

// Ends a hash (set) of many in the way that `line` says; whether there are other data centers that
// may not know.
void ExpectFreedInParts(const std::string& line, bool others) {
  EngineFixture world;
  if (others) world.engine->keyspace().set_known({});
  FillHash(world, "h", kMany);
  FillSet(world, "s", kMany);
  world.Say(line);
  EXPECT_EQ(world.engine->keyspace().unfreed(), kMany * 2) << line;
  EXPECT_LE(LongestTurn(world), kFreedPerTurn + kSegmentItems) << line;
}

TEST(Turns, DeletedHashesAndSetsAreFreedInParts) { ExpectFreedInParts("DEL h s", false); }
TEST(Turns, DeletedHashesAndSetsThatLeaveATraceAreFreedInParts) {
  ExpectFreedInParts("UNLINK h s", true);
}
TEST(Turns, OverwrittenHashesAndSetsAreFreedInParts) {
  ExpectFreedInParts("MSET h 1 s 2", false);
  ExpectFreedInParts("MSET h 1 s 2", true);
}

TEST(Turns, EndedHashIsFreedInParts) {
  EngineFixture world;
  FillHash(world, "h", kMany);
  world.Say("PEXPIRE h 10");
  world.wall.Advance(std::chrono::seconds{1});
  EXPECT_EQ(world.Say("EXISTS h"), ":0|");
  EXPECT_EQ(world.engine->keyspace().unfreed(), kMany);
}

TEST(Turns, HashOfTheLimitIsFreedAtOnceAndOnePastItIsNot) {
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
    RecordWriter writer;
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

TEST_F(FlushFromElsewhere, TakesWhatIsOlderInTurnsAndLeavesWhatIsNewer) {
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

TEST_F(FlushFromElsewhere, IsSeenAtOnceByWhoeverAsksForAKey) {
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
  size_t looked_at() const { return looked_at_; }

 private:
  size_t size_;
  std::vector<int> items_;
  mutable size_t looked_at_ = 0;
};

TEST(Turns, ChoosingAFewOfManyLooksAtAFew) {
  Random random(5);
  for (size_t count : {size_t{0}, size_t{1}, size_t{100}, kMany / 4, kMany / 2, kMany, kMany * 2}) {
    CountedItems items(kMany);
    auto chosen = ChooseDifferent<int>(items, count, random);
    EXPECT_EQ(chosen.size(), std::min(count, kMany));
    EXPECT_EQ(std::set<const int*>(chosen.begin(), chosen.end()).size(), chosen.size());
    EXPECT_LE(items.looked_at(), count * 4) << count;
  }
}

TEST(Turns, EveryMemberIsChosenAboutAsOften) {
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
