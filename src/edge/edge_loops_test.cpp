// The edge on several loops, with real threads and sockets; run it under the thread sanitizer.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/purge.hpp"
#include "edge/edge_loops_fixture.hpp"
#include "edge/limits.hpp"
#include "http/exchange.hpp"
#include "io/fiber.hpp"
#include "io/wait_queue.hpp"

namespace meridian::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = PurgeOrder::Kind;

constexpr size_t kLoops = 8;

// The number that `text` begins with; 0: none.
uint64_t NumberAt(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

class EdgeLoopsTest : public EdgeLoopsFixture {
 protected:
  // The body of a path: its text, repeated.
  static std::string BodyOf(std::string_view path, size_t bytes) {
    std::string body;
    body.reserve(bytes + path.size());
    while (body.size() < bytes) body += path;
    body.resize(bytes);
    return body;
  }
  static io::Task<void> Respond(http::Exchange& exchange, std::string control, std::string body) {
    wire::http::HeaderFields fields;
    fields.Add("Cache-Control", control);
    (void)co_await exchange.Respond({.fields = fields}, AsBytes(body));
  }
  // Begins a response, of `bytes` if they are known.
  static io::Task<bool> Begin(http::Exchange& exchange, std::optional<uint64_t> bytes,
                              std::string_view first) {
    wire::http::HeaderFields fields;
    fields.Add("Cache-Control", "max-age=60");
    if (!exchange.Start({.fields = fields, .content_length = bytes})) co_return false;
    if (!co_await exchange.Write(AsBytes(first))) co_return false;
    co_return (co_await exchange.Flush()).has_value();
  }

  io::Task<void> GetInto(size_t index, std::string path, Got* got) {
    *got = co_await Get(index, std::move(path));
  }
};

TEST_F(EdgeLoopsTest, AColdKeyIsFetchedOnceForAllLoops) {
  std::map<std::string, int> asked;
  auto origin = [&](http::Exchange& exchange) -> io::Task<void> {
    const std::string path(exchange.request().path);
    ++asked[path];
    co_await Respond(exchange, "max-age=60", BodyOf(path, 10'000));
  };
  Run(kLoops, origin, [&]() -> io::Task<void> {
    for (int round = 0; round < 20; ++round) {
      const std::string path = fmt::format("/{}", round);
      std::array<Got, kLoops * 6> got;
      io::Scope visitors(loop_);
      for (size_t i = 0; i < got.size(); ++i) visitors.Spawn(GetInto(i % kLoops, path, &got[i]));
      co_await visitors.Join();
      for (const Got& each : got) {
        EXPECT_EQ(each.status, 200);
        EXPECT_TRUE(each.whole);
        EXPECT_EQ(each.body, BodyOf(path, 10'000));
      }
      EXPECT_EQ(asked[path], 1);
    }
  });
}

TEST_F(EdgeLoopsTest, APurgeThatIsOverIsOverOnAllLoops) {
  int asked = 0;
  auto origin = [&](http::Exchange& exchange) -> io::Task<void> {
    wire::http::HeaderFields fields;
    const std::string version = std::to_string(++asked);
    fields.Add("Cache-Control", "max-age=60");
    fields.Add("Cache-Tag", "t");
    fields.Add("X-Version", version);
    (void)co_await exchange.Respond({.fields = fields}, AsBytes("body"));
  };
  Run(kLoops, origin, [&]() -> io::Task<void> {
    for (const PurgeOrder& order : {PurgeOrder{.kind = Kind::kUrl, .value = "http://a/x"},
                                    {.kind = Kind::kTag, .value = "t"},
                                    {.kind = Kind::kPrefix, .value = "/"},
                                    {.kind = Kind::kTag, .value = "t", .soft = true}}) {
      // Three hits on each loop make the key hot there.
      std::string version;
      for (size_t i = 0; i < 4 * kLoops; ++i) {
        const Got got = co_await Get(i % kLoops, "/x");
        if (i == 0) version = got.version;
        EXPECT_EQ(got.version, version);
      }
      EXPECT_EQ(cache_->store.Purge(order, loop_.Now()), 1U);
      for (size_t i = 0; i < kLoops; ++i) {
        EXPECT_NE((co_await Get(kLoops - 1 - i, "/x")).version, version) << i;
      }
    }
    EXPECT_EQ(asked, 5);
  });
}

TEST_F(EdgeLoopsTest, AReaderOnAnotherLoopHoldsTheFetchOfALargeBodyToItsPace) {
  config_.cache.max_object_bytes = 1000;
  const std::string body = BodyOf("/large", 64 << 20);
  io::WaitQueue go;
  uint64_t sent = 0;
  int asked = 0;
  auto origin = [&](http::Exchange& exchange) -> io::Task<void> {
    ++asked;
    const Bytes all = AsBytes(body);
    if (!co_await Begin(exchange, {}, body.substr(0, 10))) co_return;
    (void)co_await go.Wait();
    for (sent = 10; sent < all.size();) {
      const Bytes next = all.subspan(sent, std::min<size_t>(64'000, all.size() - sent));
      if (!co_await exchange.Write(next)) co_return;
      sent += next.size();
    }
    (void)co_await exchange.Finish({}, {});
  };
  Run(2, origin, [&]() -> io::Task<void> {
    auto first = Visitor(0);
    auto second = Visitor(1);
    Got fast;
    Got slow;
    auto fast_exchange = co_await Ask(*first, "/large", &fast);
    auto slow_exchange = co_await Ask(*second, "/large", &slow);
    if (!fast_exchange || !slow_exchange) {
      ADD_FAILURE();
      co_return;
    }
    co_await ReadBody(*fast_exchange, &fast, 10);
    co_await ReadBody(*slow_exchange, &slow, 10);
    go.WakeAll();
    io::Scope reading(loop_);
    reading.Spawn(ReadBody(*fast_exchange, &fast));
    // Until nothing moves any more.
    for (uint64_t before = 0; before != sent + fast.body.size() || before == 20;) {
      before = sent + fast.body.size();
      (void)co_await io::Sleep(milliseconds{300});
    }
    EXPECT_LT(sent, body.size());
    EXPECT_FALSE(fast.whole);
    co_await ReadBody(*slow_exchange, &slow);
    co_await reading.Join();
    EXPECT_TRUE(fast.whole && slow.whole);
    EXPECT_TRUE(fast.body == body);
    EXPECT_TRUE(slow.body == body);
    EXPECT_EQ(asked, 1);
  });
}

TEST_F(EdgeLoopsTest, VisitorsWhoLeaveEndNoFetchThatOthersRead) {
  const std::string body = BodyOf("/a", 400'000);
  io::WaitQueue go;
  auto origin = [&](http::Exchange& exchange) -> io::Task<void> {
    if (!co_await Begin(exchange, body.size(), body.substr(0, 100'000))) co_return;
    (void)co_await go.Wait();
    (void)co_await exchange.Finish(AsBytes(std::string_view(body).substr(100'000)), {});
  };
  Run(3, origin, [&]() -> io::Task<void> {
    std::array<std::unique_ptr<http::Client>, 3> visitors = {Visitor(0), Visitor(1), Visitor(2)};
    std::array<Got, 3> got;
    std::array<std::unique_ptr<http::ClientExchange>, 3> exchanges;
    for (size_t i = 0; i < 3; ++i) {
      exchanges[i] = co_await Ask(*visitors[i], "/a", &got[i]);
      if (!exchanges[i]) {
        ADD_FAILURE();
        co_return;
      }
      co_await ReadBody(*exchanges[i], &got[i], 50'000);
    }
    exchanges[0].reset();  // who asked the origin
    exchanges[1].reset();
    go.WakeAll();
    co_await ReadBody(*exchanges[2], &got[2]);
    EXPECT_TRUE(got[2].whole);
    EXPECT_TRUE(got[2].body == body);
    EXPECT_TRUE((co_await Get(1, "/a")).body == body);
  });
}

TEST_F(EdgeLoopsTest, ABodyThatBreaksOffBreaksOffOnEveryLoop) {
  io::WaitQueue go;
  auto origin = [&](http::Exchange& exchange) -> io::Task<void> {
    if (!co_await Begin(exchange, 1000, "begun")) co_return;
    (void)co_await go.Wait();
    exchange.Break();
  };
  Run(3, origin, [&]() -> io::Task<void> {
    std::array<std::unique_ptr<http::Client>, 3> visitors = {Visitor(0), Visitor(1), Visitor(2)};
    std::array<Got, 3> got;
    std::array<std::unique_ptr<http::ClientExchange>, 3> exchanges;
    for (size_t i = 0; i < 3; ++i) exchanges[i] = co_await Ask(*visitors[i], "/a", &got[i]);
    go.WakeAll();
    for (size_t i = 0; i < 3; ++i) {
      if (!exchanges[i]) {
        ADD_FAILURE();
        co_return;
      }
      co_await ReadBody(*exchanges[i], &got[i]);
      EXPECT_FALSE(got[i].whole);
    }
    EXPECT_EQ(cache_->store.objects(), 0U);
  });
}

TEST_F(EdgeLoopsTest, AStaleResponseIsReplacedOnceInTheBackgroundForAllLoops) {
  int asked = 0;
  bool open = false;
  io::WaitQueue go;
  auto origin = [&](http::Exchange& exchange) -> io::Task<void> {
    const std::string body = std::to_string(++asked);
    while (asked > 1 && !open) (void)co_await go.Wait();
    co_await Respond(exchange, "public, max-age=0, stale-while-revalidate=60", body);
  };
  Run(kLoops, origin, [&]() -> io::Task<void> {
    EXPECT_EQ((co_await Get(0, "/a")).body, "1");
    for (size_t i = 0; i < 4 * kLoops; ++i) {
      EXPECT_EQ((co_await Get(i % kLoops, "/a")).body, "1");
    }
    while (asked < 2) EXPECT_EQ((co_await Get(0, "/a")).body, "1");
    EXPECT_EQ(asked, 2);
    open = true;
    go.WakeAll();
    // Until the background fetch is stored.
    Got got;
    while (got.body != "2") got = co_await Get(1, "/a");
  });
}

TEST_F(EdgeLoopsTest, AnUnsafeRequestOnOneLoopInvalidatesTheFetchOfAnother) {
  io::WaitQueue go;
  int gets = 0;
  auto origin = [&](http::Exchange& exchange) -> io::Task<void> {
    if (exchange.request().method != "GET") co_return co_await Respond(exchange, "no-store", "");
    const std::string body = std::to_string(++gets);
    if (!co_await Begin(exchange, {}, body)) co_return;
    if (gets == 1) (void)co_await go.Wait();
    (void)co_await exchange.Finish({}, {});
  };
  Run(2, origin, [&]() -> io::Task<void> {
    auto visitor = Visitor(0);
    Got old;
    auto exchange = co_await Ask(*visitor, "/a", &old);
    if (!exchange) {
      ADD_FAILURE();
      co_return;
    }
    EXPECT_EQ((co_await Get(1, "/a", "DELETE")).status, 200);
    EXPECT_EQ((co_await Get(1, "/a")).body, "2");
    go.WakeAll();
    co_await ReadBody(*exchange, &old);
    EXPECT_EQ(old.body, "1");
    EXPECT_EQ((co_await Get(0, "/a")).body, "2");
  });
}

// Everything at once for some seconds: MERIDIAN_STRESS_SECONDS.
class EdgeLoopsStress : public EdgeLoopsTest {
 protected:
  static constexpr uint64_t kPaths = 150;
  static constexpr size_t kVisitors = 48;

  EdgeLoopsStress() {
    config_.cache.bytes = kMinCacheBytes;
    config_.cache.max_object_bytes = 150'000;
    config_.cache.stale_on_failure = Duration::zero();
    for (uint64_t i = 0; i < kPaths; ++i) paths_.push_back({.name = fmt::format("/{}/x", i)});
  }

  struct Path {
    std::string name;
    uint64_t begun = 0;  // purges of it alone
    uint64_t over = 0;
  };
  // Each seventh object is too large to be stored: some are longer than the window of a fetch, and
  // a few longer than window and sockets hold, so that the fetch waits for its slowest reader.
  static size_t SizeOf(uint64_t path) {
    if (IsLong(path)) return 6'000'000;
    return path % 7 == 0 ? 2 * kFetchWindowBytes : path * path % 90'000;
  }
  static bool IsLong(uint64_t path) { return path > 0 && path % 49 == 0; }
  // The origin breaks off in the middle.
  static bool Breaks(uint64_t path) { return path % 39 == 0 && SizeOf(path) > 40'000; }

  // The version in a response says how many purges had begun when the origin answered.
  io::Task<void> Origin(http::Exchange& exchange) {
    const uint64_t path = NumberAt(exchange.request().path.substr(1));
    wire::http::HeaderFields fields;
    const std::string version = fmt::format("{} {}", begun_, paths_[path].begun);
    const std::string tag = fmt::format("tag{}", path % 5);
    fields.Add("Cache-Control", path % 11 == 0 ? "no-store" : "max-age=60");
    fields.Add("Cache-Tag", tag);
    fields.Add("X-Version", version);
    if (exchange.request().method != "GET") {
      (void)co_await exchange.Respond({.fields = fields}, {});
      co_return;
    }
    ++asked_;
    const std::string body = BodyOf(paths_[path].name, SizeOf(path));
    if (path % 3 != 0) {
      (void)co_await exchange.Respond({.fields = fields}, AsBytes(body));
      co_return;
    }
    std::optional<uint64_t> length;
    if (path % 2 == 0) length = body.size();
    if (!exchange.Start({.fields = fields, .content_length = length})) co_return;
    for (size_t at = 0; at < body.size(); at += 20'000) {
      if (Breaks(path) && at >= 40'000) co_return exchange.Break();
      if (!co_await exchange.Write(
              AsBytes(body).subspan(at, std::min<size_t>(20'000, body.size() - at)))) {
        co_return;
      }
      if (!co_await io::Sleep(milliseconds{1})) co_return;
    }
    (void)co_await exchange.Finish({}, {});
  }

  void Check(uint64_t path, uint64_t over, uint64_t path_over, const Got& got) {
    if (got.status != 200) return;
    const std::string body = BodyOf(paths_[path].name, SizeOf(path));
    EXPECT_TRUE(body.starts_with(got.body)) << path;
    if (got.whole) EXPECT_EQ(got.body.size(), body.size()) << path;
    hits_ += got.hit ? 1 : 0;
    const std::string_view versions = got.version;
    const uint64_t version = NumberAt(versions);
    const uint64_t path_version = NumberAt(versions.substr(versions.find(' ') + 1));
    EXPECT_GE(version, over) << path;
    EXPECT_GE(path_version, path_over) << path;
  }

  // Ends when the edge drains: what has begun then comes whole, too.
  io::Task<void> Visit(uint64_t seed) {
    Random random(seed);
    while (!drains_) {
      auto client = Visitor(random.Below(kLoops));
      for (int i = 0; i < 20; ++i) {
        // A few paths are hot.
        const uint64_t path = random.Chance(0.5) ? random.Below(5) : random.Below(kPaths);
        const std::string method = random.Chance(0.01) ? "DELETE" : "GET";
        const uint64_t over = over_;
        const uint64_t path_over = paths_[path].over;
        Got got;
        auto exchange = co_await Ask(*client, paths_[path].name, &got, method);
        if (!exchange) break;
        if (method != "GET") continue;
        const bool is_slow = random.Chance(IsLong(path) ? 0.5 : 0.1);
        if (is_slow) (void)co_await io::Sleep(milliseconds{IsLong(path) ? 50 : 5});
        const bool leaves = random.Chance(0.1);
        co_await ReadBody(*exchange, &got, leaves ? 10'000 : SIZE_MAX);
        Check(path, over, path_over, got);
        EXPECT_TRUE(got.whole || leaves || got.status != 200 || Breaks(path)) << path;
        if (!got.whole) break;
        if (is_slow && IsLong(path)) ++slow_reads_;
      }
    }
  }

  io::Task<void> Sweep(MemoryStore::Sweep sweep) {
    while (sweep.Step(loop_.Now())) {
      if (!co_await io::Sleep(kSweepPause)) break;
    }
  }

  io::Task<void> PurgeAll(uint64_t round) {
    ++begun_;
    switch (round % 3) {
      case 0:
        co_await Sweep(cache_->store.BeginDrop());
        break;
      case 1:
        co_await Sweep(cache_->store.BeginPurge({.kind = Kind::kPrefix, .value = "/"}));
        break;
      default:
        for (int tag = 0; tag < 5; ++tag) {
          co_await Sweep(cache_->store.BeginPurge(
              {.kind = Kind::kTag, .value = fmt::format("tag{}", tag), .soft = tag % 2 == 0}));
        }
    }
    over_ = begun_;
  }

  // Until the time is over, something was evicted, and everything was purged after that (not
  // before, so that the cache can fill). A slow machine gets more time for it.
  io::Task<void> Purge(TimePoint until) {
    constexpr seconds kMore{60};
    Random random(7);
    const uint64_t over = over_;
    for (uint64_t round = 0; loop_.Now() < (over_ == over ? until + kMore : until); ++round) {
      Path& path = paths_[random.Below(kPaths)];
      ++path.begun;
      co_await Sweep(cache_->store.BeginPurge(
          {.kind = Kind::kUrl, .value = "http://a" + path.name, .soft = random.Chance(0.3)}));
      path.over = path.begun;
      if (round % 20 == 0 && cache_->store.evictions() > 0) co_await PurgeAll(round / 20);
      EXPECT_LE(cache_->store.budget()->used(), cache_->store.budget()->limit());
      if (!co_await io::Sleep(milliseconds{10})) co_return;
    }
  }

  std::vector<Path> paths_;
  uint64_t begun_ = 0;  // purges of everything
  uint64_t over_ = 0;
  uint64_t asked_ = 0;
  uint64_t hits_ = 0;
  uint64_t slow_reads_ = 0;  // of long objects, to their end
  uint64_t evictions_ = 0;
  bool drains_ = false;
};

TEST_F(EdgeLoopsStress, HitsMissesPurgesEvictionsVisitorsWhoLeaveAndDrains) {
  constexpr size_t kRounds = 3;
  const char* wanted = std::getenv("MERIDIAN_STRESS_SECONDS");  // NOLINT(concurrency-mt-unsafe)
  const seconds time(wanted == nullptr ? kRounds : NumberAt(wanted));
  auto origin = [this](http::Exchange& exchange) { return Origin(exchange); };
  for (size_t round = 0; round < kRounds; ++round) {
    drains_ = false;
    Run(kLoops, origin, [&]() -> io::Task<void> {
      const TimePoint until = loop_.After(time / kRounds);
      for (size_t i = 0; i < kVisitors; ++i) visitors_.Spawn(Visit(round * kVisitors + i + 1));
      co_await Purge(until);
      evictions_ += cache_->store.evictions();
      drains_ = true;
    });
  }
  EXPECT_GT(over_, 0U);
  EXPECT_GT(asked_, 0U);
  EXPECT_GT(hits_, 0U);
  EXPECT_GT(slow_reads_, 0U);
  EXPECT_GT(evictions_, 0U);
}

}  // namespace
}  // namespace meridian::edge
