// The order of events that no client outside can make: purges and deadlines in the middle of a
// fill.
#include "edge/cache_handler.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/metrics.hpp"
#include "edge/config.hpp"
#include "edge/forwarder.hpp"
#include "edge/limits.hpp"
#include "edge/upstreams.hpp"
#include "http/memory_network.hpp"
#include "http/server_fixture.hpp"
#include "io/scope.hpp"

namespace meridian::edge {
namespace {

using http::MemoryStream;
using http::RawPeer;
using std::chrono::seconds;

constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nCache-Control: max-age=60\r\nCache-Tag: t\r\n\r\n";

class CacheHandlerTest : public http::ServerFixture {
 protected:
  CacheHandlerTest() {
    handler_ = [this](http::Exchange& exchange) { return cache_.Handle(exchange, false); };
  }

  // Runs `script` beside a server whose origin is the script itself.
  template <class Script>
  void RunScript(Script script) {
    auto run = [&](MemoryStream& /*unused*/) -> io::Task<void> {
      co_await script();
      // Who waits for nothing any more is let go, and with it the origin's connections.
      visitors_.clear();
      scope_.Cancel();
      co_await scope_.Join();
    };
    Run(run);
  }

  // A visitor who has sent a GET for `path`.
  io::Task<MemoryStream*> Visit(std::string path) {
    visitors_.push_back(Connect());
    std::string request = "GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    (void)co_await RawPeer(*visitors_.back()).Send(request);
    (void)co_await io::Sleep(seconds{1});
    co_return visitors_.back().get();
  }
  // The origin's end of the next connection, its request read.
  io::Task<std::unique_ptr<MemoryStream>> Asked() {
    std::unique_ptr<MemoryStream> stream = co_await network_.Accept();
    (void)co_await RawPeer(*stream).ReadHead();
    co_return stream;
  }
  static io::Task<std::string> AnswerTo(MemoryStream* visitor) {
    co_return co_await RawPeer(*visitor).ReadToEnd();
  }
  void Purge(PurgeOrder order) { (void)cache_.store().Purge(order, loop_.Now()); }

  void ExpectPurgeMidFillHolds(const PurgeOrder& order) {
    RunScript([&]() -> io::Task<void> {
      MemoryStream* before = co_await Visit("/x");
      auto old_origin = co_await Asked();
      (void)co_await RawPeer(*old_origin).Send(std::string(kHead) + "old");
      MemoryStream* joined = co_await Visit("/x");
      Purge(order);
      MemoryStream* after = co_await Visit("/x");
      auto new_origin = co_await Asked();
      (void)co_await RawPeer(*new_origin).Send(std::string(kHead) + "newest");
      EXPECT_TRUE((co_await AnswerTo(after)).ends_with("newest"));
      (void)co_await RawPeer(*old_origin).Send("est");
      EXPECT_TRUE((co_await AnswerTo(before)).ends_with("oldest"));
      EXPECT_TRUE((co_await AnswerTo(joined)).ends_with("oldest"));
      MemoryStream* last = co_await Visit("/x");
      EXPECT_TRUE((co_await AnswerTo(last)).ends_with("newest"));
    });
  }

  class OneUpstream final : public Upstreams {
   public:
    explicit OneUpstream(http::Client* client)
        : route_(std::make_shared<std::vector<Hop>>(
              std::vector<Hop>{{.name = "origin", .client = client, .crosses = false}})) {}
    Route RouteFor(bool /*passed_edge*/) const override { return route_; }

   private:
    Route route_;
  };

  http::MemoryNetwork network_;
  http::Client client_{loop_, network_, {.address = {IpAddress::V4(127, 0, 0, 1), 80}}};
  OneUpstream upstream_{&client_};
  Metrics metrics_of_edge_;
  Config config_;
  Forwarder forwarder_{upstream_, metrics_of_edge_};
  io::Scope scope_{loop_};
  CacheHandler cache_{{.loop = loop_,
                       .scope = scope_,
                       .forwarder = forwarder_,
                       .metrics = metrics_of_edge_,
                       .config = config_,
                       .default_host = "a",
                       .here = "here"}};
  std::vector<std::unique_ptr<MemoryStream>> visitors_;
};

TEST_F(CacheHandlerTest, APurgeByUrlMidFillKeepsItFromLaterVisitorsAndOutOfTheStore) {
  ExpectPurgeMidFillHolds({.kind = PurgeOrder::kUrl, .value = "http://a/x"});
}

TEST_F(CacheHandlerTest, APurgeByTagMidFillKeepsItFromLaterVisitorsAndOutOfTheStore) {
  ExpectPurgeMidFillHolds({.kind = PurgeOrder::kTag, .value = "t"});
}

TEST_F(CacheHandlerTest, ASoftPurgeByPrefixMidFillKeepsItFromLaterVisitorsAndOutOfTheStore) {
  ExpectPurgeMidFillHolds({.kind = PurgeOrder::kPrefix, .value = "/", .soft = true});
}

TEST_F(CacheHandlerTest, WhoWaitsBeforeAPurgeByTagIsNotServedWhatItWasAbout) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* before = co_await Visit("/x");
    auto old_origin = co_await Asked();
    Purge({.kind = PurgeOrder::kTag, .value = "t"});
    MemoryStream* after = co_await Visit("/x");  // the tags of what is coming are not known yet
    auto new_origin = co_await Asked();
    (void)co_await RawPeer(*old_origin).Send(std::string(kHead) + "oldest");
    (void)co_await RawPeer(*new_origin).Send(std::string(kHead) + "newest");
    EXPECT_TRUE((co_await AnswerTo(before)).ends_with("oldest"));
    EXPECT_TRUE((co_await AnswerTo(after)).ends_with("newest"));
    MemoryStream* last = co_await Visit("/x");
    EXPECT_TRUE((co_await AnswerTo(last)).ends_with("newest"));
  });
}

TEST_F(CacheHandlerTest, WaitingForAnotherHasADeadlineAndThenEachAsksForHimself) {
  RunScript([&]() -> io::Task<void> {
    (void)co_await Visit("/x");
    auto silent = co_await Asked();
    MemoryStream* waiting = co_await Visit("/x");
    TimePoint before = loop_.Now();
    auto second = co_await Asked();
    EXPECT_LE(loop_.Now() - before, kCollapseTimeout);
    EXPECT_GE(loop_.Now() - before, kCollapseTimeout - seconds{2});
    (void)co_await RawPeer(*second).Send(std::string(kHead) + "at all");
    EXPECT_TRUE((co_await AnswerTo(waiting)).ends_with("at all"));
  });
}

TEST_F(CacheHandlerTest, AnUnsafeRequestMidFillKeepsItsOldAnswerOutOfTheStore) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* before = co_await Visit("/x");
    auto old_origin = co_await Asked();
    (void)co_await RawPeer(*old_origin).Send(std::string(kHead) + "old");
    visitors_.push_back(Connect());
    MemoryStream* writer = visitors_.back().get();
    (void)co_await RawPeer(*writer).Send(
        "DELETE /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    auto write_origin = co_await Asked();
    (void)co_await RawPeer(*write_origin).Send("HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_TRUE((co_await AnswerTo(writer)).starts_with("HTTP/1.1 204"));
    (void)co_await RawPeer(*old_origin).Send("est");
    EXPECT_TRUE((co_await AnswerTo(before)).ends_with("oldest"));
    EXPECT_EQ(cache_.store().objects(), 0U);
  });
}

TEST_F(CacheHandlerTest, AFillThatNobodyReadsAnyMoreIsGivenUpUnlessItIsNearlyDone) {
  RunScript([&]() -> io::Task<void> {
    (void)co_await Visit("/large");
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(
        "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\nCache-Control: max-age=60\r\n\r\npart");
    (void)co_await io::Sleep(seconds{1});
    visitors_.front()->Abort();
    (void)co_await io::Sleep(seconds{1});
    EXPECT_TRUE(origin->hung_up());

    MemoryStream* leaving = co_await Visit("/small");
    auto second = co_await Asked();
    (void)co_await RawPeer(*second).Send(std::string(kHead) + "whole");
    (void)co_await io::Sleep(seconds{1});
    leaving->Abort();
    (void)co_await RawPeer(*second).Send("!");
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(cache_.store().objects(), 1U);
  });
}

}  // namespace
}  // namespace meridian::edge
