// The edge's limits, each at the limit and one past it. The limits of the cache's decisions are
// tested in cache/.
#include "edge/limits.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "edge/fetch/cache_handler_fixture.hpp"

namespace meridian::edge {
namespace {

using http::MemoryStream;
using http::RawPeer;
using std::chrono::seconds;

class LimitsTest : public CacheHandlerFixture {
 protected:
  // The head of a response of `bytes` bytes, fresh for a minute.
  static std::string HeadOf(uint64_t bytes) {
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: max-age=60\r\nContent-Length: " +
           std::to_string(bytes) + "\r\n\r\n";
  }

  // The origin's end of a fetch for storing, whose reader left when `missing` bytes of its body
  // were still to come.
  io::Task<std::unique_ptr<MemoryStream>> Unread(std::string path, uint64_t missing) {
    constexpr auto kSoon = std::chrono::milliseconds{50};  // many fetches begin before a timeout
    visitors_.push_back(Connect());
    (void)co_await RawPeer(*visitors_.back()).Send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(HeadOf(4 + missing) + "part");
    (void)co_await io::Sleep(kSoon);
    visitors_.back()->Abort();
    (void)co_await io::Sleep(kSoon);
    co_return origin;
  }
};

TEST_F(LimitsTest, UnreadFetchesAreLimitedAndOneMoreIsAborted) {
  RunScript([&]() -> io::Task<void> {
    std::vector<std::unique_ptr<MemoryStream>> origins;
    for (size_t i = 0; i <= kMaxUnreadFetches; ++i) {
      origins.push_back(co_await Unread("/" + std::to_string(i), 2'000'000));
    }
    EXPECT_TRUE(origins.back()->hung_up());
    origins.pop_back();
    EXPECT_TRUE(std::ranges::none_of(origins, [](auto& each) { return each->hung_up(); }));
    (void)co_await RawPeer(*origins.front()).Send(std::string(2'000'000, 'x'));
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(cache_.store().objects(), 1U);
    EXPECT_FALSE((co_await Unread("/more", 2'000'000))->hung_up()) << "there is room again";
  });
}

TEST_F(LimitsTest, BytesOfUnreadFetchesAreLimitedAndOneByteMoreIsAborted) {
  config_.cache.max_object_bytes = 2 * kMaxUnreadFetchBytes;
  RunScript([&]() -> io::Task<void> {
    auto all_but_one = co_await Unread("/a", kMaxUnreadFetchBytes - 1);
    auto too_much = co_await Unread("/b", 2);
    auto fits = co_await Unread("/c", 1);
    EXPECT_FALSE(all_but_one->hung_up());
    EXPECT_TRUE(too_much->hung_up());
    EXPECT_FALSE(fits->hung_up());
  });
}

TEST_F(LimitsTest, OneUnreadFetchGoesOnWhateverItsSize) {
  config_.cache.max_object_bytes = 2 * kMaxUnreadFetchBytes;
  RunScript([&]() -> io::Task<void> {
    EXPECT_FALSE((co_await Unread("/a", kMaxUnreadFetchBytes + 1))->hung_up());
  });
}

TEST_F(LimitsTest, ARequestThatWaitedForFourAbandonedFetchesAsksTheOriginItself) {
  RunScript([&]() -> io::Task<void> {
    std::vector<MemoryStream*> visitors;
    for (int i = 0; i < kMaxWaits + 3; ++i) visitors.push_back(co_await Visit("/x"));
    EXPECT_EQ(network_.connects, 1);
    for (int left = 0; left < kMaxWaits - 1; ++left) {
      visitors[static_cast<size_t>(left)]->Abort();
      (void)co_await io::Sleep(seconds{1});
      EXPECT_EQ(network_.connects, left + 2) << "one of those who wait asks";
    }
    visitors[kMaxWaits - 1]->Abort();
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(network_.connects, kMaxWaits + 3) << "each of the three who are left asks";
  });
}

TEST_F(LimitsTest, AWindowOfABodyThatIsNotStoredIsHeldForASlowReader) {
  config_.cache.max_object_bytes = 1000;
  constexpr size_t kPieces = 64;
  const std::string piece(size_t{32} * 1024, 'x');
  const size_t whole = kPieces * piece.size();
  size_t taken = 0;
  auto send = [&](MemoryStream& origin) -> io::Task<void> {
    (void)co_await RawPeer(origin).Send(
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t i = 0; i < kPieces; ++i) {
      if (!co_await RawPeer(origin).Send("8000\r\n" + piece + "\r\n")) co_return;
      taken += piece.size();
    }
    (void)co_await RawPeer(origin).Send("0\r\n\r\n");
  };
  RunScript([&]() -> io::Task<void> {
    MemoryStream* slow = co_await Visit("/x");
    auto origin = co_await Asked();
    scope_.Spawn(send(*origin));
    (void)co_await io::Sleep(seconds{5});
    // Beside the window: bytes in the two streams, and those being read and written.
    constexpr size_t kOnTheWay = size_t{512} * 1024;
    EXPECT_GE(taken, kFetchWindowBytes);
    EXPECT_LE(taken, kFetchWindowBytes + kOnTheWay);
    std::string answer = co_await AnswerTo(slow);
    EXPECT_GE(answer.size(), whole);
    EXPECT_TRUE(answer.ends_with("0\r\n\r\n"));
    EXPECT_EQ(cache_.store().objects(), 0U);
  });
}

TEST_F(LimitsTest, BackgroundFetchesAreLimitedAndOneMoreStaleResponseIsServedWithoutOne) {
  RunScript([&]() -> io::Task<void> {
    constexpr size_t kCount = kMaxBackgroundFetches + 1;
    for (size_t i = 0; i < kCount; ++i) {
      MemoryStream* visitor = co_await Visit("/" + std::to_string(i));
      auto origin = co_await Asked();
      (void)co_await RawPeer(*origin).Send(
          "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n"
          "Cache-Control: max-age=1, stale-while-revalidate=100000\r\n\r\nold");
      EXPECT_TRUE((co_await AnswerTo(visitor)).ends_with("old"));
    }
    (void)co_await io::Sleep(seconds{2});
    const int before = network_.connects;
    for (size_t i = 0; i < kCount; ++i) {
      visitors_.push_back(Connect());
      MemoryStream* visitor = visitors_.back().get();
      (void)co_await RawPeer(*visitor).Send("GET /" + std::to_string(i) +
                                            " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      EXPECT_TRUE((co_await AnswerTo(visitor)).ends_with("old"));
      EXPECT_EQ(network_.connects - before, std::min<int>(static_cast<int>(i) + 1, 256));
    }
    static_assert(kMaxBackgroundFetches == 256);
  });
}

TEST_F(LimitsTest, WithoutAnUpstreamTheAnswerHasRetryAfter) {
  upstream_.Leave();
  RunScript([&]() -> io::Task<void> {
    std::string answer = co_await AnswerTo(co_await Visit("/x"));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
    EXPECT_NE(answer.find("\r\nRetry-After: 1\r\n"), answer.npos) << answer;
  });
}

class UpstreamLimitsTest : public LimitsTest {
 protected:
  // Sends one more request to the origin, until the test is over.
  io::Task<void> Send() {
    const http::Request request{.host = "a"};
    http::Client& origin = *upstream_of_edge_.RouteFor(false)->front().client;
    http::Sent sent = co_await origin.Send(request);
    if (!sent) {
      ++failed_[sent.error().error.code];
      co_return;
    }
    ++sent_;
    while (!over_) {
      if (!co_await end_.Wait()) co_return;
    }
  }
  io::Task<void> End() {
    over_ = true;
    end_.WakeAll();
    scope_.Cancel();
    co_await scope_.Join();
  }

  OriginUpstream upstream_of_edge_{
      loop_, network_, config_, {.address = {IpAddress::V4(127, 0, 0, 1), 80}}, 1};
  io::WaitQueue end_;
  bool over_ = false;
  size_t sent_ = 0;
  std::map<Errc, size_t> failed_;
};

TEST_F(UpstreamLimitsTest, ConnectionsAndWaitingRequestsAreLimitedAndOneMoreIsRefused) {
  auto script = [&]() -> io::Task<void> {
    for (size_t i = 0; i < kMaxUpstreamConnections; ++i) scope_.Spawn(Send());
    (void)co_await io::Sleep(std::chrono::milliseconds{1});
    EXPECT_EQ(sent_, kMaxUpstreamConnections);
    for (size_t i = 0; i < kMaxWaitingRequests; ++i) scope_.Spawn(Send());
    (void)co_await io::Sleep(std::chrono::milliseconds{1});
    EXPECT_EQ(network_.connects, static_cast<int>(kMaxUpstreamConnections));
    EXPECT_TRUE(failed_.empty());
    scope_.Spawn(Send());
    (void)co_await io::Sleep(std::chrono::milliseconds{1});
    EXPECT_EQ(failed_, (std::map<Errc, size_t>{{Errc::kUnavailable, 1}}));
    (void)co_await io::Sleep(kWaitTimeout - std::chrono::milliseconds{10});
    EXPECT_EQ(failed_.count(Errc::kTimeout), 0U);
    (void)co_await io::Sleep(std::chrono::milliseconds{20});
    EXPECT_EQ(failed_[Errc::kTimeout], kMaxWaitingRequests);
    co_await End();
  };
  loop_.RunToEnd(script());
}

TEST_F(UpstreamLimitsTest, AnUpstreamThatTakesNoConnectionIsGivenUpInTime) {
  network_.mode = http::MemoryNetwork::Mode::kSilent;
  auto script = [&]() -> io::Task<void> {
    scope_.Spawn(Send());
    (void)co_await io::Sleep(kConnectTimeout - std::chrono::milliseconds{1});
    EXPECT_TRUE(failed_.empty());
    (void)co_await io::Sleep(std::chrono::milliseconds{2});
    EXPECT_EQ(failed_, (std::map<Errc, size_t>{{Errc::kTimeout, 1}}));
    co_await End();
  };
  loop_.RunToEnd(script());
}

}  // namespace
}  // namespace meridian::edge
