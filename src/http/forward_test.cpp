#include "http/forward.hpp"

#include <string>

#include "http/memory_network.hpp"
#include "http/server/server_fixture.hpp"

namespace meridian::http {
namespace {

using Kind = ForwardOutcome::Kind;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
constexpr std::string_view kPut = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
// Its body arrives late, so the relay reads it and the request cannot be repeated.
constexpr std::string_view kChunkedPut =
    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::string_view kUnavailable =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

class ForwardTest : public ServerFixture {
 protected:
  // The outcome of one attempt of `request` at an upstream that sends `response` and closes.
  ForwardOutcome Try(std::string_view request, std::string_view response) {
    ForwardOutcome outcome;
    Client client(loop_, network_, {.address = {IpAddress::V4(127, 0, 0, 1), 80}});
    handler_ = [&](Exchange& exchange) -> io::Task<void> {
      wire::http::HeaderFields fields;
      RelayOptions options{
          .declines = [](const wire::http::ResponseHead& head) { return head.status == 503; },
          .default_host = "site.example"};
      outcome = co_await ForwardOnce(exchange, fields, client, options);
      if (outcome.kind == Kind::kAnswered) co_return;
      (void)co_await RespondText(exchange, FailureStatus(outcome.error), "");
    };
    auto serve = [&]() -> io::Task<void> {
      if (network_.mode != MemoryNetwork::Mode::kAccept) co_return;
      std::unique_ptr<MemoryStream> stream = co_await network_.Accept();
      RawPeer peer(*stream);
      received_ = co_await peer.ReadUntil(request.find("PUT") == 0 ? "abc" : "\r\n\r\n");
      (void)co_await peer.Send(response);
      stream->ShutdownWrite();
      (void)co_await peer.ReadToEnd();
    };
    Run([&](MemoryStream& stream) -> io::Task<void> {
      io::Scope scope(loop_);
      scope.Spawn(serve());
      RawPeer peer(stream);
      (void)co_await peer.Send(request);
      stream.ShutdownWrite();
      answer_ = co_await peer.ReadToEnd();
      client.CloseIdle();
      co_await scope.Join();
    });
    return outcome;
  }

  MemoryNetwork network_;
  std::string answer_;
  std::string received_;  // bytes that the upstream received
};

TEST_F(ForwardTest, AnswerEndsTheExchange) {
  EXPECT_EQ(Try(kPost, kOk).kind, Kind::kAnswered);
  EXPECT_TRUE(answer_.ends_with("ok"));
}

TEST_F(ForwardTest, ARequestWithoutHostGetsTheDefaultAndOthersKeepTheirs) {
  EXPECT_EQ(Try("GET / HTTP/1.0\r\n\r\n", kOk).kind, Kind::kAnswered);
  EXPECT_NE(received_.find("Host: site.example\r\n"), std::string::npos) << received_;
  EXPECT_EQ(Try(kGet, kOk).kind, Kind::kAnswered);
  EXPECT_NE(received_.find("Host: a\r\n"), std::string::npos) << received_;
}

TEST_F(ForwardTest, UnsentRequestMayBeSentElsewhereWithAnyMethod) {
  network_.mode = MemoryNetwork::Mode::kRefuse;
  ForwardOutcome outcome = Try(kPost, "");
  EXPECT_EQ(outcome.kind, Kind::kElsewhere);
  EXPECT_TRUE(outcome.never_sent);
}

TEST_F(ForwardTest, UnansweredRequestMayBeSentElsewhereOnlyIfIdempotent) {
  EXPECT_EQ(Try(kGet, "").kind, Kind::kElsewhere);
  EXPECT_EQ(Try(kPut, "").kind, Kind::kElsewhere);
  ForwardOutcome post = Try(kPost, "");
  EXPECT_EQ(post.kind, Kind::kFailed);
  EXPECT_FALSE(post.never_sent);
  EXPECT_TRUE(answer_.starts_with("HTTP/1.1 502")) << answer_;
}

TEST_F(ForwardTest, BodyThatWasBegunIsNotSentAgain) {
  EXPECT_EQ(Try(kChunkedPut, "").kind, Kind::kFailed);
}

TEST_F(ForwardTest, DeclinedAnswerMayBeAskedForElsewhere) {
  EXPECT_EQ(Try(kPost, kUnavailable).kind, Kind::kElsewhere);
  EXPECT_EQ(Try(kChunkedPut, kUnavailable).kind, Kind::kFailed);
}

TEST_F(ForwardTest, ResponseThatBreaksOffIsTheUpstreamsFault) {
  ForwardOutcome outcome = Try(kGet, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok");
  EXPECT_EQ(outcome.kind, Kind::kAnswered);
  EXPECT_TRUE(outcome.broken);
  EXPECT_TRUE(answer_.ends_with("!reset"));
}

TEST_F(ForwardTest, UpstreamThatIsTooSlowIsA504) {
  network_.mode = MemoryNetwork::Mode::kSilent;
  EXPECT_EQ(Try(kGet, "").error.code, Errc::kTimeout);
  EXPECT_TRUE(answer_.starts_with("HTTP/1.1 504")) << answer_;
}

}  // namespace
}  // namespace meridian::http
