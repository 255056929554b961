// The work of one loop iteration is bounded whatever the size of keys: counted in bytes.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "session/data/keyspace.hpp"
#include "session/engine/engine_fixture.hpp"
#include "session/limits.hpp"

namespace meridian::session {
namespace {

constexpr size_t kMany = 20000;

// Executes a request whose arguments are too long to be typed; its reply stays in the output.
void Execute(EngineFixture& world, EngineFixture::TestClient& client,
             const std::vector<std::string_view>& request) {
  world.engine->BeginBatch();
  world.engine->Execute(client.client(), request);
}
void Do(EngineFixture& world, const std::vector<std::string_view>& request) {
  Execute(world, *world.client, request);
  world.client->client().output.Consume(world.client->client().output.size());
}
void FillHash(EngineFixture& world, std::string_view key, size_t fields, size_t field_bytes) {
  std::string value(field_bytes, 'v');
  for (size_t i = 0; i < fields; ++i) Do(world, {"HSET", key, "f" + std::to_string(i), value});
}
// So many fields and members that are gone, and are remembered.
void FillTombstones(EngineFixture& world, size_t count) {
  world.engine->keyspace().set_stability_horizon(HybridTime());
  for (size_t i = 0; i < count; ++i) {
    std::string name = "n" + std::to_string(i);
    Do(world, {"HSET", "h", name, "v"});
    Do(world, {"SADD", "s", name});
    if (i == 0) continue;
    Do(world, {"HDEL", "h", name});
    Do(world, {"SREM", "s", name});
  }
}

// --- snapshots

// Goes on with the snapshot to its end; the most bytes that a slice had.
size_t WriteRest(const Keyspace& keyspace, SnapshotWalk* walk, std::vector<std::string>* all) {
  size_t longest = 0;
  while (!walk->done()) {
    std::vector<std::string> items;
    keyspace.Snapshot(walk, kSnapshotSlice, &items);
    size_t bytes = 0;
    for (const std::string& item : items) bytes += item.size();
    longest = std::max(longest, bytes);
    std::ranges::move(items, std::back_inserter(*all));
  }
  return longest;
}

TEST(SnapshotBytes, OfTwoHundredLongStringsWereCopiedInOneIteration) {
  constexpr size_t kBytes = size_t{1} << 20;
  EngineFixture world;
  std::string value(kBytes, 'v');
  for (int i = 0; i < 50; ++i) Do(world, {"SET", "k" + std::to_string(i), value});
  for (int i = 0; i < 2000; ++i) Do(world, {"SET", "short" + std::to_string(i), "v"});
  SnapshotWalk walk;
  std::vector<std::string> all;
  EXPECT_LT(WriteRest(world.engine->keyspace(), &walk, &all), kBytes + kSnapshotItemBytes);
  EngineFixture again;
  for (const std::string& item : all) ASSERT_TRUE(again.engine->keyspace().Apply(AsBytes(item)));
  EXPECT_EQ(again.Say("DBSIZE"), ":2050|");
  EXPECT_EQ(again.Say("STRLEN k7"), ":" + std::to_string(kBytes) + "|");
}

TEST(SnapshotBytes, OfKeysJustBelowALargeOneWereCopiedInOneIteration) {
  constexpr size_t kBytes = kSnapshotItemBytes - 1024;
  EngineFixture world;
  std::string value(kBytes, 'v');
  for (int i = 0; i < 500; ++i) Do(world, {"SET", "k" + std::to_string(i), value});
  SnapshotWalk walk;
  std::vector<std::string> all;
  EXPECT_LT(WriteRest(world.engine->keyspace(), &walk, &all), 2 * kSnapshotSliceBytes);
  EXPECT_EQ(all.size(), 500);
}

TEST(SnapshotBytes, OfAHashOfFewLongFieldsWereCopiedInOneIteration) {
  constexpr size_t kBytes = size_t{512} * 1024;
  EngineFixture world;
  FillHash(world, "h", 200, kBytes);
  SnapshotWalk walk;
  std::vector<std::string> all;
  // One at a time, or the few whose hashes begin alike.
  EXPECT_LT(WriteRest(world.engine->keyspace(), &walk, &all), 6 * kBytes);
  EngineFixture again;
  for (const std::string& item : all) ASSERT_TRUE(again.engine->keyspace().Apply(AsBytes(item)));
  EXPECT_EQ(again.Say("HLEN h"), ":200|");
  EXPECT_EQ(again.Say("HSTRLEN h f199"), ":" + std::to_string(kBytes) + "|");
}

// Large keys come in later slices: they change before their slice, and within it.
TEST(SnapshotBytes, OfLargeKeysThatChangeMeanwhileAreCompleteWithTheLog) {
  for (int turns_before = 1; turns_before < 40; turns_before += 2) {
    EngineFixture world;
    std::string value(kSnapshotItemBytes, 'v');
    for (std::string_view key : {"deleted", "replaced", "appended", "expired", "left"}) {
      Do(world, {"SET", key, value});
    }
    for (std::string_view key : {"h:deleted", "h:replaced", "h:changed", "h:left"}) {
      FillHash(world, key, 10, kSnapshotItemBytes);
    }
    SnapshotWalk walk;
    std::vector<std::string> all;
    size_t offset = world.journal.records.size();
    for (int i = 0; i < turns_before && !walk.done(); ++i) {
      world.engine->keyspace().Snapshot(&walk, kSnapshotSlice, &all);
    }
    for (const char* line : {"DEL deleted h:deleted replaced", "HSET replaced f v",
                             "APPEND appended x", "PEXPIRE expired 5", "SET h:replaced v",
                             "HSET h:changed f1 w new v", "HDEL h:changed f2", "SET other v"}) {
      world.Say(line);
    }
    world.wall.Advance(std::chrono::milliseconds{100});
    while (!world.engine->Sweep()) {
    }
    WriteRest(world.engine->keyspace(), &walk, &all);
    const std::vector<std::string>& log = world.journal.records;
    all.insert(all.end(), log.begin() + static_cast<std::ptrdiff_t>(offset), log.end());
    EngineFixture again;
    again.wall.Advance(std::chrono::milliseconds{100});
    for (const std::string& item : all) ASSERT_TRUE(again.engine->keyspace().Apply(AsBytes(item)));
    while (!again.engine->Sweep()) {
    }
    for (const char* line :
         {"DBSIZE", "EXISTS deleted", "EXISTS h:deleted", "EXISTS expired", "HGETALL replaced",
          "GET appended", "GET left", "GET h:replaced", "HLEN h:changed", "HGET h:changed f1",
          "HEXISTS h:changed f2", "HGET h:changed f9", "HLEN h:left", "GET other"}) {
      EXPECT_EQ(again.Say(line), world.Say(line)) << line << " after " << turns_before;
    }
  }
}

// --- replies of many

// Asks, and takes the pieces of the reply; how many, how long they are, and how it begins.
struct Pieces {
  size_t count = 0;
  size_t longest = 0;
  size_t bytes = 0;
  std::string head;
};
Pieces Ask(EngineFixture& world, const std::vector<std::string_view>& request) {
  Client& client = world.client->client();
  Pieces pieces;
  auto take = [&] {
    pieces.longest = std::max(pieces.longest, client.output.size());
    pieces.bytes += client.output.size();
    if (pieces.head.empty()) pieces.head = client.output.text().substr(0, 40);
    client.output.Consume(client.output.size());
  };
  Execute(world, *world.client, request);
  for (take(); client.long_reply; ++pieces.count) {
    world.engine->ContinueReply(client);
    take();
  }
  return pieces;
}

TEST(ReplyBytes, OfAHashOfLongFieldsCameInOneIteration) {
  constexpr size_t kBytes = size_t{50} * 1024;
  EngineFixture world;
  FillHash(world, "h", 200, kBytes);
  for (std::string_view command : {"HGETALL", "HVALS"}) {
    Pieces pieces = Ask(world, {command, "h"});
    EXPECT_LT(pieces.longest, 2 * kReplyBytesPerIteration) << command;
    EXPECT_GT(pieces.bytes, 200 * kBytes) << command;
  }
}

TEST(ReplyBytes, OfAHashThatIsLargerThanAnOutputCutTheClientOff) {
  constexpr size_t kBytes = size_t{70} * 1024;
  constexpr size_t kFields = kMaxReplyBytes / kBytes + 500;
  EngineFixture world;
  FillHash(world, "h", kFields, kBytes);
  EXPECT_GT(Ask(world, {"HGETALL", "h"}).bytes, kFields * kBytes);
  EXPECT_FALSE(world.client->disconnected());
}

TEST(ReplyBytes, OfLongNamesOfKeysWereCollectedInOneIteration) {
  EngineFixture world;
  std::string name(kMaxKeyBytes - 8, 'k');
  for (size_t i = 0; i < kReplyItemsPerIteration + 1; ++i) {
    Do(world, {"SET", name + std::to_string(i), "v"});
  }
  Client& client = world.client->client();
  Execute(world, *world.client, {"KEYS", "*"});
  size_t iterations = 0;
  for (; client.output.empty(); ++iterations) world.engine->ContinueReply(client);
  EXPECT_GT(iterations, 5);
}

TEST(ReplyIterations, OfASmallHashAmongManyTombstonesWasMadeInOne) {
  EngineFixture world;
  FillTombstones(world, kMany);
  for (std::string_view command : {"HGETALL", "HKEYS", "HVALS"}) {
    EXPECT_GT(Ask(world, {command, "h"}).count, kMany / kReplyItemsPerIteration) << command;
  }
  EXPECT_GT(Ask(world, {"SMEMBERS", "s"}).count, kMany / kReplyItemsPerIteration);
  EXPECT_EQ(world.Say("HGETALL h"), "*2|$2|n0|$1|v|");
  EXPECT_EQ(world.Say("SMEMBERS s"), "*1|$2|n0|");
}

TEST(ReplyIterations, OfFewKeysBesideManyTombstonesWereMadeInOne) {
  EngineFixture world;
  world.engine->keyspace().set_stability_horizon(HybridTime());
  for (size_t i = 0; i < kMany; ++i) {
    Do(world, {"SET", "k" + std::to_string(i), "v"});
    if (i > 0) Do(world, {"DEL", "k" + std::to_string(i)});
  }
  EXPECT_GT(Ask(world, {"KEYS", "*"}).count, 1);
  EXPECT_EQ(world.Say("KEYS *"), "*1|$2|k0|");
}

TEST(Readings, ReplyPastTheLimitOfReadingsIsMadeAtOnce) {
  EngineFixture world;
  FillHash(world, "h", 2 * kReplyItemsPerIteration, 1);
  std::vector<std::unique_ptr<EngineFixture::TestClient>> readers;
  for (size_t i = 0; i < kMaxReadings; ++i) {
    readers.push_back(world.Connect());
    Execute(world, *readers.back(), {"HGETALL", "h"});
    EXPECT_TRUE(readers.back()->client().long_reply);
  }
  auto one_more = world.Connect();
  Execute(world, *one_more, {"HGETALL", "h"});
  EXPECT_FALSE(one_more->client().long_reply);
  std::string whole = one_more->Heard();
  readers.pop_back();
  Execute(world, *one_more, {"HGETALL", "h"});
  EXPECT_TRUE(one_more->client().long_reply);
  Do(world, {"HSET", "h", "f1", "w"});
  for (auto& reader : readers) EXPECT_EQ(reader->Heard(), whole);
}

// --- messages

class Subscriber : public ::testing::Test {
 protected:
  Subscriber() : listener_(world_.Connect()) {
    listener_->Say("HELLO 3");
    listener_->Say("SUBSCRIBE c");
  }
  // How many were sent a message of so many bytes.
  std::string Publish(size_t bytes) {
    std::string message(bytes, 'm');
    Execute(world_, *world_.client, {"PUBLISH", "c", message});
    return world_.client->Heard();
  }

  EngineFixture world_;
  std::unique_ptr<EngineFixture::TestClient> listener_;
};

TEST_F(Subscriber, WasCutOffForTheRestOfAReplyThatAnotherClientsWriteHadMade) {
  FillHash(world_, "h", 200, size_t{64} * 1024);
  Execute(world_, *listener_, {"HGETALL", "h"});
  ASSERT_TRUE(listener_->client().long_reply);
  Do(world_, {"HSET", "h", "f1", "w"});
  EXPECT_GT(listener_->client().output.size(), kMaxSubscriberBytes);
  EXPECT_EQ(Publish(1), ":1|");
  while (listener_->client().long_reply) world_.engine->ContinueReply(listener_->client());
  EXPECT_EQ(Publish(1), ":1|");
  EXPECT_FALSE(listener_->disconnected());
  EXPECT_TRUE(listener_->Heard().ends_with("|m|>3|$7|message|$1|c|$1|m|"));
}

TEST_F(Subscriber, MayHaveTheLimitOfMessageBytesAndNotOneMore) {
  constexpr size_t kQuarter = kMaxSubscriberBytes / 4;
  std::string value(2 * kMaxSubscriberBytes, 'v');
  Do(world_, {"SET", "k", value});
  for (int round = 0; round < 3; ++round) {
    Execute(world_, *listener_, {"GET", "k"});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Publish(kQuarter), ":1|");
    // All of it is sent, and the count begins anew.
    listener_->Heard();
  }
  Execute(world_, *listener_, {"GET", "k"});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Publish(kQuarter), ":1|");
  EXPECT_EQ(Publish(kQuarter), ":0|");
  EXPECT_TRUE(listener_->disconnected());
}

TEST_F(Subscriber, WithAFullOutputIsDisconnected) {
  std::string value(kMaxValueBytes, 'v');
  Do(world_, {"SET", "k", value});
  Execute(world_, *listener_, {"MGET", "k", "k", "k"});
  std::string rest(kMaxValueBytes - 1024, 'v');
  Do(world_, {"SET", "k", rest});
  Execute(world_, *listener_, {"GET", "k"});
  ASSERT_FALSE(listener_->disconnected());
  EXPECT_EQ(Publish(2048), ":0|");
  EXPECT_TRUE(listener_->disconnected());
}

}  // namespace
}  // namespace meridian::session
