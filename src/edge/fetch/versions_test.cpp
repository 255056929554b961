// Versions during purges and changes of the origin: orders of events that an outside client cannot
// produce.
#include "edge/fetch/versions.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "edge/fetch/cache_handler_fixture.hpp"
#include "edge/hosts/versioned_path.hpp"

namespace meridian::edge {
namespace {

using http::MemoryStream;
using http::RawPeer;
using std::chrono::seconds;

// `printf oldest | sha256sum | cut -c 1-32`.
const std::string kOldest = "/v/ee6e80fdce6a5ffd2c3c2a1eb521c287/x";
constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nCache-Control: max-age=60\r\nCache-Tag: t\r\n\r\n";

class VersionsTest : public CacheHandlerFixture {
 protected:
  VersionsTest() {
    handler_ = [this](http::Exchange& exchange) { return Handle(exchange); };
  }

  io::Task<void> Handle(http::Exchange& exchange) {
    VisitorRecord record;
    auto versioned = ParseVersionedPath(exchange.request().path);
    if (versioned) {
      co_await versions_.Handle(exchange, *versioned, record);
    } else {
      co_await cache_.Handle(exchange, {});
    }
  }
  // A visitor at `path`; the origin is asked and answers with six bytes.
  io::Task<std::string> VisitAndAnswer(std::string path, std::string_view content) {
    MemoryStream* visitor = co_await Visit(std::move(path));
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(std::string(kHead) + std::string(content));
    co_return co_await AnswerTo(visitor);
  }
  io::Task<std::string> Ask(std::string path) {
    MemoryStream* visitor = co_await Visit(std::move(path));
    co_return co_await AnswerTo(visitor);
  }

  Versions versions_{{.cache = cache_,
                      .metrics = metrics_of_edge_,
                      .config = config_,
                      .default_host = "a",
                      .cdn_domain = ""}};
};

TEST_F(VersionsTest, APurgeByTagWhileAVersionIsMadeKeepsItOutOfTheStore) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* before = co_await Visit(kOldest);
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(std::string(kHead) + "old");
    Purge({.kind = PurgeOrder::kTag, .value = "t"});
    (void)co_await RawPeer(*origin).Send("est");
    EXPECT_TRUE((co_await AnswerTo(before)).starts_with("HTTP/1.1 307 "));
    EXPECT_EQ(cache_.store().objects(), 0U);
    origin.reset();
    EXPECT_TRUE((co_await VisitAndAnswer(kOldest, "newest")).starts_with("HTTP/1.1 307 "));
  });
}

TEST_F(VersionsTest, AVersionOutlivesAPurgeOfThePlainPathAndGoesWithItsTag) {
  RunScript([&]() -> io::Task<void> {
    EXPECT_TRUE((co_await VisitAndAnswer(kOldest, "oldest")).ends_with("oldest"));
    Purge({.kind = PurgeOrder::kUrl, .value = "/x"});
    EXPECT_TRUE((co_await Ask(kOldest)).ends_with("oldest"));
    EXPECT_TRUE((co_await VisitAndAnswer("/x", "newest")).ends_with("newest"));
    EXPECT_TRUE((co_await Ask(kOldest)).ends_with("oldest"));
    Purge({.kind = PurgeOrder::kTag, .value = "t"});
    std::string answer = co_await VisitAndAnswer(kOldest, "newest");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 307 ")) << answer;
    EXPECT_NE(answer.find("\r\nLocation: /x\r\n"), answer.npos) << answer;
  });
}

TEST_F(VersionsTest, ASoftPurgeAsksThePlainPathWhetherTheContentMayStillBeHad) {
  RunScript([&]() -> io::Task<void> {
    EXPECT_TRUE((co_await VisitAndAnswer(kOldest, "oldest")).ends_with("oldest"));
    Purge({.kind = PurgeOrder::kTag, .value = "t", .soft = true});
    EXPECT_TRUE((co_await VisitAndAnswer(kOldest, "oldest")).ends_with("oldest"));
    EXPECT_TRUE((co_await Ask(kOldest)).ends_with("oldest"));
    Purge({.kind = PurgeOrder::kTag, .value = "t", .soft = true});
    EXPECT_TRUE((co_await VisitAndAnswer(kOldest, "newest")).starts_with("HTTP/1.1 307 "));
  });
}

TEST_F(VersionsTest, AnIsolatedEdgeServesNoVersionWithoutValidation) {
  RunScript([&]() -> io::Task<void> {
    EXPECT_TRUE((co_await VisitAndAnswer(kOldest, "oldest")).ends_with("oldest"));
    shared_.SetIsolated(true);
    EXPECT_TRUE((co_await VisitAndAnswer(kOldest, "newest")).starts_with("HTTP/1.1 307 "));
  });
}

TEST_F(VersionsTest, AVisitorWhoLeavesWhileAVersionIsMadeDoesNotHarmOthers) {
  RunScript([&]() -> io::Task<void> {
    MemoryStream* leaving = co_await Visit(kOldest);
    auto origin = co_await Asked();
    (void)co_await RawPeer(*origin).Send(std::string(kHead) + "old");
    MemoryStream* staying = co_await Visit(kOldest);
    leaving->Abort();
    (void)co_await RawPeer(*origin).Send("est");
    EXPECT_TRUE((co_await AnswerTo(staying)).ends_with("oldest"));
  });
}

}  // namespace
}  // namespace meridian::edge
