// What commands take at the most: each limit, at it and one past it.
#include "session/limits.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "session/engine/client.hpp"
#include "session/engine/engine_fixture.hpp"
#include "site/limits.hpp"
#include "store/limits.hpp"
#include "wire/resp/limits.hpp"

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
  std::string most = std::to_string(-kMaxRandomElements);
  std::string more = std::to_string(-kMaxRandomElements - 1);
  std::string all = "*" + std::to_string(kMaxRandomElements) + "\r\n";
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
  int64_t max_ms = std::chrono::duration_cast<std::chrono::milliseconds>(kMaxWait).count();
  std::string most = std::to_string(max_ms);
  std::string more = std::to_string(max_ms + 1);
  for (const std::string& asked : {std::string("0"), most, more}) {
    EXPECT_EQ(world.Say("WAIT 1 " + asked), "");
    EXPECT_EQ(world.client->client().wait->timeout, kMaxWait) << asked;
    world.client->client().wait.reset();
  }
  EXPECT_EQ(world.Say("WAIT 1 -1"), "-ERR timeout is negative|");
}

// Numbers as docs/session.md writes them.
std::string Grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}
std::string Mebibytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }
std::string Kibibytes(uint64_t bytes) { return std::to_string(bytes >> 10) + " KiB"; }
std::string InSeconds(Duration duration) { return fmt::format("{:.0f} s", Seconds(duration)); }

struct Documented {
  std::vector<std::string_view> constants;
  std::string row;  // how the row of the table begins
};

std::vector<Documented> LimitsOfRequests() {
  wire::resp::RequestLimits request;
  wire::resp::RequestLimits early = wire::resp::kUnauthenticatedLimits;
  auto arguments = [](int64_t count) { return Grouped(static_cast<uint64_t>(count)); };
  return {
      {{"kMaxKeyBytes"}, "a key's name | " + Grouped(kMaxKeyBytes) + " bytes |"},
      {{"kMaxValueBytes"},
       "a value, a field, a member: one argument | " + Mebibytes(kMaxValueBytes)},
      {{},
       "a request | " + Mebibytes(request.max_request_bytes) + ", " +
           arguments(request.max_arguments) + " arguments |"},
      {{},
       "a request before authentication | " + Kibibytes(early.max_request_bytes) + ", " +
           arguments(early.max_arguments) + " arguments of " + arguments(early.max_bulk_bytes) +
           " bytes |"},
      {{}, "an inline request | " + Kibibytes(wire::resp::kMaxInlineBytes)},
      {{"kMaxPatternBytes"},
       "a pattern (`KEYS`, `SCAN`, `PSUBSCRIBE`, `CONFIG GET`) | " + Grouped(kMaxPatternBytes) +
           " bytes |"},
      {{"kMaxScanCount"}, "`COUNT` of one `SCAN`, `HSCAN`, `SSCAN` | " + Grouped(kMaxScanCount)},
      {{"kMaxRandomElements"},
       "repeated elements of `SRANDMEMBER`, `HRANDFIELD` | " + Grouped(kMaxRandomElements)},
      {{"kMaxQueuedBytes"}, "requests in `MULTI` | " + Mebibytes(kMaxQueuedBytes)},
      {{"kMaxTransactionBytes"}, "what one `EXEC` writes | " + Mebibytes(kMaxTransactionBytes)},
      {{"kMaxWatchedKeys"}, "keys that a connection watches | " + Grouped(kMaxWatchedKeys)},
  };
}

std::vector<Documented> LimitsOfRepliesAndConnections() {
  return {
      {{"kMaxReplyBytes"},
       "replies of one connection that wait to be sent | " + Mebibytes(kMaxReplyBytes)},
      {{"kWriteTimeout"}, "a reply that the client does not read | " + InSeconds(kWriteTimeout)},
      {{"kMaxSubscriptions"},
       "channels and patterns of a connection | " + Grouped(kMaxSubscriptions)},
      {{"kMaxSubscriberBytes"},
       "messages that wait for a subscriber | " + Mebibytes(kMaxSubscriberBytes)},
      {{"kMaxWait"}, "`WAIT` | " + InSeconds(kMaxWait)},
      {{}, "a write that waits for a full disk | " + InSeconds(store::kFullDiskTimeout)},
      {{"kMaxReadings"},
       "large replies of one hash or set that are made in parts at a time | " +
           Grouped(kMaxReadings)},
      {{"kMaxClients"}, "`max_clients` | " + Grouped(kMaxClients)},
      {{"kMaxRefusing", "kRefusalTimeout"},
       fmt::format("connections that get this error | {}, each for {:.0f} ms |", kMaxRefusing,
                   Milliseconds(kRefusalTimeout))},
      {{"kAuthenticationTimeout"},
       "without authentication | " + InSeconds(kAuthenticationTimeout) + " |"},
      {{"kMaxLingerBytes", "kLingerTimeout"},
       "bytes read from a refused client | " + Mebibytes(kMaxLingerBytes) + ", " +
           InSeconds(kLingerTimeout) + " |"},
      {{"kDrainGrace"},
       "after SIGTERM, for clients that go on sending requests | " + InSeconds(kDrainGrace) + " |"},
      {{"kUnauthenticatedLogInterval"},
       "log lines about unauthenticated and HTTP connections | one a minute"},
  };
}

std::vector<Documented> LimitsOfMemoryAndPeers() {
  return {
      {{"kMinMaxMemoryBytes", "kMaxMemoryFactor"},
       "`maxmemory` | at least " + Mebibytes(kMinMaxMemoryBytes) + "; twice that"},
      {{"kMemorySlack"},
       fmt::format("over `maxmemory` while the cache is evicted | an {}th of it", kMemorySlack)},
      {{"kMaxEvictions", "kMaxUrgentEvictions"},
       fmt::format("keys evicted for one write | {}; {}", kMaxEvictions,
                   Grouped(kMaxUrgentEvictions))},
      {{}, "changes that wait for the log | " + Mebibytes(store::kMaxWaitingBytes)},
      {{}, "the log between two snapshots | " + Mebibytes(store::kSnapshotLogBytes) + ", or twice"},
      {{"kSmallHashFields", "kSmallHashBytes", "kReplyItemsPerIteration"},
       fmt::format("**a small hash, which keeps its order** | {} fields, names and values of {} "
                   "bytes, {} tombstones",
                   kSmallHashFields, kSmallHashBytes, Grouped(kReplyItemsPerIteration))},
      {{"kSmallSetMembers"},
       fmt::format("**a small set, in the order of its integers** | {} members", kSmallSetMembers)},
      {{}, fmt::format("connections at the peer port | {} of", site::kMaxPeerConnections)},
      {{},
       fmt::format("connections at the peer port in their handshake | {}, each for {}",
                   site::kMaxPeerHandshakes, InSeconds(site::kPeerHandshakeTimeout))},
      {{"kMaxPeerClockSkew"}, "a clock that is ahead | " + InSeconds(kMaxPeerClockSkew)},
      {{"kFarBehind"},
       "a data center that is behind, before `status` says so | " + InSeconds(kFarBehind)},
      {{"kShownItems", "kShownBytes"},
       fmt::format("**what `meridian session get` shows** | {} fields or members, {} bytes of each",
                   kShownItems, Grouped(kShownBytes))},
  };
}

// How work is divided into loop iterations, and how often it is done: no limits for clients.
constexpr std::string_view kPaces[] = {
    "kHeartbeatInterval",    "kBusySweepPause",     "kStatusInterval",
    "kContactPause",         "kEvictionSamples",    "kFlushReplyBytes",
    "kFlushSlice",           "kFreedAtOnce",        "kFreedPerIteration",
    "kMaxPrefetches",        "kReadBytes",          "kReplyBytesPerIteration",
    "kSnapshotItemBytes",    "kSnapshotSlice",      "kSnapshotSliceBytes",
    "kStagedBytes",          "kSweepDueSegments",   "kSweepPause",
    "kSweepSegments",        "kTombstoneRecheckMs", "kTombstonesPerIteration",
    "kTombstonesWorthAWalk",
};

std::string TextOf(const char* path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Limits, EachStandsInTheDocumentation) {
  std::string documentation = TextOf("docs/session.md");
  std::set<std::string_view> known(std::begin(kPaces), std::end(kPaces));
  for (const auto& limits :
       {LimitsOfRequests(), LimitsOfRepliesAndConnections(), LimitsOfMemoryAndPeers()}) {
    for (const Documented& limit : limits) {
      EXPECT_TRUE(documentation.contains("\n| " + limit.row)) << limit.row;
      known.insert(limit.constants.begin(), limit.constants.end());
    }
  }
  std::istringstream lines(TextOf("src/session/limits.hpp"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("constexpr ")) continue;
    std::string name = line.substr(0, line.find(" ="));
    name = name.substr(name.rfind(' ') + 1);
    EXPECT_TRUE(known.contains(name)) << name << " is neither documented nor a pace";
  }
}

}  // namespace
}  // namespace meridian::session
