// Tests of a server at its limits, and with misbehaving requests, clients and handlers.
#include <string>

#include "http/server/server.hpp"
#include "http/server/server_fixture.hpp"
#include "io/wait_queue.hpp"

namespace meridian::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHelloAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

io::Task<void> Hello(Exchange& exchange) { (void)co_await exchange.Respond({}, AsBytes("hello")); }

io::Task<void> ReadAll(Exchange& exchange) {
  for (;;) {
    Result<Bytes> data = co_await exchange.ReadBody();
    if (!data) co_return;
    if (data->empty()) break;
  }
  co_await Hello(exchange);
}

bool IsRefusal(const std::string& answer, std::string_view status) {
  return answer.starts_with("HTTP/1.1 " + std::string(status)) &&
         answer.find("\r\nConnection: close\r\n") != std::string::npos;
}

class ServerLimitsTest : public ServerFixture {
 protected:
  // Returns how the connection ended after `request`, when the client sends no more.
  std::string TalkAndWait(std::string_view request) {
    std::string answer;
    Run([&](MemoryStream& stream) -> io::Task<void> {
      RawPeer peer(stream);
      (void)co_await peer.Send(request);
      answer = WithoutDate(co_await peer.ReadToEnd());
    });
    return answer;
  }
};

TEST_F(ServerLimitsTest, MalformedRequestsGetTheirStatusAndTheConnectionEnds) {
  handler_ = [](Exchange&) -> io::Task<void> {
    ADD_FAILURE() << "served";
    co_return;
  };
  EXPECT_TRUE(IsRefusal(TalkAndWait("GET / HTTP/1.1\n\n"), "400"));
  EXPECT_TRUE(IsRefusal(TalkAndWait("GET / HTTP/1.1\r\n\r\n"), "400"));
  EXPECT_TRUE(IsRefusal(
      TalkAndWait("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"), "501"));
  EXPECT_TRUE(IsRefusal(TalkAndWait("GET / HTTP/2.0\r\n\r\n"), "505"));
  EXPECT_TRUE(IsRefusal(TalkAndWait("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"), "501"));
}

TEST_F(ServerLimitsTest, RefusalNamesTheError) {
  EXPECT_EQ(TalkAndWait("GET / HTTP/1.1\r\n\r\n"),
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 29\r\nConnection: close\r\n\r\nBad Request: Host is missing\n");
}

TEST_F(ServerLimitsTest, AnswersBeforeAMalformedRequestAreSent) {
  handler_ = Hello;
  std::string answer = TalkAndWait(std::string(kGet) + "bad\r\n\r\n" + std::string(kGet));
  EXPECT_TRUE(answer.starts_with(kHelloAnswer)) << answer;
  EXPECT_TRUE(IsRefusal(answer.substr(kHelloAnswer.size()), "400")) << answer;
}

TEST_F(ServerLimitsTest, HeadAtTheLimitIsServedAndOneByteMoreGets431) {
  handler_ = Hello;
  limits_.head.max_head_bytes = 200;
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  std::string fits = head + std::string(200 - head.size() - 4, 'x') + "\r\n\r\n";
  EXPECT_EQ(Talk(fits), kHelloAnswer);
  EXPECT_TRUE(IsRefusal(TalkAndWait(head + std::string(200, 'x')), "431"));
}

TEST_F(ServerLimitsTest, TargetThatIsTooLongGets414) {
  limits_.head.max_start_line_bytes = 50;
  EXPECT_TRUE(IsRefusal(TalkAndWait("GET /" + std::string(50, 'x')), "414"));
}

TEST_F(ServerLimitsTest, HeadThatDoesNotComeInTimeGets408) {
  TimePoint begin = loop_.Now();
  EXPECT_TRUE(IsRefusal(TalkAndWait("GET / HTTP/1.1\r\n"), "408"));
  EXPECT_GE(loop_.Now() - begin, limits_.header_timeout);
}

TEST_F(ServerLimitsTest, SlowHeadGets408ThoughItNeverStopsComing) {
  Run([&](MemoryStream& stream) -> io::Task<void> {
    RawPeer peer(stream);
    TimePoint begin = loop_.Now();
    (void)co_await peer.Send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
    while (co_await peer.Send("x") && !stream.MaybeReadable()) {
      (void)co_await io::Sleep(milliseconds{500});
    }
    EXPECT_TRUE(IsRefusal(co_await peer.ReadHead(), "408"));
    EXPECT_LT(loop_.Now() - begin, limits_.header_timeout + seconds{1});
  });
}

TEST_F(ServerLimitsTest, IdleConnectionIsClosedSilently) {
  handler_ = Hello;
  TimePoint begin = loop_.Now();
  EXPECT_EQ(TalkAndWait(""), "");
  EXPECT_EQ(loop_.Now() - begin, limits_.idle_timeout);
  begin = loop_.Now();
  EXPECT_EQ(TalkAndWait(kGet), kHelloAnswer);
  EXPECT_EQ(loop_.Now() - begin, limits_.idle_timeout);
}

TEST_F(ServerLimitsTest, BodyAtTheLimitIsServedAndOneByteMoreGets413) {
  handler_ = ReadAll;
  limits_.max_body_bytes = 5;
  std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(Talk(head + "Content-Length: 5\r\n\r\n12345"), kHelloAnswer);
  EXPECT_TRUE(IsRefusal(TalkAndWait(head + "Content-Length: 6\r\n\r\n"), "413"));
  head += "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(Talk(head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), kHelloAnswer);
  EXPECT_TRUE(IsRefusal(TalkAndWait(head + "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"), "413"));
}

TEST_F(ServerLimitsTest, MalformedBodyGetsItsStatus) {
  handler_ = ReadAll;
  std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_TRUE(IsRefusal(TalkAndWait(head + "x\r\n"), "400"));
  EXPECT_TRUE(IsRefusal(TalkAndWait(head + "0\r\nX: " + std::string(9000, 'x')), "431"));
  EXPECT_TRUE(IsRefusal(Talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc"), "400"));
}

TEST_F(ServerLimitsTest, BodyThatStopsComingGets408) {
  handler_ = ReadAll;
  TimePoint begin = loop_.Now();
  std::string request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc";
  EXPECT_TRUE(IsRefusal(TalkAndWait(request), "408"));
  EXPECT_GE(loop_.Now() - begin, limits_.body_timeout);
}

TEST_F(ServerLimitsTest, HandlerWithoutAnswerGives500) {
  handler_ = [](Exchange&) -> io::Task<void> { co_return; };
  EXPECT_EQ(TalkAndWait(kGet).substr(0, 34), "HTTP/1.1 500 Internal Server Error");
}

TEST_F(ServerLimitsTest, AnswerThatWouldInjectGives500) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    Result<void> sent = co_await exchange.Respond({.fields = {{"X", "a\r\nSet-Cookie: b"}}}, {});
    EXPECT_EQ(sent.error().code, Errc::kInvalid);
  };
  std::string answer = TalkAndWait(kGet);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500")) << answer;
  EXPECT_EQ(answer.find("Set-Cookie"), std::string::npos);
}

TEST_F(ServerLimitsTest, UnfinishedAnswerBreaksTheConnectionVisibly) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(exchange.Start({}));
    EXPECT_TRUE(co_await exchange.Write(AsBytes("half")));
  };
  EXPECT_TRUE(TalkAndWait(kGet).ends_with("!reset"));
  // Without framing, only a reset shows that the response was cut off.
  EXPECT_TRUE(TalkAndWait("GET / HTTP/1.0\r\n\r\n").ends_with("!reset"));
}

TEST_F(ServerLimitsTest, AnswerOfAnotherLengthThanAnnouncedBreaksTheConnection) {
  std::string_view body;
  handler_ = [&](Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(exchange.Start({.content_length = 5}));
    EXPECT_EQ((co_await exchange.Finish(AsBytes(body), {})).has_value(), body.size() == 5);
  };
  body = "hello";
  EXPECT_EQ(TalkAndWait(kGet), kHelloAnswer);
  body = "hell";
  EXPECT_EQ(TalkAndWait(kGet), "!reset");
  body = "hello!";
  EXPECT_EQ(TalkAndWait(kGet), "!reset");
}

TEST_F(ServerLimitsTest, WriterWaitsForItsReader) {
  size_t written = 0;
  handler_ = [&](Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(exchange.Start({}));
    std::string piece(1000, 'x');
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(co_await exchange.Write(AsBytes(piece)));
      written += piece.size();
    }
    EXPECT_TRUE(co_await exchange.Finish({}, {}));
  };
  Run(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.Send(kGet);
        (void)co_await io::Sleep(seconds{5});
        EXPECT_LT(written, 5000u);
        std::string answer = co_await peer.ReadUntil("0\r\n\r\n");
        EXPECT_EQ(std::count(answer.begin(), answer.end(), 'x'), 100'000);
      },
      4096);
}

TEST_F(ServerLimitsTest, ReaderThatIsTooSlowIsBrokenOff) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    std::string body(100'000, 'x');
    Result<void> sent = co_await exchange.Respond({}, AsBytes(body));
    EXPECT_EQ(sent.error().code, Errc::kTimeout);
  };
  Run(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.Send(kGet);
        TimePoint begin = loop_.Now();
        EXPECT_TRUE(co_await stream.Hangup());
        EXPECT_EQ(loop_.Now() - begin, limits_.write_timeout);
      },
      4096);
}

TEST_F(ServerLimitsTest, LargeAnswerMayTakeLongerThanOneSliceMay) {
  std::string body(3 * kWriteSliceBytes, 'x');
  handler_ = [&](Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(co_await exchange.Respond({}, AsBytes(body)));
  };
  Run(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.Send(kGet);
        (void)co_await peer.ReadHead();
        TimePoint begin = loop_.Now();
        for (size_t got = 0; got < body.size(); got += 4096) {
          EXPECT_EQ((co_await peer.ReadBytes(4096)).size(), 4096u);
          (void)co_await io::Sleep(milliseconds{400});
        }
        EXPECT_GT(loop_.Now() - begin, 2 * limits_.write_timeout);
      },
      8192);
}

TEST_F(ServerLimitsTest, SmallUnreadBodyIsSkipped) {
  handler_ = Hello;
  std::string request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  std::string twice = std::string(kHelloAnswer) + std::string(kHelloAnswer);
  EXPECT_EQ(Talk(request + std::string(kGet)), twice);
  request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  EXPECT_EQ(Talk(request + std::string(kGet)), twice);
}

TEST_F(ServerLimitsTest, LargeUnreadBodyEndsTheConnectionAndTheAnswerIsNotLost) {
  handler_ = Hello;
  Run([&](MemoryStream& stream) -> io::Task<void> {
    RawPeer peer(stream);
    EXPECT_TRUE(co_await peer.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n"));
    // A client that reads only after it has sent everything.
    EXPECT_TRUE(co_await peer.Send(std::string(300'000, 'x')));
    EXPECT_EQ(WithoutDate(co_await peer.ReadToEnd()),
              "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
  });
}

TEST_F(ServerLimitsTest, ClientThatSendsForEverIsNotReadForEver) {
  handler_ = Hello;
  Run([&](MemoryStream& stream) -> io::Task<void> {
    RawPeer peer(stream);
    (void)co_await peer.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n");
    std::string piece(10'000, 'x');
    size_t sent = 0;
    while (co_await peer.Send(piece)) sent += piece.size();
    EXPECT_LT(sent, 2 * kMaxLingerBytes);
  });
}

TEST_F(ServerLimitsTest, HandlerWhoseClientIsLostIsCancelled) {
  Errc ended{};
  handler_ = [&](Exchange&) -> io::Task<void> {
    Result<void> slept = co_await io::Sleep(seconds{1000});
    if (!slept) ended = slept.error().code;
  };
  Run([&](MemoryStream& stream) -> io::Task<void> {
    RawPeer peer(stream);
    (void)co_await peer.Send(kGet);
    (void)co_await io::Sleep(seconds{1});
    stream.Abort();
    (void)co_await io::Sleep(seconds{1});
    EXPECT_EQ(ended, Errc::kCancelled);
  });
}

TEST_F(ServerLimitsTest, DrainClosesIdleConnectionsAtOnceAndLetsRequestsFinish) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    (void)co_await io::Sleep(seconds{5});
    co_await Hello(exchange);
  };
  Run([&](MemoryStream& busy) -> io::Task<void> {
    auto idle = Connect();
    RawPeer peer(busy);
    (void)co_await peer.Send(kGet);
    (void)co_await io::Sleep(seconds{1});
    TimePoint begin = loop_.Now();
    io::Scope scope(loop_);
    scope.Spawn(server_->Drain(loop_.After(seconds{60})));
    EXPECT_EQ(co_await RawPeer(*idle).ReadToEnd(), "");
    EXPECT_EQ(loop_.Now(), begin);
    EXPECT_EQ(WithoutDate(co_await peer.ReadToEnd()),
              "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    co_await scope.Join();
    EXPECT_EQ(loop_.Now() - begin, seconds{4});
    EXPECT_EQ(server_->open_connections(), 0u);
  });
}

TEST_F(ServerLimitsTest, ClientsAreSentAwayWithTheirNextAnswerAndTakenAgainWhenThatEnds) {
  handler_ = Hello;
  Run([&](MemoryStream& kept) -> io::Task<void> {
    RawPeer peer(kept);
    server_->SetRetiring(true);
    (void)co_await peer.Send(kGet);
    EXPECT_EQ(WithoutDate(co_await peer.ReadToEnd()),
              "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    server_->SetRetiring(false);
    auto next = Connect();
    RawPeer again(*next);
    (void)co_await again.Send(kGet);
    EXPECT_EQ((co_await again.ReadUntil("hello")).find("Connection: close"), std::string::npos);
    next->Close();
  });
}

TEST_F(ServerLimitsTest, DrainWithGraceTakesOneMoreRequestOfEachConnection) {
  handler_ = Hello;
  Run([&](MemoryStream& used) -> io::Task<void> {
    auto unused = Connect();
    (void)co_await io::Sleep(seconds{1});
    TimePoint begin = loop_.Now();
    io::Scope scope(loop_);
    scope.Spawn(server_->Drain(loop_.After(seconds{60}), seconds{3}));
    (void)co_await io::Sleep(seconds{1});
    auto late = Connect();
    for (MemoryStream* stream : {&used, late.get()}) {
      RawPeer peer(*stream);
      (void)co_await peer.Send(kGet);
      EXPECT_EQ(WithoutDate(co_await peer.ReadToEnd()),
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
      EXPECT_EQ(loop_.Now() - begin, seconds{1});
    }
    EXPECT_EQ(co_await RawPeer(*unused).ReadToEnd(), "");
    EXPECT_EQ(loop_.Now() - begin, seconds{3});
    co_await scope.Join();
  });
}

// The connection was closed with a request in flight, whose sender got no answer on a new
// connection.
TEST_F(ServerLimitsTest, DrainWithGraceWaitsForTheRequestOfTheNewestConnection) {
  handler_ = Hello;
  Run([&](MemoryStream& unused) -> io::Task<void> {
    TimePoint begin = loop_.Now();
    io::Scope scope(loop_);
    scope.Spawn(server_->Drain(loop_.After(seconds{60}), kRetireGrace));
    (void)co_await io::Sleep(kRetireGrace - milliseconds{1});
    auto late = Connect();
    (void)co_await io::Sleep(milliseconds{500});
    RawPeer peer(*late);
    (void)co_await peer.Send(kGet);
    EXPECT_TRUE((co_await peer.ReadToEnd()).ends_with("hello"));
    EXPECT_EQ(co_await RawPeer(unused).ReadToEnd(), "");
    EXPECT_EQ(loop_.Now() - begin, 2 * kRetireGrace - milliseconds{1});
    co_await scope.Join();
  });
}

TEST_F(ServerLimitsTest, DrainWithGraceEndsWithTheLastConnection) {
  handler_ = Hello;
  Run([&](MemoryStream& stream) -> io::Task<void> {
    TimePoint begin = loop_.Now();
    io::Scope scope(loop_);
    scope.Spawn(server_->Drain(loop_.After(seconds{60}), seconds{3}));
    (void)co_await io::Sleep(seconds{1});
    RawPeer peer(stream);
    (void)co_await peer.Send(kGet);
    (void)co_await peer.ReadToEnd();
    co_await scope.Join();
    EXPECT_EQ(loop_.Now() - begin, seconds{1});
  });
}

TEST_F(ServerLimitsTest, DrainAbortsUnfinishedRequestsAtItsDeadline) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    EXPECT_FALSE(co_await io::Sleep(seconds{500}));
    (void)co_await exchange.Respond({}, {});
  };
  Run([&](MemoryStream& stream) -> io::Task<void> {
    RawPeer peer(stream);
    (void)co_await peer.Send(kGet);
    (void)co_await io::Sleep(seconds{1});
    TimePoint begin = loop_.Now();
    co_await server_->Drain(loop_.After(seconds{10}));
    EXPECT_EQ(loop_.Now() - begin, seconds{10});
    EXPECT_EQ(co_await peer.ReadToEnd(), "!reset");
  });
}

TEST_F(ServerLimitsTest, AtTheConnectionLimitTheLongestIdleOneMakesRoom) {
  handler_ = Hello;
  limits_.max_connections = 2;
  Run([&](MemoryStream& first) -> io::Task<void> {
    (void)co_await io::Sleep(seconds{1});
    auto second = Connect();
    (void)co_await io::Sleep(seconds{1});
    auto third = Connect();
    RawPeer peer(*third);
    (void)co_await peer.Send(kGet);
    EXPECT_EQ(WithoutDate(co_await peer.ReadUntil("hello")), kHelloAnswer);
    EXPECT_EQ(co_await RawPeer(first).ReadToEnd(), "");
    EXPECT_EQ(server_->open_connections(), 2u);
  });
}

TEST_F(ServerLimitsTest, AtTheConnectionLimitWithAllBusyANewOneGets503) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    (void)co_await io::Sleep(seconds{5});
    co_await Hello(exchange);
  };
  limits_.max_connections = 1;
  Run([&](MemoryStream& first) -> io::Task<void> {
    RawPeer peer(first);
    (void)co_await peer.Send(kGet);
    (void)co_await io::Sleep(seconds{1});
    auto second = Connect();
    EXPECT_TRUE(co_await RawPeer(*second).Send(kGet));
    std::string answer = co_await RawPeer(*second).ReadToEnd();
    EXPECT_TRUE(IsRefusal(answer, "503")) << answer;
    EXPECT_NE(answer.find("Retry-After: "), std::string::npos);
    second->Close();
    EXPECT_EQ(server_->open_connections(), 1u);
    EXPECT_EQ(WithoutDate(co_await peer.ReadUntil("hello")), kHelloAnswer);
  });
}

TEST_F(ServerLimitsTest, BeyondTheConnectionLimitTheLongestHalfHeadMakesWay) {
  handler_ = Hello;
  limits_.max_connections = 2;
  Run([&](MemoryStream& first) -> io::Task<void> {
    EXPECT_TRUE(co_await RawPeer(first).Send("GET / HT"));
    (void)co_await io::Sleep(milliseconds{1});
    auto second = Connect();
    EXPECT_TRUE(co_await RawPeer(*second).Send("GET / HT"));
    (void)co_await io::Sleep(milliseconds{1});
    auto third = Connect();
    RawPeer peer(*third);
    EXPECT_TRUE(co_await peer.Send(kGet));
    EXPECT_EQ(WithoutDate(co_await peer.ReadUntil("hello")), kHelloAnswer);
    EXPECT_EQ(co_await RawPeer(first).ReadToEnd(), "");
    EXPECT_EQ(server_->open_connections(), 2u);
  });
}

TEST_F(ServerLimitsTest, FloodBeyondTheConnectionLimitIsClosedWithoutAWord) {
  handler_ = [](Exchange& exchange) -> io::Task<void> {
    (void)co_await io::Sleep(seconds{5});
    co_await Hello(exchange);
  };
  limits_.max_connections = 1;
  Run([&](MemoryStream& first) -> io::Task<void> {
    EXPECT_TRUE(co_await RawPeer(first).Send(kGet));
    (void)co_await io::Sleep(milliseconds{1});
    std::vector<std::unique_ptr<MemoryStream>> told;
    told.reserve(kMaxRefusing);
    for (size_t i = 0; i < kMaxRefusing; ++i) told.push_back(Connect());
    auto dropped = Connect();
    EXPECT_EQ(co_await RawPeer(*dropped).ReadToEnd(), "");
    for (auto& each : told) {
      EXPECT_TRUE((co_await RawPeer(*each).ReadToEnd()).starts_with("HTTP/1.1 503"));
    }
  });
}

}  // namespace
}  // namespace meridian::http
