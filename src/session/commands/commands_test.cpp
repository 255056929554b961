// Commands as they are said and answered: each line of testdata/*.txt is a request, "->" and the
// reply with '|' for line ends. "+ 1500" lets so many milliseconds pass; "#" is a comment; an empty
// line begins with an empty keyspace.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/scratch_dir.hpp"
#include "session/data/keyspace.hpp"
#include "session/engine/client.hpp"
#include "session/engine/command.hpp"
#include "session/engine/command_keys.hpp"
#include "session/engine/engine_fixture.hpp"
#include "session/limits.hpp"
#include "wire/resp/number.hpp"
#include "wire/resp/request_parser.hpp"

namespace meridian::session {
namespace {

void ExpectConversation(const std::filesystem::path& path) {
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  auto world = std::make_unique<EngineFixture>();
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.starts_with('#')) continue;
    if (line.empty()) {
      world = std::make_unique<EngineFixture>();
    } else if (line.starts_with("+ ")) {
      world->wall.Advance(std::chrono::milliseconds{*wire::resp::ParseInteger(line.substr(2))});
    } else {
      size_t arrow = line.find(" -> ");
      ASSERT_NE(arrow, std::string::npos) << path << ":" << number;
      EXPECT_EQ(world->Say(line.substr(0, arrow)), line.substr(arrow + 4))
          << path << ":" << number << ": " << line;
    }
  }
}

TEST(Commands, AnswerAsTheirConversationsSay) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MERIDIAN_TESTDATA)) {
    ExpectConversation(entry.path());
    ++files;
  }
  EXPECT_GE(files, 6);
}

TEST(Commands, TableIsInOrderAndWhole) {
  std::string_view last;
  for (const CommandSpec& spec : Commands()) {
    EXPECT_LT(last, spec.name);
    last = spec.name;
    EXPECT_EQ(FindCommand(spec.name), &spec);
    EXPECT_FALSE(spec.summary.empty()) << spec.name;
    EXPECT_NE(spec.handler, nullptr) << spec.name;
    EXPECT_FALSE((spec.flags & kWrite) != 0 && (spec.flags & kReadOnly) != 0) << spec.name;
  }
  EXPECT_EQ(FindCommand("nothing"), nullptr);
  EXPECT_EQ(FindCommand("GeT")->name, "get");
}

// No request, however odd, may end the program; each has one reply.
TEST(Commands, AnyArgumentsAreAnswered) {
  EngineFixture world;
  const std::vector<std::string> words = {
      "k", "0", "-1", "x", "NX", "EX", "MATCH", "COUNT", "9999999999999999999"};
  Random random(3);
  for (const CommandSpec& spec : Commands()) {
    if (spec.name == "quit" || spec.name == "client") continue;
    for (int i = 0; i < 60; ++i) {
      std::string line(spec.name);
      uint64_t count = random.Below(6);
      for (uint64_t j = 0; j < count; ++j) line += " " + words[random.Below(words.size())];
      EXPECT_FALSE(world.Say(line).empty()) << line;
      world.Say("UNSUBSCRIBE");
      world.Say("PUNSUBSCRIBE");
      if (spec.group == "transactions") world.Say("DISCARD");
    }
  }
}

TEST(Commands, RecordsMakeTheSameKeysAgain) {
  EngineFixture world;
  for (const char* line :
       {"SET a 1", "INCR a", "APPEND a 0", "HSET h f 1 g 2", "HDEL h f", "SADD s x y z", "SREM s y",
        "SMOVE s t x", "RENAME h i", "COPY a b", "EXPIRE b 100", "DEL t", "MSET m 1 n 2",
        "GETDEL m", "SETRANGE n 3 xy", "SUNIONSTORE u s s"}) {
    world.Say(line);
  }
  EngineFixture again;
  again.engine->BeginBatch();
  for (const std::string& record : world.journal.records) {
    ASSERT_TRUE(again.engine->keyspace().Apply(AsBytes(record)));
  }
  for (const char* line : {"GET a", "GET b", "TTL b", "HGETALL i", "SMEMBERS s", "EXISTS h t m",
                           "GET n", "SMEMBERS u", "DBSIZE"}) {
    EXPECT_EQ(world.Say(line), again.Say(line)) << line;
  }
}

// What a data center has read again at its start, or got from another one, was in the order of the
// names.
TEST(Commands, SmallHashKeepsItsOrderInRecordsAndSnapshots) {
  EngineFixture world;
  world.Say("HSET h zulu 1 alpha 2 mike 3");
  world.Say("HSET h bravo 4 alpha 5");
  world.Say("HDEL h zulu");
  world.Say("HSET h zulu 6");
  std::string expected = "*8|$5|alpha|$1|5|$4|mike|$1|3|$5|bravo|$1|4|$4|zulu|$1|6|";
  EXPECT_EQ(world.Say("HGETALL h"), expected);
  EngineFixture from_records;
  for (const std::string& record : world.journal.records) {
    ASSERT_TRUE(from_records.engine->keyspace().Apply(AsBytes(record)));
  }
  from_records.engine->BeginBatch();
  EXPECT_EQ(from_records.Say("HGETALL h"), expected);
  EngineFixture from_snapshot;
  SnapshotWalk walk;
  std::vector<std::string> items;
  while (!walk.done()) world.engine->keyspace().Snapshot(&walk, 100, &items);
  for (const std::string& item : items) {
    ASSERT_TRUE(from_snapshot.engine->keyspace().Apply(AsBytes(item)));
  }
  from_snapshot.engine->BeginBatch();
  EXPECT_EQ(from_snapshot.Say("HGETALL h"), expected);
}

// Where most items are tombstones, one loop iteration may not visit all of them for a few fields.
TEST(Commands, HashWithManyTombstonesIsNotSmall) {
  EngineFixture world;
  world.engine->keyspace().set_stability_horizon({});
  for (size_t i = 0; i <= kReplyItemsPerIteration; ++i) {
    std::string name = std::to_string(i);
    world.Say("HSET h keep v f" + name + " v");
    world.Say("HDEL h f" + name);
    world.Say("SADD s 1 1" + name);
    world.Say("SREM s 1" + name);
  }
  EXPECT_EQ(world.Say("OBJECT ENCODING h"), "$9|hashtable|");
  EXPECT_EQ(world.Say("OBJECT ENCODING s"), "$9|hashtable|");
  EXPECT_EQ(world.Say("HGETALL h"), "*2|$4|keep|$1|v|");
}

// The tombstones of its fields were taken for a hash, and nothing was copied.
TEST(Commands, SetThatWasAHashBeforeIsRenamedAndCopiedWhole) {
  EngineFixture world;
  world.engine->keyspace().set_stability_horizon({});
  world.Say("HSET k f v");
  world.Say("HDEL k f");
  world.Say("SADD k m");
  EXPECT_EQ(world.Say("COPY k copy"), ":1|");
  EXPECT_EQ(world.Say("SMEMBERS copy"), "*1|$1|m|");
  EXPECT_EQ(world.Say("RENAME k renamed"), "+OK|");
  EXPECT_EQ(world.Say("SMEMBERS renamed"), "*1|$1|m|");
}

// Both had the same stamp: the larger value stayed, here or in other data centers.
TEST(Commands, LastOfANameThatIsGivenTwiceStaysEverywhere) {
  EngineFixture world;
  EXPECT_EQ(world.Say("HSET h f x f b g 1 f a"), ":2|");
  EXPECT_EQ(world.Say("HMSET i f x f b"), "+OK|");
  EXPECT_EQ(world.Say("MSET k x l 1 k b k a"), "+OK|");
  EXPECT_EQ(world.Say("MSETNX m x m a"), ":1|");
  EngineFixture again;
  for (const std::string& record : world.journal.records) {
    ASSERT_TRUE(again.engine->keyspace().Apply(AsBytes(record)));
  }
  again.engine->BeginBatch();
  for (EngineFixture* each : {&world, &again}) {
    EXPECT_EQ(each->Say("HMGET h f g"), "*2|$1|a|$1|1|");
    EXPECT_EQ(each->Say("HGET i f"), "$1|b|");
    EXPECT_EQ(each->Say("MGET k l m"), "*3|$1|a|$1|1|$1|a|");
  }
}

TEST(Commands, TransactionIsOneChange) {
  EngineFixture world;
  world.Say("MULTI");
  world.Say("SET a 1");
  world.Say("SET b 2");
  EXPECT_TRUE(world.journal.records.empty());
  world.Say("EXEC");
  EXPECT_EQ(world.journal.records.size(), 1);
}

TEST(Commands, FullDiskRefusesWritesAndKeepsReading) {
  EngineFixture world;
  world.Say("SET a 1");
  world.journal.problem = "the disk is full";
  EXPECT_EQ(world.Say("SET a 2"), "-ERR writes are refused: the disk is full|");
  EXPECT_EQ(world.Say("GET a"), "$1|1|");
}

// What stood behind a request that was refused was carried out all the same.
TEST(Commands, TransactionThatMeetsAFullDiskIsRefusedWhole) {
  EngineFixture world;
  world.Say("MULTI");
  world.Say("SET a 1");
  world.Say("SET b 2");
  world.journal.problem = "the disk is full";
  EXPECT_EQ(world.Say("EXEC"),
            "-EXECABORT Transaction discarded because of: ERR writes are refused: the disk is "
            "full|");
  world.journal.problem = "";
  EXPECT_EQ(world.Say("EXISTS a b"), ":0|");
  world.Say("MULTI");
  world.Say("SET a 1");
  world.journal.problem = "the disk is full";
  EXPECT_EQ(world.Say("SET b 2"), "-ERR writes are refused: the disk is full|");
  world.journal.problem = "";
  EXPECT_EQ(world.Say("EXEC"), "-EXECABORT Transaction discarded because of previous errors.|");
  EXPECT_EQ(world.Say("EXISTS a b"), ":0|");
}

TEST(Commands, ReadingTransactionDoesNotMindAFullDisk) {
  EngineFixture world;
  world.journal.problem = "the disk is full";
  world.Say("MULTI");
  world.Say("GET a");
  EXPECT_EQ(world.Say("EXEC"), "*1|$-1|");
}

// Each was set before the next was looked at.
TEST(Commands, SettingsAreChangedTogetherOrNotAtAll) {
  EngineFixture world;
  world.Say("CONFIG SET notify-keyspace-events KEA nothing x");
  world.Say("CONFIG SET maxmemory 100mb maxmemory x");
  EXPECT_EQ(world.Say("CONFIG GET notify-keyspace-events"), "*2|$22|notify-keyspace-events|$0||");
  EXPECT_EQ(world.Say("CONFIG GET maxmemory"), "*2|$9|maxmemory|$1|0|");
}

// A request that changes nothing wrote a record, and stopped the transactions of others.
TEST(Commands, RemovalOfAMissingKeyIsNoChange) {
  EngineFixture world;
  auto other = world.Connect();
  world.Say("HSET h f v");
  world.Say("SADD s m");
  size_t records = world.journal.records.size();
  world.Say("WATCH h s");
  other->Say("HDEL h x");
  other->Say("SREM s x");
  EXPECT_EQ(world.journal.records.size(), records);
  other->Say("SADD s m");
  world.Say("MULTI");
  world.Say("PING");
  EXPECT_EQ(world.Say("EXEC"), "*1|+PONG|");
}

TEST(Commands, KeyThatExpiredUnnoticedHasItsEventWhenItIsOverwritten) {
  EngineFixture world;
  world.Say("CONFIG SET notify-keyspace-events Exn");
  auto listener = world.Connect();
  listener->Say("PSUBSCRIBE *");
  world.Say("SET k v PX 10");
  EXPECT_TRUE(listener->Heard().contains("__keyevent@0__:new|"));
  world.wall.Advance(std::chrono::milliseconds{20});
  world.Say("SET k w");
  std::string heard = listener->Heard();
  EXPECT_TRUE(heard.contains("__keyevent@0__:expired|")) << heard;
  EXPECT_TRUE(heard.contains("__keyevent@0__:new|")) << heard;
}

// An empty pattern was taken for none.
TEST(Commands, EmptyPatternMatchesOnlyTheEmptyName) {
  EngineFixture world;
  world.Say("MSET a 1 \"\" 2");
  EXPECT_EQ(world.Say("KEYS \"\""), "*1|$0||");
  EXPECT_EQ(world.Say("SCAN 0 MATCH \"\""), "*2|$1|0|*1|$0||");
}

TEST(Commands, WaitWithinATransactionDoesNotWait) {
  EngineFixture world;
  world.Say("MULTI");
  world.Say("WAIT 1 0");
  EXPECT_EQ(world.Say("EXEC"), "*1|:0|");
}

TEST(Commands, FullMemoryEvictsTheCacheAndThenRefuses) {
  EngineFixture world({.keyspace = {.cache_prefix = "cache:"}, .max_memory_bytes = 200000});
  std::string value(1000, 'x');
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(world.Say("SET cache:" + std::to_string(i) + " " + value), "+OK|");
  }
  int taken = 0;
  while (taken < 300 && world.Say("SET sess:" + std::to_string(taken) + " " + value) == "+OK|")
    ++taken;
  EXPECT_GT(taken, 100);
  EXPECT_EQ(world.Say("SET more x"), "-OOM command not allowed when used memory > 'maxmemory'.|");
  EXPECT_EQ(world.Say("DEL sess:0"), ":1|");
  EXPECT_EQ(world.Say("STRLEN sess:1"), ":1000|");
}

// They were refused while the cache, which takes most of the memory, was evicted bit by bit.
TEST(Commands, SessionsAreTakenWhileTheCacheIsFarOverTheMemory) {
  EngineFixture world({.keyspace = {.cache_prefix = "cache:"}, .max_memory_bytes = 16 << 20});
  std::string value(300, 'x');
  for (int i = 0; i < 30'000; ++i) world.Say("SET cache:" + std::to_string(i) + " " + value);
  size_t before = world.engine->keyspace().used_bytes();
  world.Say("CONFIG SET maxmemory " + std::to_string(before * 2 / 3));
  EXPECT_EQ(world.Say("SET cache:more x"),
            "-OOM command not allowed when used memory > 'maxmemory'.|");
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(world.Say("SET sess:" + std::to_string(i) + " " + value), "+OK|");
  }
  EXPECT_LT(world.engine->keyspace().used_bytes(), before * 7 / 10);
}

// One question was asked for all of it, and then it wrote without end.
TEST(Commands, TransactionDoesNotWriteFarPastTheMemory) {
  EngineFixture world({.max_memory_bytes = 4 << 20});
  world.Say("MULTI");
  for (int i = 0; i < 100; ++i) world.Say("SETRANGE k" + std::to_string(i) + " 1000000 x");
  std::string replies = world.Say("EXEC");
  EXPECT_TRUE(replies.starts_with("*100|:1000001|:1000001|"));
  EXPECT_TRUE(replies.ends_with("-OOM command not allowed when used memory > 'maxmemory'.|"));
  EXPECT_LT(world.engine->keyspace().used_bytes(), size_t{7} << 20);
}

TEST(Commands, TransactionDoesNotWriteARecordWithoutEnd) {
  EngineFixture world;
  world.Say("MULTI");
  for (int i = 0; i < 5; ++i) world.Say("SETRANGE k 30000000 " + std::to_string(i));
  std::string replies = world.Say("EXEC");
  EXPECT_TRUE(
      replies.starts_with("*5|:30000001|:30000001|:30000001|-ERR the transaction writes "
                          "more than 67108864 bytes|"))
      << replies;
}

// INFO went on with those of before.
TEST(Commands, ResetStatisticsCountEvictionsAnew) {
  EngineFixture world({.keyspace = {.cache_prefix = "cache:"}, .max_memory_bytes = 200000});
  for (int i = 0; i < 300; ++i) {
    world.Say("SET cache:" + std::to_string(i) + " " + std::string(1000, 'x'));
  }
  EXPECT_GT(world.engine->keyspace().evicted(), 0);
  EXPECT_EQ(world.Say("CONFIG RESETSTAT"), "+OK|");
  EXPECT_EQ(world.engine->keyspace().evicted(), 0);
}

TEST(Commands, InfoTellsHowManyKeysThereAreAndHowManyWillEnd) {
  EngineFixture world;
  world.Say("SET a 1");
  world.Say("SET b 1 EX 100");
  std::string said = world.Say("INFO keyspace");
  EXPECT_TRUE(said.contains("db0:keys=2,expires=1,")) << said;
}

constexpr std::string_view kHello = ">3|$7|message|$1|n|$5|hello|";

TEST(PushedMessages, FollowALongReply) {
  EngineFixture world;
  world.Say("HELLO 3");
  world.Say("SUBSCRIBE n");
  for (size_t i = 0; i < 3 * kReplyItemsPerIteration; ++i) world.Say("SADD s " + std::to_string(i));
  auto other = world.Connect();
  Client& client = world.client->client();
  std::vector<std::string_view> request = {"SMEMBERS", "s"};
  world.engine->Execute(client, request);
  std::string all = world.client->Heard();
  while (client.long_reply) {
    EXPECT_EQ(other->Say("PUBLISH n hello"), ":1|");
    EXPECT_EQ(world.client->Heard(), "");
    world.engine->ContinueReply(client);
    all += world.client->Heard();
  }
  size_t end = all.find(kHello);
  ASSERT_NE(end, std::string::npos);
  EXPECT_EQ(static_cast<size_t>(std::ranges::count(all.substr(0, end), '$')),
            3 * kReplyItemsPerIteration);
  EXPECT_TRUE(all.ends_with(std::string(kHello) + std::string(kHello)));
  EXPECT_EQ(other->Say("PUBLISH n hello"), ":1|");
  EXPECT_EQ(world.client->Heard(), kHello);
}

// Clients took it for a part of the reply.
TEST(PushedMessages, CameIntoTheReplyOfATransaction) {
  EngineFixture world;
  world.Say("HELLO 3");
  world.Say("SUBSCRIBE n");
  world.Say("MULTI");
  world.Say("PUBLISH n hello");
  world.Say("SET a b");
  EXPECT_EQ(world.Say("EXEC"), "*2|:1|+OK|" + std::string(kHello));
}

TEST(PushedMessages, WereCutOffWithTheReplyThatIsNotWanted) {
  EngineFixture world;
  world.Say("HELLO 3");
  world.Say("SUBSCRIBE n");
  world.Say("CLIENT REPLY OFF");
  EXPECT_EQ(world.Say("PUBLISH n hello"), kHello);
}

// One write evicts a few keys, and that was too few for a large session.
TEST(Commands, WritesWereRefusedWhileTheCacheHadKeysToEvict) {
  constexpr size_t kMax = 4'000'000;
  EngineFixture world({.keyspace = {.cache_prefix = "cache:"}, .max_memory_bytes = kMax});
  for (int i = 0; world.engine->keyspace().evicted() == 0; ++i) {
    ASSERT_EQ(world.Say("SET cache:" + std::to_string(i) + " x"), "+OK|");
  }
  size_t large = kMax / kMemorySlack / 2;
  EXPECT_EQ(world.Say("SETRANGE large:2 " + std::to_string(large) + " x"),
            ":" + std::to_string(large + 1) + "|");
  EXPECT_GT(world.engine->keyspace().used_bytes(), kMax);
  EXPECT_EQ(world.Say("SET sess:1 x"), "+OK|");
  // What is past the slack waits for evictions.
  EXPECT_EQ(world.Say("SETRANGE large:3 " + std::to_string(2 * large) + " x"),
            ":" + std::to_string(2 * large + 1) + "|");
  EXPECT_EQ(world.Say("SET cache:more x").substr(0, 4), "-OOM");
  EXPECT_EQ(world.Say("SET sess:2 x"), "+OK|");
  while (!world.engine->Sweep()) {
  }
  EXPECT_LE(world.engine->keyspace().used_bytes(), kMax);
  EXPECT_EQ(world.Say("SET sess:2 x"), "+OK|");
}

TEST(Commands, KeysOnceLeftTheCacheOut) {
  EngineFixture world({.keyspace = {.cache_prefix = "cache:"}});
  world.Say("MSET cache:a 1 b 2");
  EXPECT_EQ(world.Say("KEYS *"), "*2|$1|b|$7|cache:a|");
}

TEST(Commands, WithoutPasswordOnlyLoggingInIsPossible) {
  EngineFixture world({.passwords = {{"default", "secret"}, {"app", "other"}}});
  EXPECT_EQ(world.Say("GET a"), "-NOAUTH Authentication required.|");
  EXPECT_EQ(world.Say("HELLO 3").substr(0, 14), "-NOAUTH HELLO ");
  EXPECT_EQ(world.Say("AUTH wrong"),
            "-WRONGPASS invalid username-password pair or user is disabled.|");
  EXPECT_EQ(world.Say("AUTH app secret"),
            "-WRONGPASS invalid username-password pair or user is disabled.|");
  EXPECT_EQ(world.Say("AUTH app other"), "+OK|");
  EXPECT_EQ(world.Say("GET a"), "$-1|");
  EXPECT_EQ(world.Say("RESET"), "+RESET|");
  EXPECT_EQ(world.Say("GET a"), "-NOAUTH Authentication required.|");
  EXPECT_EQ(world.Say("HELLO 3 AUTH default secret").substr(0, 4), "%7|$");
}

TEST(Commands, KeyOfTheLimitIsTakenAndNoLonger) {
  EngineFixture world;
  std::string longest(kMaxKeyBytes, 'k');
  EXPECT_EQ(world.Say("SET " + longest + " v"), "+OK|");
  std::string longer = longest + "k";
  std::string refusal = "-ERR key is longer than 32768 bytes|";
  for (const std::string& request :
       {"SET " + longer + " v", "HSET " + longer + " f v", "INCR " + longer, "RENAME x " + longer,
        "RENAMENX x " + longer, "SMOVE s " + longer + " m", "COPY x " + longer,
        "MSET a 1 " + longer + " 2", "WATCH " + longer}) {
    EXPECT_EQ(world.Say(request), refusal) << request.substr(0, 10);
  }
  EXPECT_EQ(world.Say("DBSIZE"), ":1|");
}

// They failed, where there can be no such key.
TEST(Commands, KeyPastTheLimitIsNotFound) {
  EngineFixture world;
  std::string longer(kMaxKeyBytes + 1, 'k');
  EXPECT_EQ(world.Say("GET " + longer), "$-1|");
  EXPECT_EQ(world.Say("EXISTS " + longer + " x"), ":0|");
  EXPECT_EQ(world.Say("DEL " + longer), ":0|");
  EXPECT_EQ(world.Say("UNLINK " + longer), ":0|");
  EXPECT_EQ(world.Say("MGET " + longer), "*1|$-1|");
  EXPECT_EQ(world.Say("GETDEL " + longer), "$-1|");
  EXPECT_EQ(world.Say("GETEX " + longer + " EX 10"), "$-1|");
  EXPECT_EQ(world.Say("EXPIRE " + longer + " 10"), ":0|");
  EXPECT_EQ(world.Say("HDEL " + longer + " f"), ":0|");
  EXPECT_EQ(world.Say("SREM " + longer + " m"), ":0|");
  EXPECT_EQ(world.Say("SPOP " + longer), "$-1|");
  EXPECT_EQ(world.Say("TYPE " + longer), "+none|");
  EXPECT_EQ(world.Say("DBSIZE"), ":0|");
  EXPECT_TRUE(world.journal.records.empty());
}

TEST(Commands, EveryCommandWithKeysHasKeySpecifications) {
  for (const CommandSpec& spec : Commands()) {
    bool has_keys = spec.first_key != 0 || (spec.flags & kMovableKeys) != 0;
    EXPECT_EQ(!KeySpecificationsOf(spec).empty(), has_keys) << spec.name;
    EXPECT_FALSE(AclCategoriesOf(spec).empty()) << spec.name;
  }
}

TEST(Commands, WatchedKeyThatAnotherChangesStopsTheTransaction) {
  EngineFixture world;
  auto other = world.Connect();
  world.Say("WATCH a b");
  world.Say("MULTI");
  world.Say("SET b 1");
  EXPECT_EQ(other->Say("SET a x"), "+OK|");
  EXPECT_EQ(world.Say("EXEC"), "*-1|");
  world.Say("MULTI");
  world.Say("GET a");
  EXPECT_EQ(world.Say("EXEC"), "*1|$1|x|");
}

TEST(Commands, WatchedKeyThatExpiresStopsTheTransaction) {
  EngineFixture world;
  world.Say("SET a 1 PX 100");
  world.Say("WATCH a");
  world.Say("MULTI");
  world.wall.Advance(std::chrono::milliseconds{100});
  EXPECT_EQ(world.Say("EXEC"), "*-1|");
}

TEST(Commands, MessagesReachChannelsAndPatterns) {
  EngineFixture world;
  auto listener = world.Connect();
  EXPECT_EQ(listener->Say("SUBSCRIBE news"), "*3|$9|subscribe|$4|news|:1|");
  EXPECT_EQ(listener->Say("PSUBSCRIBE n*"), "*3|$10|psubscribe|$2|n*|:2|");
  EXPECT_EQ(world.Say("PUBLISH news hi"), ":2|");
  EXPECT_EQ(listener->Heard(), "*3|$7|message|$4|news|$2|hi|*4|$8|pmessage|$2|n*|$4|news|$2|hi|");
  EXPECT_EQ(listener->Say("GET a").substr(0, 24), "-ERR Can't execute 'get'");
  EXPECT_EQ(listener->Say("PING"), "*2|$4|pong|$0||");
  EXPECT_EQ(listener->Say("UNSUBSCRIBE"), "*3|$11|unsubscribe|$4|news|:1|");
  listener.reset();
  EXPECT_EQ(world.Say("PUBLISH news hi"), ":0|");
}

TEST(Commands, SubscriberPastItsLimitIsCutOff) {
  EngineFixture world;
  auto deaf = world.Connect();
  deaf->Say("SUBSCRIBE c");
  std::string message(1 << 20, 'x');
  wire::resp::RequestParser parser;
  std::string request = "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1048576\r\n" + message + "\r\n";
  for (int i = 0; i < 7; ++i) {
    parser.Parse(request);
    world.engine->Execute(world.client->client(), parser.arguments());
    EXPECT_EQ(world.client->Heard(), ":1|");
  }
  parser.Parse(request);
  world.engine->Execute(world.client->client(), parser.arguments());
  EXPECT_EQ(world.client->Heard(), ":0|");
  EXPECT_TRUE(deaf->disconnected());
}

// Whoever wants to could fill the disk with lines.
TEST(Commands, HttpRequestsAreLoggedOnceAMinute) {
  ScratchDir folder;
  ConfigureLog({.file = {.path = folder / "log"}});
  EngineFixture fixture;
  auto connect_and_post = [&] {
    auto browser = fixture.Connect();
    EXPECT_EQ(browser->Say("POST / HTTP/1.1"), "");
    EXPECT_TRUE(browser->disconnected());
  };
  auto lines = [&] {
    std::ifstream log(folder / "log");
    std::string text{std::istreambuf_iterator<char>(log), {}};
    return std::ranges::count(text, '\n');
  };
  for (int i = 0; i < 3; ++i) connect_and_post();
  EXPECT_EQ(lines(), 1);
  fixture.wall.Advance(std::chrono::minutes{1});
  connect_and_post();
  EXPECT_EQ(lines(), 2);
  EXPECT_EQ(fixture.engine->statistics().http_connections, 4U);
  ConfigureLog({});
}

}  // namespace
}  // namespace meridian::session
