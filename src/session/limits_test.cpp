// What commands take at the most: each limit, at it and one past it.
#include "session/limits.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "session/client.hpp"
#include "session/engine_fixture.hpp"

namespace meridian::session {
namespace {

// Executes a request that is too long to be typed; how its reply begins.
std::string Ask(EngineFixture& world, const std::vector<std::string_view>& arguments,
                size_t shown = 40) {
  Client& client = world.client->client();
  world.engine->BeginBatch();
  world.engine->Execute(client, arguments);
  std::string reply(client.output.text().substr(0, shown));
  client.output.Consume(client.output.size());
  return reply;
}

std::vector<std::string> Numbered(size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back("n" + std::to_string(i));
  return names;
}
std::vector<std::string_view> Request(std::string_view command,
                                      const std::vector<std::string>& arguments) {
  std::vector<std::string_view> request{command};
  request.insert(request.end(), arguments.begin(), arguments.end());
  return request;
}

TEST(Limits, WatchedKeys) {
  EngineFixture world;
  std::vector<std::string> keys = Numbered(kMaxWatchedKeys);
  EXPECT_EQ(Ask(world, Request("WATCH", keys)), "+OK\r\n");
  EXPECT_EQ(world.Say("WATCH more"), "-ERR too many watched keys|");
  EXPECT_EQ(world.Say("UNWATCH"), "+OK|");
  EXPECT_EQ(world.Say("WATCH more"), "+OK|");
}

TEST(Limits, Subscriptions) {
  EngineFixture world;
  std::vector<std::string> channels = Numbered(kMaxSubscriptions);
  Ask(world, Request("SUBSCRIBE", channels));
  EXPECT_EQ(world.client->client().subscriptions(), kMaxSubscriptions);
  EXPECT_EQ(world.Say("PSUBSCRIBE more"), "-ERR too many subscriptions|");
  world.Say("UNSUBSCRIBE n0");
  EXPECT_EQ(world.Say("PSUBSCRIBE more").substr(0, 4), "*3|$");
}

TEST(Limits, NameOfAChannel) {
  EngineFixture world;
  std::string longest(kMaxKeyBytes, 'c');
  EXPECT_EQ(Ask(world, {"SUBSCRIBE", longest}, 4), "*3\r\n");
  longest += 'c';
  EXPECT_EQ(Ask(world, {"SUBSCRIBE", longest}), "-ERR channel name is too long\r\n");
}

TEST(Limits, Pattern) {
  EngineFixture world;
  std::string longest(kMaxPatternBytes, '*');
  EXPECT_EQ(Ask(world, {"KEYS", longest}), "*0\r\n");
  longest += '*';
  EXPECT_EQ(Ask(world, {"KEYS", longest}), "-ERR pattern is too long\r\n");
  EXPECT_EQ(Ask(world, {"SCAN", "0", "MATCH", longest}), "-ERR pattern is too long\r\n");
}

TEST(Limits, RandomElementsGivenRepeatedly) {
  EngineFixture world;
  world.Say("SADD s m");
  world.Say("HSET h f v");
  std::string most = std::to_string(-kMostRandomElements);
  std::string more = std::to_string(-kMostRandomElements - 1);
  std::string all = "*" + std::to_string(kMostRandomElements) + "\r\n";
  EXPECT_EQ(Ask(world, {"SRANDMEMBER", "s", most}, all.size()), all);
  EXPECT_EQ(Ask(world, {"HRANDFIELD", "h", most}, all.size()), all);
  EXPECT_EQ(Ask(world, {"SRANDMEMBER", "s", more}), "-ERR value is out of range\r\n");
  EXPECT_EQ(Ask(world, {"HRANDFIELD", "h", more}), "-ERR value is out of range\r\n");
}

TEST(Limits, ValueThatGrows) {
  EngineFixture world;
  std::string last = std::to_string(kMaxValueBytes - 1);
  std::string behind = std::to_string(kMaxValueBytes);
  EXPECT_EQ(world.Say("SETRANGE k " + last + " x"), ":" + behind + "|");
  std::string refusal = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)|";
  EXPECT_EQ(world.Say("SETRANGE k " + behind + " x"), refusal);
  EXPECT_EQ(world.Say("APPEND k x"), refusal);
  EXPECT_EQ(world.Say("STRLEN k"), ":" + behind + "|");
}

TEST(Limits, RepliesOfOneRequest) {
  EngineFixture world;
  world.Say("SETRANGE k " + std::to_string(kMaxValueBytes - 1) + " x");
  EXPECT_EQ(Ask(world, {"MGET", "k", "k", "k"}, 4), "*3\r\n");
  EXPECT_FALSE(world.client->disconnected());
  // Four of them fill it, and there is what stands around them.
  static_assert(4 * kMaxValueBytes == kMaxReplyBytes);
  Ask(world, {"MGET", "k", "k", "k", "k"});
  EXPECT_TRUE(world.client->disconnected());
}

TEST(Limits, BytesOfATransaction) {
  EngineFixture world;
  constexpr size_t kArguments = 3;
  size_t kept = sizeof(std::vector<std::string>) + kArguments * sizeof(std::string);
  std::string value(kMaxQueuedBytes - kept - 4, 'x');
  world.Say("MULTI");
  EXPECT_EQ(Ask(world, {"SET", "k", value}), "+QUEUED\r\n");
  EXPECT_EQ(world.Say("PING"), "-ERR the transaction is larger than 67108864 bytes|");
  EXPECT_EQ(world.Say("EXEC"), "-EXECABORT Transaction discarded because of previous errors.|");
  world.Say("MULTI");
  value += 'x';
  EXPECT_EQ(Ask(world, {"SET", "k", value}, 100),
            "-ERR the transaction is larger than 67108864 bytes\r\n");
}

// At 16,384 it was refused, however short they were.
TEST(Limits, RequestsOfATransactionCountByTheirBytes) {
  constexpr size_t kRequests = 50'000;
  EngineFixture world;
  world.Say("MULTI");
  for (size_t i = 0; i < kRequests; ++i) ASSERT_EQ(Ask(world, {"INCR", "n"}), "+QUEUED\r\n");
  EXPECT_EQ(Ask(world, {"EXEC"}, 8), "*50000\r\n");
  EXPECT_EQ(world.Say("GET n"), "$5|50000|");
}

// Each request takes memory beside its bytes.
TEST(Limits, RequestsOfATransactionAreBoundedAlsoWhereTheyAreShort) {
  constexpr size_t kKept = sizeof(std::vector<std::string>) + sizeof(std::string) + 4;
  EngineFixture world;
  world.Say("MULTI");
  for (size_t i = 0; i < kMaxQueuedBytes / kKept; ++i) {
    ASSERT_EQ(Ask(world, {"PING"}), "+QUEUED\r\n");
  }
  EXPECT_EQ(world.Say("PING"), "-ERR the transaction is larger than 67108864 bytes|");
  EXPECT_EQ(world.Say("EXEC"), "-EXECABORT Transaction discarded because of previous errors.|");
}

TEST(Limits, TimeOfAWait) {
  EngineFixture world;
  int64_t most_ms = std::chrono::duration_cast<std::chrono::milliseconds>(kMostWait).count();
  std::string most = std::to_string(most_ms);
  std::string more = std::to_string(most_ms + 1);
  for (const std::string& asked : {std::string("0"), most, more}) {
    EXPECT_EQ(world.Say("WAIT 1 " + asked), "");
    EXPECT_EQ(world.client->client().wait->timeout, kMostWait) << asked;
    world.client->client().wait.reset();
  }
  EXPECT_EQ(world.Say("WAIT 1 -1"), "-ERR timeout is negative|");
}

}  // namespace
}  // namespace meridian::session
