// Requests on a reused connection that the upstream has closed.
#include "edge/fetch/forwarder.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/log.hpp"
#include "base/scratch_dir.hpp"
#include "edge/fetch/cache_handler_fixture.hpp"
#include "edge/limits.hpp"

namespace meridian::edge {
namespace {

using http::MemoryStream;
using http::RawPeer;

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: no-store\r\n\r\nok";

class ForwarderTest : public CacheHandlerFixture {
 protected:
  // The upstream's end of a connection that has answered one request and is kept open.
  io::Task<std::unique_ptr<MemoryStream>> Keep() {
    MemoryStream* visitor = co_await Visit("/first");
    auto kept = co_await Asked();
    (void)co_await RawPeer(*kept).Send(kAnswer);
    EXPECT_TRUE((co_await AnswerTo(visitor)).ends_with("ok"));
    co_return kept;
  }
  // Reads the request on `connection` and closes that without an answer.
  static io::Task<void> EndUnanswered(MemoryStream& connection) {
    EXPECT_TRUE((co_await RawPeer(connection).ReadHead()).starts_with("GET /x "));
    connection.Close();
  }
};

TEST_F(ForwarderTest, AKeptConnectionThatEndsIsNoFailureOfTheUpstream) {
  RunScript([&]() -> io::Task<void> {
    auto kept = co_await Keep();
    MemoryStream* visitor = co_await Visit("/x");
    co_await EndUnanswered(*kept);
    auto next = co_await Asked();
    (void)co_await RawPeer(*next).Send(kAnswer);
    EXPECT_TRUE((co_await AnswerTo(visitor)).starts_with("HTTP/1.1 200"));
    EXPECT_EQ(network_.connects, 2);
  });
}

TEST_F(ForwarderTest, AnUpstreamThatEndsANewConnectionTooHasFailed) {
  RunScript([&]() -> io::Task<void> {
    auto kept = co_await Keep();
    MemoryStream* visitor = co_await Visit("/x");
    co_await EndUnanswered(*kept);
    (co_await Asked())->Close();
    EXPECT_TRUE((co_await AnswerTo(visitor)).starts_with("HTTP/1.1 502"));
    EXPECT_EQ(network_.connects, 2);
  });
}

TEST_F(ForwarderTest, ADeadOriginWasLoggedForEachRequest) {
  const ScratchDir folder;
  ConfigureLog({.file = {.path = folder / "log"}});
  const auto lines = [&] {
    std::ifstream log(folder / "log");
    return std::count(std::istreambuf_iterator<char>(log), {}, '\n');
  };
  RunScript([&]() -> io::Task<void> {
    network_.mode = http::MemoryNetwork::Mode::kRefuse;
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE((co_await AnswerTo(co_await Visit("/x"))).starts_with("HTTP/1.1 502"));
    }
    EXPECT_EQ(lines(), 1);
    network_.mode = http::MemoryNetwork::Mode::kAccept;
    for (int i = 0; i < 2; ++i) {
      (void)co_await io::Sleep(kUpstreamSolvedAfter);
      MemoryStream* visitor = co_await Visit("/y");
      auto origin = co_await Asked();
      (void)co_await RawPeer(*origin).Send(kAnswer);
      EXPECT_TRUE((co_await AnswerTo(visitor)).ends_with("ok"));
      EXPECT_EQ(lines(), 2);  // it answers again
    }
  });
  ConfigureLog({});
}

TEST_F(ForwarderTest, ARequestWithoutAVisitorIsSentAgainToo) {
  RunScript([&]() -> io::Task<void> {
    auto kept = co_await Keep();
    std::string_view answered;
    auto ask = [&]() -> io::Task<void> {
      ForwardResult forwarding = co_await forwarder_.Ask({.path = "/x", .host = "a"});
      answered = forwarding.kind == ForwardResult::Kind::kTaken ? "taken" : "failed";
    };
    scope_.Spawn(ask());
    co_await EndUnanswered(*kept);
    auto next = co_await Asked();
    (void)co_await RawPeer(*next).Send(kAnswer);
    (void)co_await io::Sleep(std::chrono::seconds{1});
    EXPECT_EQ(answered, "taken");
  });
}

}  // namespace
}  // namespace meridian::edge
