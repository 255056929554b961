#include "http/server/server.hpp"

#include <string>

#include "base/metrics_text.hpp"
#include "http/server/server_fixture.hpp"
#include "io/wait_queue.hpp"
#include "wire/http/fields/date.hpp"

namespace meridian::http {
namespace {

using std::chrono::seconds;

// Answers with method, path and body of the request.
io::Task<void> Echo(Exchange& exchange) {
  std::string text(exchange.request().method);
  text.append(" ").append(exchange.request().path).append(" ");
  for (;;) {
    Result<Bytes> data = co_await exchange.ReadBody();
    if (!data) co_return;
    if (data->empty()) break;
    text.append(AsText(*data));
  }
  for (const wire::http::HeaderField& field : exchange.request_trailers()) {
    text.append(" ").append(field.name).append("=").append(field.value);
  }
  (void)co_await exchange.Respond({}, AsBytes(text));
}

io::Task<void> Hello(Exchange& exchange) { (void)co_await exchange.Respond({}, AsBytes("hello")); }

class ServerTest : public ServerFixture {};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHelloAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

TEST_F(ServerTest, HeadAndBodyOfAnAnswerGoOutInOneWrite) {
  handler_ = Hello;
  auto [ours, theirs] = MemoryStream::Pair();
  MemoryStream* server_end = theirs.get();
  Server server(loop_, {}, handler_);
  server.ServeStream(std::move(theirs));
  auto run = [&]() -> io::Task<void> {
    RawPeer peer(*ours);
    (void)co_await peer.Send(kGet);
    EXPECT_EQ(WithoutDate(co_await peer.ReadUntil("hello")), kHelloAnswer);
    EXPECT_EQ(server_end->writes(), 1);
    co_await server.Drain(kNever);
  };
  loop_.RunToEnd(run());
}

TEST_F(ServerTest, DateIsTheTimeAndIsNotAddedTwice) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    if (exchange.request().path == "/own") {
      (void)co_await exchange.Respond({.fields = {{"date", "yesterday"}}}, {});
    } else {
      (void)co_await exchange.Respond({}, {});
    }
  };
  Run([&](MemoryStream& stream) -> io::Task<void> {
    RawPeer peer(stream);
    (void)co_await peer.Send(kGet);
    wire::http::HttpDate now = wire::http::FormatDate(loop_.Wall());
    EXPECT_NE((co_await peer.ReadHead()).find("Date: " + std::string(now.text())),
              std::string::npos);
    (void)co_await peer.Send("GET /own HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(co_await peer.ReadHead(),
              "HTTP/1.1 200 OK\r\ndate: yesterday\r\nContent-Length: 0\r\n\r\n");
  });
}

TEST_F(ServerTest, ConnectionIsKeptForTheNextRequest) {
  handler_ = Echo;
  Run([&](MemoryStream& stream) -> io::Task<void> {
    RawPeer peer(stream);
    for (std::string path : {"/1", "/2", "/3"}) {
      (void)co_await peer.Send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
      std::string head = WithoutDate(co_await peer.ReadHead());
      EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
      EXPECT_EQ(co_await peer.ReadBytes(7), "GET " + path + " ");
      (void)co_await io::Sleep(seconds{30});
    }
  });
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrderOneAtATime) {
  int running = 0;
  handler_ = [&](Exchange& exchange) -> io::Task<void> {
    EXPECT_EQ(++running, 1);
    // The first takes longest.
    (void)co_await io::Sleep(seconds{exchange.request().path == "/1" ? 9 : 1});
    (void)co_await exchange.Respond({}, AsBytes(exchange.request().path));
    --running;
  };
  std::string answers = Talk(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
  size_t first = answers.find("\r\n\r\n/1");
  size_t second = answers.find("\r\n\r\n/2");
  size_t third = answers.find("\r\n\r\n/3");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, std::string::npos);
}

TEST_F(ServerTest, RequestThatArrivesByteByByteIsServed) {
  handler_ = Echo;
  Run([&](MemoryStream& stream) -> io::Task<void> {
    RawPeer peer(stream);
    std::string request = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    for (char c : request) {
      (void)co_await peer.Send({&c, 1});
      (void)co_await io::Sleep(std::chrono::milliseconds{10});
    }
    EXPECT_EQ((co_await peer.ReadUntil("abc")).substr(0, 15), "HTTP/1.1 200 OK");
  });
}

TEST_F(ServerTest, ConnectionCloseIsObeyed) {
  handler_ = Hello;
  EXPECT_EQ(Talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
}

TEST_F(ServerTest, Http10IsClosedUnlessItAsksToBeKept) {
  handler_ = Hello;
  EXPECT_EQ(Talk("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
  EXPECT_EQ(Talk("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
}

TEST_F(ServerTest, HeadGetsTheLengthAndNoBody) {
  handler_ = Hello;
  EXPECT_EQ(Talk("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
}

TEST_F(ServerTest, StatusesWithoutBodyHaveNone) {
  int status = 204;
  handler_ = [&](Exchange& exchange) -> io::Task<void> {
    (void)co_await exchange.Respond({.status = status}, AsBytes("hello"));
  };
  EXPECT_EQ(Talk(kGet), "HTTP/1.1 204 No Content\r\n\r\n");
  status = 304;
  EXPECT_EQ(Talk(kGet), "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
}

TEST_F(ServerTest, BodyOfUnknownLengthIsChunkedWithTrailers) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(exchange.Start({}));
    EXPECT_TRUE(co_await exchange.Write(AsBytes("hello ")));
    EXPECT_TRUE(co_await exchange.Write({}));
    EXPECT_TRUE(co_await exchange.Finish(AsBytes("world"), {{"X-Sum", "7"}, {"Age", "1"}}));
  };
  EXPECT_EQ(Talk(kGet),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            "6\r\nhello \r\n5\r\nworld\r\n0\r\nX-Sum: 7\r\n\r\n");
}

TEST_F(ServerTest, BodyOfUnknownLengthForHttp10EndsWithTheConnection) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(exchange.Start({}));
    EXPECT_TRUE(co_await exchange.Write(AsBytes("hello ")));
    EXPECT_TRUE(co_await exchange.Finish(AsBytes("world"), {{"X-Sum", "7"}}));
  };
  EXPECT_EQ(Talk("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world");
}

TEST_F(ServerTest, FieldsOfTheConnectionAreTheServers) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    (void)co_await exchange.Respond({.fields = {{"Connection", "close"},
                                                {"Content-Length", "7"},
                                                {"Transfer-Encoding", "chunked"},
                                                {"Keep-Alive", "x"},
                                                {"X", "y"}}},
                                    AsBytes("hello"));
  };
  EXPECT_EQ(Talk(kGet), "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello");
}

TEST_F(ServerTest, RequestBodiesOfBothFramingsAreRead) {
  handler_ = Echo;
  EXPECT_EQ(Talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nPOST / abc");
  EXPECT_EQ(Talk("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nPOST / abc X=y");
}

TEST_F(ServerTest, LargeBodiesCrossBothWaysAtOnce) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(exchange.Start({}));
    for (;;) {
      Result<Bytes> data = co_await exchange.ReadBody();
      if (!data || data->empty()) break;
      EXPECT_TRUE(co_await exchange.Write(*data));
    }
    EXPECT_TRUE(co_await exchange.Finish({}, {}));
  };
  std::string body(1 << 20, 'x');
  std::string got;
  Run(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        io::Scope scope(loop_);
        auto send = [&]() -> io::Task<void> {
          EXPECT_TRUE(
              co_await peer.Send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n"));
          EXPECT_TRUE(co_await peer.Send(body));
        };
        scope.Spawn(send());
        got = co_await peer.ReadUntil("0\r\n\r\n");
        co_await scope.Join();
      },
      4096);
  EXPECT_EQ(std::count(got.begin(), got.end(), 'x'), 1 << 20);
}

TEST_F(ServerTest, BodyAtHandCanBeLookedAtAndIsStillRead) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    EXPECT_EQ(AsText(exchange.BodyAtHand().value_or(Bytes{})), "abc");
    co_await Echo(exchange);
  };
  EXPECT_EQ(Talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nPOST / abc");
}

TEST_F(ServerTest, ContinueIsSentWhenTheBodyIsWantedAndOnlyThen) {
  handler_ = Echo;
  Run([&](MemoryStream& stream) -> io::Task<void> {
    RawPeer peer(stream);
    (void)co_await peer.Send(
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    EXPECT_EQ(co_await peer.ReadHead(), "HTTP/1.1 100 Continue\r\n\r\n");
    (void)co_await peer.Send("abc");
    EXPECT_EQ(WithoutDate(co_await peer.ReadUntil("abc")),
              "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nPOST / abc");
  });
  handler_ = Hello;
  EXPECT_EQ(Talk("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
}

// Answers after reading `wanted` bytes of the body, and reads no more.
Server::Handler HelloAfter(size_t wanted) {
  return [wanted](Exchange& exchange) -> io::Task<void> {
    for (size_t read = 0; read < wanted;) {
      Result<Bytes> data = co_await exchange.ReadBody();
      if (!data || data->empty()) break;
      read += data->size();
    }
    co_await Hello(exchange);
  };
}

TEST_F(ServerTest, AnAnswerBeforeTheRequestsBodyWasReadLeftAConnectionThatDiedWithoutAWord) {
  constexpr std::string_view kLastAnswer =
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
  const std::string chunked =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
  const std::string sized = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ";
  for (size_t read : {size_t{0}, size_t{1}}) {
    handler_ = HelloAfter(read);
    EXPECT_EQ(Talk(chunked), kLastAnswer);
    EXPECT_EQ(Talk(sized + std::to_string(kMaxDiscardBytes + 4) + "\r\n\r\nabc"), kLastAnswer);
  }
}

TEST_F(ServerTest, BodyThatIsCertainlyReadToItsEndKeepsTheConnection) {
  const std::string chunked =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  handler_ = HelloAfter(SIZE_MAX);
  EXPECT_EQ(Talk(chunked), kHelloAnswer);
  handler_ = Hello;
  const std::string body(kMaxDiscardBytes, 'x');
  EXPECT_EQ(Talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\n\r\n" + body + std::string(kGet)),
            std::string(kHelloAnswer) + std::string(kHelloAnswer));
}

TEST_F(ServerTest, ContinueIsNotSentToAClientThatDidNotWait) {
  handler_ = Echo;
  EXPECT_EQ(
      Talk("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"),
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nPOST / abc");
}

TEST_F(ServerTest, InterimResponsesPrecedeTheFinalOneButNotInHttp10) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(co_await exchange.SendInterim(103, {{"Link", "</a.css>"}}));
    co_await Hello(exchange);
    EXPECT_FALSE(co_await exchange.SendInterim(103, {}));
  };
  EXPECT_EQ(Talk(kGet),
            "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + std::string(kHelloAnswer));
  EXPECT_EQ(Talk("GET / HTTP/1.0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
}

TEST_F(ServerTest, UpgradeHandsTheConnectionOver) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    Result<Upgraded> upgraded = co_await exchange.Upgrade("echo", {{"X", "y"}});
    if (!upgraded) co_return co_await Hello(exchange);
    EXPECT_EQ(exchange.request().path, "/up");
    (void)co_await upgraded->stream.Write({AsBytes("got "), upgraded->received.readable()});
  };
  EXPECT_EQ(Talk("GET /up HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nraw"),
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n"
            "X: y\r\n\r\ngot raw");
  EXPECT_EQ(Talk(kGet), kHelloAnswer);
}

TEST_F(ServerTest, CountsConnectionsRequestsAndBytes) {
  Metrics registry;
  ServerMetrics metrics(registry, "meridian_test");
  metrics_ = &metrics;
  handler_ = Hello;
  (void)Talk(std::string(kGet) + "bad\r\n\r\n");
  std::string text = MetricsText(registry);
  for (const char* line :
       {"meridian_test_connections_total 1\n", "meridian_test_connections_open 0\n",
        "meridian_test_requests_total{code=\"2xx\"} 1\n",
        "meridian_test_requests_total{code=\"4xx\"} 1\n",
        "meridian_test_requests_total{code=\"broken\"} 0\n",
        "meridian_test_received_bytes_total 27\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "not in\n" << text;
  }
}

}  // namespace
}  // namespace meridian::http
