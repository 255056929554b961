#include "http/client/client.hpp"

#include <string>

#include "http/client/client_fixture.hpp"

namespace meridian::http {
namespace {

using Kind = wire::http::BodyFraming::Kind;

class ClientTest : public ClientFixture {};

TEST_F(ClientTest, SendsHeadAndContentInOneWrite) {
  std::string got;
  auto serve = [&]() -> io::Task<void> {
    auto stream = co_await network_.Accept();
    RawPeer peer(*stream);
    got = co_await peer.ReadUntil("\r\n\r\n");
    got += co_await peer.ReadBytes(3);
    (void)co_await peer.Send(kOkResponse);
    (void)co_await peer.ReadToEnd();
  };
  Run(serve, [&](Client& client) -> io::Task<void> {
    Request request{.method = "POST",
                    .path = "/a",
                    .query = "b=c",
                    .host = "photos.example",
                    .body = {Kind::kContentLength, 3},
                    .content = AsBytes("abc")};
    EXPECT_EQ(co_await Fetch(client, request), "200 ok");
    EXPECT_EQ(network_.client_writes(), 1);
  });
  EXPECT_EQ(got, "POST /a?b=c HTTP/1.1\r\nHost: photos.example\r\nContent-Length: 3\r\n\r\nabc");
}

TEST_F(ClientTest, FieldsOfTheConnectionAreTheClients) {
  std::string got;
  auto serve = [&]() -> io::Task<void> {
    auto stream = co_await network_.Accept();
    RawPeer peer(*stream);
    got = co_await peer.ReadHead();
    (void)co_await peer.Send(kOkResponse);
    (void)co_await peer.ReadToEnd();
  };
  Run(serve, [](Client& client) -> io::Task<void> {
    const wire::http::HeaderField fields[] = {{"X", "y"},
                                              {"Connection", "close"},
                                              {"Host", "z"},
                                              {"Content-Length", "9"},
                                              {"Transfer-Encoding", "chunked"}};
    EXPECT_EQ(co_await Fetch(client, {.host = "a", .fields = {fields}}), "200 ok");
  });
  EXPECT_EQ(got, "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");
}

TEST_F(ClientTest, BodyInPartsIsFramedWithTrailers) {
  std::string got;
  auto serve = [&]() -> io::Task<void> {
    auto stream = co_await network_.Accept();
    RawPeer peer(*stream);
    got = co_await peer.ReadUntil("0\r\nX: y\r\n\r\n");
    (void)co_await peer.Send(kOkResponse);
    (void)co_await peer.ReadToEnd();
  };
  Run(serve, [](Client& client) -> io::Task<void> {
    Sent sent = co_await client.Send({.method = "PUT", .host = "a", .body = {Kind::kChunked, 0}});
    EXPECT_TRUE(co_await sent->Write(AsBytes("hello ")));
    EXPECT_TRUE(co_await sent->Finish(AsBytes("world"), {{"X", "y"}}));
    EXPECT_EQ(co_await ReadResponse(*sent), "200 ok");
  });
  EXPECT_EQ(got,
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "6\r\nhello \r\n5\r\nworld\r\n0\r\nX: y\r\n\r\n");
}

TEST_F(ClientTest, RequestThatNeverReachedTheServerIsMarkedNeverSent) {
  Run(UnusedServer, [&](Client& client) -> io::Task<void> {
    network_.mode = MemoryNetwork::Mode::kRefuse;
    EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "refused, never sent");
    network_.mode = MemoryNetwork::Mode::kSilent;
    TimePoint begin = loop_.Now();
    EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "timed out, never sent");
    EXPECT_EQ(loop_.Now() - begin, limits_.connect_timeout);
    network_.mode = MemoryNetwork::Mode::kAccept;
    EXPECT_EQ(co_await Fetch(client, {.host = "a\r\nX: y"}), "invalid, never sent");
    EXPECT_EQ(co_await Fetch(client, {.method = "G T", .host = "a"}), "invalid, never sent");
    EXPECT_EQ(client.open_connections(), 0u);
  });
}

TEST_F(ClientTest, RequestOfWhichAPartWasSentMayHaveBeenProcessed) {
  network_.capacity = 64;
  auto serve = [&]() -> io::Task<void> {
    auto stream = co_await network_.Accept();
    EXPECT_TRUE(co_await stream->Readable());
    stream->Abort();
  };
  Run(serve, [](Client& client) -> io::Task<void> {
    std::string content(1000, 'x');
    Request request{.method = "POST",
                    .host = "a",
                    .body = {Kind::kContentLength, content.size()},
                    .content = AsBytes(content)};
    EXPECT_EQ(co_await Fetch(client, request), "reset");
  });
}

TEST_F(ClientTest, ConnectionThatEndsBeforeTheAnswerIsAReset) {
  auto serve = [&]() -> io::Task<void> { (co_await AnswerOnce(""))->Close(); };
  Run(serve, [](Client& client) -> io::Task<void> {
    EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "!reset");
  });
}

TEST_F(ClientTest, BodyThatWasCutOffIsAnError) {
  for (std::string_view answer : {
           "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok",
       }) {
    auto serve = [&]() -> io::Task<void> { (co_await AnswerOnce(answer))->Close(); };
    Run(serve, [&](Client& client) -> io::Task<void> {
      EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "200 ok!reset") << answer;
    });
  }
}

TEST_F(ClientTest, BodyThatTheConnectionEndsIsMarked) {
  auto serve = [&]() -> io::Task<void> {
    (co_await AnswerOnce("HTTP/1.1 200 OK\r\n\r\nok"))->Close();
  };
  Run(serve, [](Client& client) -> io::Task<void> {
    Sent sent = co_await client.Send({.host = "a"});
    EXPECT_EQ(co_await ReadResponse(*sent), "200 ok");
    EXPECT_EQ(sent->head().body.kind, Kind::kUntilClose);
  });
}

TEST_F(ClientTest, MalformedResponsesAreRefused) {
  struct Case {
    std::string_view answer, outcome;
  };
  for (const Case& each : {
           Case{"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "!invalid"},
           Case{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "!invalid"},
           Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx", "200 !invalid"},
       }) {
    Run([&] { return AnswerAndWait(each.answer); },
        [&](Client& client) -> io::Task<void> {
          EXPECT_EQ(co_await Fetch(client, {.host = "a"}), each.outcome) << each.answer;
        });
  }
}

TEST_F(ClientTest, InterimResponsesComeFirstAndAreBounded) {
  std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  std::string at_limit;
  for (int i = 0; i < kMaxInterimResponses; ++i) at_limit += hints;
  std::string past_limit = at_limit + hints + std::string(kOkResponse);
  at_limit += kOkResponse;
  Run([&] { return AnswerAndWait(at_limit); },
      [](Client& client) -> io::Task<void> {
        Sent sent = co_await client.Send({.host = "a"});
        auto head = co_await sent->ReadHead();
        EXPECT_EQ((*head)->status, 103);
        EXPECT_EQ((*head)->fields.Find("link"), "</a>");
        EXPECT_EQ(co_await ReadResponse(*sent), "200 ok");
      });
  Run([&] { return AnswerAndWait(past_limit); },
      [](Client& client) -> io::Task<void> {
        EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "!too large");
      });
}

TEST_F(ClientTest, AnswerToHeadHasNoBody) {
  Run([&] { return AnswerAndWait("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"); },
      [](Client& client) -> io::Task<void> {
        Sent sent = co_await client.Send({.method = "HEAD", .host = "a"});
        EXPECT_EQ(co_await ReadResponse(*sent), "200 ");
        EXPECT_EQ(sent->head().content_length, 9u);
      });
}

TEST_F(ClientTest, ResponseBodyHasALimit) {
  limits_.max_body_bytes = 2;
  Run([&] { return AnswerAndWait(kOkResponse); },
      [](Client& client) -> io::Task<void> {
        EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "200 ok");
      });
  Run([&] { return AnswerAndWait("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"); },
      [](Client& client) -> io::Task<void> {
        EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "200 !too large");
      });
}

TEST_F(ClientTest, SilentServerTimesOutBeforeAndWithinTheAnswer) {
  TimePoint begin = loop_.Now();
  Run([&] { return AnswerAndWait(""); },
      [&](Client& client) -> io::Task<void> {
        EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "!timed out");
        EXPECT_EQ(loop_.Now() - begin, limits_.head_timeout);
      });
  begin = loop_.Now();
  Run([&] { return AnswerAndWait("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"); },
      [&](Client& client) -> io::Task<void> {
        EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "200 ok!timed out");
        EXPECT_EQ(loop_.Now() - begin, limits_.body_timeout);
      });
}

TEST_F(ClientTest, LongUploadIsNoSilence) {
  auto serve = [&]() -> io::Task<void> {
    auto stream = co_await network_.Accept();
    RawPeer peer(*stream);
    (void)co_await peer.ReadUntil("0\r\n\r\n");
    (void)co_await peer.Send(kOkResponse);
    (void)co_await peer.ReadToEnd();
  };
  Run(serve, [&](Client& client) -> io::Task<void> {
    Sent sent = co_await client.Send({.method = "PUT", .host = "a", .body = {Kind::kChunked, 0}});
    auto upload = [&]() -> io::Task<void> {
      for (int i = 0; i < 10; ++i) {
        (void)co_await io::Sleep(limits_.head_timeout / 2);
        EXPECT_TRUE(co_await sent->Write(AsBytes("x")));
      }
      EXPECT_TRUE(co_await sent->Finish({}, {}));
    };
    io::Scope uploading(loop_);
    uploading.Spawn(upload());
    EXPECT_EQ(co_await ReadResponse(*sent), "200 ok");
    co_await uploading.Join();
  });
}

}  // namespace
}  // namespace meridian::http
