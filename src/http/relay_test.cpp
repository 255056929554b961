#include "http/relay.hpp"

#include <string>

#include "http/memory_network.hpp"
#include "http/server/server_fixture.hpp"

namespace meridian::http {
namespace {

using std::chrono::seconds;
using wire::http::HeaderFields;

constexpr std::string_view kGet = "GET /a?b HTTP/1.1\r\nHost: photos\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// A proxy between a client and an upstream whose bytes the test writes and reads itself.
class RelayTest : public ServerFixture {
 protected:
  RelayTest() {
    handler_ = [this](Exchange& exchange) { return Forward(exchange); };
  }

  io::Task<void> Forward(Exchange& exchange) {
    HeaderFields fields;
    CopyRequestFields(exchange.request(), {}, &fields);
    fields.Add("Via", "1.1 test");
    Sent sent = co_await client_.Send(ForwardedRequest(exchange, fields));
    if (!sent) co_return (void) co_await RespondText(exchange, 502, "not sent");
    RelayOptions options{
        .edit_response = [](const wire::http::ResponseHead&, HeaderFields& edited) {
          edited.Add("Via", "1.1 test");
        }};
    outcome_ = co_await Relay(exchange, *sent, options);
    bool answer = outcome_.kind == RelayOutcome::Kind::kUnanswered && !outcome_.client_failed;
    if (answer) (void)co_await RespondText(exchange, 502, "no answer");
  }

  // Runs `client(peer)` and `upstream(peer)` concurrently, each with its end of a connection.
  template <class ClientFunction, class UpstreamFunction>
  void RunBoth(ClientFunction client, UpstreamFunction upstream,
               size_t capacity = size_t{64} * 1024) {
    network_.capacity = capacity;
    auto serve = [&]() -> io::Task<void> {
      std::unique_ptr<MemoryStream> stream = co_await network_.Accept();
      co_await upstream(*stream);
    };
    Run(
        [&](MemoryStream& stream) -> io::Task<void> {
          io::Scope scope(loop_);
          scope.Spawn(serve());
          co_await client(stream);
          client_.CloseIdle();
          co_await scope.Join();
        },
        capacity);
  }

  // Returns the client's answer to `request` when the upstream sends `response` and closes.
  std::string Talk(std::string_view request, std::string_view response) {
    std::string answer;
    RunBoth(
        [&](MemoryStream& stream) -> io::Task<void> {
          RawPeer peer(stream);
          (void)co_await peer.Send(request);
          stream.ShutdownWrite();
          answer = WithoutDate(co_await peer.ReadToEnd());
        },
        [&](MemoryStream& stream) -> io::Task<void> {
          RawPeer peer(stream);
          forwarded_ = co_await peer.ReadHead();
          (void)co_await peer.Send(response);
          stream.Close();
        });
    return answer;
  }

  MemoryNetwork network_;
  Client client_{loop_, network_, {.address = {IpAddress::V4(127, 0, 0, 1), 80}}};
  RelayOutcome outcome_;
  std::string forwarded_;
};

TEST_F(RelayTest, RequestAndResponseGoThroughWithoutTheFieldsOfTheirConnections) {
  std::string answer = Talk(
      "GET /a?b HTTP/1.1\r\nHost: photos\r\nX: y\r\nConnection: X-Hop\r\nX-Hop: 1\r\nTE: "
      "gzip\r\n\r\n",
      "HTTP/1.1 203 Fine\r\nContent-Length: 2\r\nKeep-Alive: timeout=9\r\nConnection: X-Hop\r\n"
      "X-Hop: 2\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\nok");
  EXPECT_EQ(forwarded_, "GET /a?b HTTP/1.1\r\nHost: photos\r\nX: y\r\nVia: 1.1 test\r\n\r\n");
  EXPECT_EQ(answer,
            "HTTP/1.1 203 Fine\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nVia: 1.1 test\r\n"
            "Content-Length: 2\r\n\r\nok");
  EXPECT_EQ(outcome_.kind, RelayOutcome::Kind::kAnswered);
}

TEST_F(RelayTest, ChunkedResponseKeepsItsTrailers) {
  EXPECT_EQ(Talk(kGet,
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nVia: 1.1 test\r\nTransfer-Encoding: chunked\r\n\r\n"
            "2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n");
}

TEST_F(RelayTest, ResponseUntilTheEndOfTheConnectionBecomesChunked) {
  EXPECT_EQ(Talk(kGet, "HTTP/1.0 200 OK\r\n\r\nok"),
            "HTTP/1.1 200 OK\r\nVia: 1.1 test\r\nTransfer-Encoding: chunked\r\n\r\n"
            "2\r\nok\r\n0\r\n\r\n");
}

TEST_F(RelayTest, AnAnswerThatDemandsAnUpgradeLostItsProtocols) {
  EXPECT_EQ(Talk(kGet,
                 "HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: TLS/1.3, "
                 "HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 426 Upgrade Required\r\nVia: 1.1 test\r\nContent-Length: 0\r\n"
            "Upgrade: TLS/1.3, HTTP/1.1\r\nConnection: upgrade\r\n\r\n");
  EXPECT_EQ(Talk(kGet,
                 "HTTP/1.1 200 OK\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
                 "Content-Length: 0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nVia: 1.1 test\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(RelayTest, TheHostOfAnAbsoluteFormIsTheOnlyOneThatTheUpstreamHears) {
  (void)Talk("GET http://photos/a HTTP/1.1\r\nHost: other\r\n\r\n", kOk);
  EXPECT_EQ(forwarded_, "GET /a HTTP/1.1\r\nHost: photos\r\nVia: 1.1 test\r\n\r\n");
}

TEST_F(RelayTest, TrailersThatLookLikeOurFieldsReachedTheUpstream) {
  std::string body;
  RunBoth(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.Send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            "X_Forwarded_For: 6.6.6.6\r\nApi_Key: 1\r\nX-Sum: 7\r\n\r\n");
        (void)co_await peer.ReadUntil("ok");
      },
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.ReadHead();
        body = co_await peer.ReadUntil("\r\n\r\n");
        (void)co_await peer.Send(kOk);
      });
  EXPECT_EQ(body, "0\r\nX-Sum: 7\r\n\r\n");
}

TEST_F(RelayTest, AnswerToHeadKeepsItsLength) {
  EXPECT_EQ(
      Talk("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
      "HTTP/1.1 200 OK\r\nVia: 1.1 test\r\nContent-Length: 99\r\n\r\n");
}

TEST_F(RelayTest, InterimResponsesArePassedOnBut100) {
  EXPECT_EQ(
      Talk(kGet, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
                     std::string(kOk)),
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
      "HTTP/1.1 200 OK\r\nVia: 1.1 test\r\nContent-Length: 2\r\n\r\nok");
}

TEST_F(RelayTest, UpstreamThatEndsWithinItsResponseBreaksTheClientVisibly) {
  for (std::string_view response : {
           "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nx",
       }) {
    EXPECT_TRUE(Talk(kGet, response).ends_with("!reset")) << response;
    EXPECT_EQ(outcome_.kind, RelayOutcome::Kind::kBroken);
    EXPECT_FALSE(outcome_.client_failed);
  }
}

TEST_F(RelayTest, UpstreamThatEndsBeforeItsResponseLeavesTheAnswerToTheCaller) {
  for (std::string_view response : {"", "HTTP/1.1 200 OK\r\nContent-", "bad\r\n\r\n"}) {
    EXPECT_TRUE(Talk(kGet, response).starts_with("HTTP/1.1 502")) << response;
    EXPECT_EQ(outcome_.kind, RelayOutcome::Kind::kUnanswered);
    EXPECT_FALSE(outcome_.body_taken);
  }
}

TEST_F(RelayTest, UploadOfAnyFramingGoesThrough) {
  for (bool chunked : {false, true}) {
    std::string body(300'000, 'x');
    std::string got;
    RunBoth(
        [&](MemoryStream& stream) -> io::Task<void> {
          RawPeer peer(stream);
          std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
          if (chunked) {
            (void)co_await peer.Send(head + "Transfer-Encoding: chunked\r\n\r\n493e0\r\n");
            (void)co_await peer.Send(body);
            (void)co_await peer.Send("\r\n0\r\nX-Sum: 7\r\n\r\n");
          } else {
            (void)co_await peer.Send(head + "Content-Length: 300000\r\n\r\n");
            (void)co_await peer.Send(body);
          }
          EXPECT_TRUE((co_await peer.ReadUntil("ok")).starts_with("HTTP/1.1 200"));
        },
        [&](MemoryStream& stream) -> io::Task<void> {
          RawPeer peer(stream);
          std::string head = co_await peer.ReadHead();
          EXPECT_EQ(head.find("chunked") != std::string::npos, chunked);
          got = chunked ? co_await peer.ReadUntil("0\r\nX-Sum: 7\r\n\r\n")
                        : co_await peer.ReadBytes(300'000);
          (void)co_await peer.Send(kOk);
          (void)co_await peer.ReadToEnd();
        },
        8192);
    EXPECT_EQ(std::count(got.begin(), got.end(), 'x'), 300'000);
    EXPECT_TRUE(outcome_.body_taken);
  }
}

TEST_F(RelayTest, SmallBodyGoesWithItsHeadAndCanBeSentAgain) {
  std::string got;
  RunBoth(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.Send(
            "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
        EXPECT_TRUE((co_await peer.ReadHead()).starts_with("HTTP/1.1 502"));
      },
      [&](MemoryStream& stream) -> io::Task<void> {
        (void)co_await stream.Readable();
        RawPeer peer(stream);
        got = co_await peer.ReadHead();
        got += co_await peer.ReadBytes(3);
      });
  EXPECT_EQ(got, "PUT / HTTP/1.1\r\nHost: a\r\nVia: 1.1 test\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_FALSE(outcome_.body_taken);
}

TEST_F(RelayTest, ResponseThatComesBeforeTheUploadIsOverEndsIt) {
  RunBoth(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n");
        (void)co_await peer.Send(std::string(10'000, 'x'));
        std::string answer = co_await peer.ReadUntil("full");
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 507")) << answer;
        EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos) << answer;
      },
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.ReadHead();
        (void)co_await peer.Send("HTTP/1.1 507 Full\r\nContent-Length: 4\r\n\r\nfull");
        stream.Close();
      },
      8192);
  EXPECT_EQ(outcome_.kind, RelayOutcome::Kind::kAnswered);
  EXPECT_EQ(client_.open_connections(), 0u);
}

TEST_F(RelayTest, UploadIsNotAskedForWhenTheUpstreamRefusesIt) {
  std::string answer;
  RunBoth(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.Send(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
        answer = co_await peer.ReadToEnd();
      },
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        EXPECT_NE((co_await peer.ReadHead()).find("Expect: 100-continue"), std::string::npos);
        (void)co_await peer.Send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
        (void)co_await peer.ReadToEnd();
      });
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 401")) << answer;
}

TEST_F(RelayTest, UploadBeginsWhenTheUpstreamSaysContinueOrAfterAWhile) {
  for (bool says : {true, false}) {
    TimePoint begin = loop_.Now();
    RunBoth(
        [&](MemoryStream& stream) -> io::Task<void> {
          RawPeer peer(stream);
          (void)co_await peer.Send(
              "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
          EXPECT_EQ(co_await peer.ReadHead(), "HTTP/1.1 100 Continue\r\n\r\n");
          EXPECT_EQ(loop_.Now() - begin, says ? Duration::zero() : kContinueTimeout);
          (void)co_await peer.Send("abc");
          EXPECT_TRUE((co_await peer.ReadUntil("ok")).starts_with("HTTP/1.1 200"));
        },
        [&](MemoryStream& stream) -> io::Task<void> {
          RawPeer peer(stream);
          (void)co_await peer.ReadHead();
          if (says) (void)co_await peer.Send("HTTP/1.1 100 Continue\r\n\r\n");
          EXPECT_EQ(co_await peer.ReadBytes(3), "abc");
          (void)co_await peer.Send(kOk);
          (void)co_await peer.ReadToEnd();
        });
  }
}

TEST_F(RelayTest, ClientThatIsLostTakesItsUpstreamRequestWithIt) {
  RunBoth(
      [&](MemoryStream& stream) -> io::Task<void> {
        (void)co_await RawPeer(stream).Send(kGet);
        (void)co_await io::Sleep(seconds{1});
        stream.Abort();
      },
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.ReadHead();
        TimePoint begin = loop_.Now();
        EXPECT_EQ(co_await peer.ReadToEnd(), "!reset");
        EXPECT_EQ(loop_.Now() - begin, seconds{1});
      });
  EXPECT_TRUE(outcome_.client_failed);
}

TEST_F(RelayTest, ClosedTabKeptTheUpstreamBusyUntilItsAnswer) {
  Duration timeout = ServerLimits{}.half_close_timeout;
  RunBoth(
      [&](MemoryStream& stream) -> io::Task<void> {
        (void)co_await RawPeer(stream).Send(kGet);
        stream.Close();
        co_return;
      },
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.ReadHead();
        TimePoint begin = loop_.Now();
        EXPECT_EQ(co_await peer.ReadToEnd(), "!reset");
        EXPECT_LE(loop_.Now() - begin, timeout);
      });
  EXPECT_TRUE(outcome_.client_failed);
}

TEST_F(RelayTest, MalformedUploadIsTheClientsFaultAndNeverLooksWholeUpstream) {
  RunBoth(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.Send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nx");
        EXPECT_TRUE((co_await peer.ReadHead()).starts_with("HTTP/1.1 400"));
      },
      [&](MemoryStream& stream) -> io::Task<void> {
        EXPECT_TRUE((co_await RawPeer(stream).ReadToEnd()).ends_with("!reset"));
      });
  EXPECT_TRUE(outcome_.client_failed);
}

TEST_F(RelayTest, SlowClientPausesTheUpstream) {
  size_t sent = 0;
  RunBoth(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.Send(kGet);
        (void)co_await io::Sleep(seconds{5});
        EXPECT_LT(sent, 100'000u);
        std::string answer = co_await peer.ReadUntil("0\r\n\r\n");
        EXPECT_EQ(std::count(answer.begin(), answer.end(), 'x'), 500'000);
      },
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.ReadHead();
        (void)co_await peer.Send("HTTP/1.1 200 OK\r\n\r\n");
        for (; sent < 500'000; sent += 1000) {
          (void)co_await peer.Send(std::string(1000, 'x'));
        }
        stream.Close();
      },
      8192);
}

TEST_F(RelayTest, HeadOfAStreamGoesAheadOfItsFirstByte) {
  RunBoth(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.Send(kGet);
        TimePoint begin = loop_.Now();
        (void)co_await peer.ReadHead();
        EXPECT_EQ(loop_.Now(), begin);
        EXPECT_EQ(co_await peer.ReadUntil("data\r\n"), "4\r\ndata\r\n");
        EXPECT_EQ(loop_.Now() - begin, seconds{5});
      },
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.ReadHead();
        (void)co_await peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        (void)co_await io::Sleep(seconds{5});
        (void)co_await peer.Send("4\r\ndata\r\n");
        (void)co_await peer.ReadToEnd();
      });
}

TEST_F(RelayTest, WebSocketBecomesATunnelUntilBothEndsAreDone) {
  RunBoth(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.Send(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
        EXPECT_EQ(co_await peer.ReadHead(),
                  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                  "Upgrade: websocket\r\nVia: 1.1 test\r\n\r\n");
        EXPECT_EQ(co_await peer.ReadBytes(4), "hail");
        stream.ShutdownWrite();
        EXPECT_EQ(co_await peer.ReadToEnd(), "bye");
      },
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        EXPECT_NE((co_await peer.ReadHead()).find("Upgrade: websocket\r\n"), std::string::npos);
        (void)co_await peer.Send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
            "hail");
        EXPECT_EQ(co_await peer.ReadToEnd(), "early");
        (void)co_await peer.Send("bye");
        stream.Close();
      });
  EXPECT_EQ(outcome_.kind, RelayOutcome::Kind::kAnswered);
}

TEST_F(RelayTest, SilentTunnelIsBrokenOff) {
  RunBoth(
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.Send(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        (void)co_await peer.ReadHead();
        // Bytes in one direction keep the other alive.
        for (int i = 0; i < 3; ++i) {
          (void)co_await io::Sleep(std::chrono::minutes{9});
          EXPECT_TRUE(co_await peer.Send("x"));
        }
        TimePoint begin = loop_.Now();
        EXPECT_EQ(co_await peer.ReadToEnd(), "!reset");
        EXPECT_EQ(loop_.Now() - begin, std::chrono::minutes{10});
      },
      [&](MemoryStream& stream) -> io::Task<void> {
        RawPeer peer(stream);
        (void)co_await peer.ReadHead();
        (void)co_await peer.Send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: "
            "websocket\r\n\r\n");
        EXPECT_EQ(co_await peer.ReadToEnd(), "xxx!reset");
      });
  EXPECT_EQ(outcome_.error.code, Errc::kTimeout);
}

TEST_F(RelayTest, OtherUpgradesAreNotPassedOn) {
  (void)Talk(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAAA\r\n\r\n",
      kOk);
  EXPECT_EQ(forwarded_, "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 test\r\n\r\n");
}

TEST_F(RelayTest, UnrequestedUpgradeIsRefused) {
  std::string answer =
      Talk(kGet,
           "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 502")) << answer;
}

}  // namespace
}  // namespace meridian::http
