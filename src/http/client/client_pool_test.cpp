// Tests of the client's connection pool: keeping, sharing and closing connections.
#include <string>
#include <vector>

#include "http/client/client.hpp"
#include "http/client/client_fixture.hpp"

namespace meridian::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ClientPoolTest : public ClientFixture {
 protected:
  // Answers requests on one connection, a second each, and notes their paths.
  io::Task<void> ServeSlowly(std::vector<std::string>* paths) {
    std::unique_ptr<MemoryStream> stream = co_await network_.Accept();
    RawPeer peer(*stream);
    for (;;) {
      std::string head = co_await peer.ReadHead();
      if (!head.starts_with("GET ")) co_return;
      paths->push_back(head.substr(4, head.find(' ', 4) - 4));
      (void)co_await io::Sleep(seconds{1});
      (void)co_await peer.Send(kOkResponse);
    }
  }
  io::Task<void> FetchInto(Client& client, std::string_view path, std::string* outcome) {
    *outcome = co_await Fetch(client, {.path = path, .host = "a"});
  }
};

TEST_F(ClientPoolTest, ConnectionIsUsedAgain) {
  auto serve = [&]() -> io::Task<void> {
    auto stream = co_await AnswerOnce(kOkResponse);
    co_await AnswerOn(*stream,
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n0\r\nX: y\r\n\r\n");
    co_await AnswerOn(*stream, kOkResponse);
    (void)co_await RawPeer(*stream).ReadToEnd();
  };
  Run(serve, [&](Client& client) -> io::Task<void> {
    EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "200 ok");
    EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "200 abc");
    Sent sent = co_await client.Send({.host = "a"});
    EXPECT_TRUE(sent->reused());
    EXPECT_EQ(co_await ReadResponse(*sent), "200 ok");
    EXPECT_TRUE(sent->trailers().empty());
    EXPECT_EQ(network_.connects, 1);
  });
}

TEST_F(ClientPoolTest, ConnectionThatTheServerClosedMeanwhileIsNotUsed) {
  auto serve = [&]() -> io::Task<void> {
    (co_await AnswerOnce(kOkResponse))->Close();
    (co_await AnswerOnce(kOkResponse))->Abort();
    auto third = co_await AnswerOnce(kOkResponse);
    (void)co_await io::Sleep(milliseconds{1});
    (void)co_await third->Write(AsBytes("HTTP/1.1 408 Request Timeout\r\n\r\n"));
    co_await AnswerAndWait(kOkResponse);
  };
  Run(serve, [&](Client& client) -> io::Task<void> {
    for (int i = 1; i <= 4; ++i) {
      EXPECT_EQ(co_await Fetch(client, {.method = "POST", .host = "a"}), "200 ok");
      EXPECT_EQ(network_.connects, i);
      (void)co_await io::Sleep(milliseconds{10});
    }
  });
}

TEST_F(ClientPoolTest, ConnectionIsNotUsedAgainAfterAnUncleanEnd) {
  for (std::string_view answer : {
           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
           "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=1\r\n\r\nok",
       }) {
    Run([&] { return AnswerAndWait(answer); },
        [&](Client& client) -> io::Task<void> {
          EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "200 ok") << answer;
          EXPECT_EQ(client.open_connections(), 0u) << answer;
        });
  }
}

TEST_F(ClientPoolTest, ResponseThatWasNotReadToItsEndClosesTheConnection) {
  Run([&] { return AnswerAndWait("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"); },
      [](Client& client) -> io::Task<void> {
        {
          Sent sent = co_await client.Send({.host = "a"});
          EXPECT_TRUE(co_await sent->ReadHead());
          EXPECT_EQ(AsText(sent->BodyAtHand().value()), "ok");
          EXPECT_FALSE(sent->body_ended());
        }
        EXPECT_EQ(client.open_connections(), 0u);
      });
}

TEST_F(ClientPoolTest, IdleConnectionsAreClosedInTime) {
  Run([&] { return AnswerAndWait(kOkResponse); },
      [&](Client& client) -> io::Task<void> {
        EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "200 ok");
        (void)co_await io::Sleep(limits_.idle_timeout - milliseconds{1});
        EXPECT_EQ(client.idle_connections(), 1u);
        (void)co_await io::Sleep(kIdleSweepInterval + milliseconds{2});
        EXPECT_EQ(client.open_connections(), 0u);
      });
}

TEST_F(ClientPoolTest, ConnectionIsClosedBeforeTheServerWould) {
  std::string_view answer =
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=3, max=9\r\n\r\nok";
  Run([&] { return AnswerAndWait(answer); },
      [](Client& client) -> io::Task<void> {
        EXPECT_EQ(co_await Fetch(client, {.host = "a"}), "200 ok");
        EXPECT_EQ(client.idle_connections(), 1u);
        (void)co_await io::Sleep(milliseconds{2900});
        EXPECT_EQ(client.idle_connections(), 0u);
      });
}

TEST_F(ClientPoolTest, KeepsNoMoreIdleConnectionsThanItsLimit) {
  limits_.max_idle = 1;
  auto serve = [&]() -> io::Task<void> {
    auto first = co_await AnswerOnce(kOkResponse);
    co_await AnswerAndWait(kOkResponse);
    (void)co_await RawPeer(*first).ReadToEnd();
  };
  Run(serve, [](Client& client) -> io::Task<void> {
    {
      Sent first = co_await client.Send({.host = "a"});
      Sent second = co_await client.Send({.host = "a"});
      EXPECT_EQ(co_await ReadResponse(*first), "200 ok");
      EXPECT_EQ(co_await ReadResponse(*second), "200 ok");
      EXPECT_EQ(client.open_connections(), 2u);
    }
    EXPECT_EQ(client.open_connections(), 1u);
  });
}

TEST_F(ClientPoolTest, RequestsBeyondTheConnectionLimitWaitInOrder) {
  limits_.max_connections = 1;
  std::vector<std::string> paths;
  std::string outcomes[3];
  Run([&] { return ServeSlowly(&paths); },
      [&](Client& client) -> io::Task<void> {
        io::Scope requests(loop_);
        requests.Spawn(FetchInto(client, "/1", &outcomes[0]));
        requests.Spawn(FetchInto(client, "/2", &outcomes[1]));
        requests.Spawn(FetchInto(client, "/3", &outcomes[2]));
        co_await requests.Join();
        EXPECT_EQ(client.open_connections(), 1u);
      });
  EXPECT_EQ(paths, (std::vector<std::string>{"/1", "/2", "/3"}));
  for (const std::string& outcome : outcomes) EXPECT_EQ(outcome, "200 ok");
  EXPECT_EQ(network_.connects, 1);
}

TEST_F(ClientPoolTest, WaitForAConnectionEndsAtItsLimits) {
  limits_.max_connections = 1;
  limits_.max_waiting = 1;
  limits_.wait_timeout = milliseconds{500};
  std::vector<std::string> paths;
  std::string outcomes[3];
  Run([&] { return ServeSlowly(&paths); },
      [&](Client& client) -> io::Task<void> {
        io::Scope requests(loop_);
        for (std::string& outcome : outcomes) requests.Spawn(FetchInto(client, "/", &outcome));
        co_await requests.Join();
      });
  EXPECT_EQ(outcomes[0], "200 ok");
  EXPECT_EQ(outcomes[1], "timed out, never sent");
  EXPECT_EQ(outcomes[2], "unavailable, never sent");
}

TEST_F(ClientPoolTest, FailedConnectionMakesRoomForWaitingRequests) {
  limits_.max_connections = 1;
  network_.mode = MemoryNetwork::Mode::kSilent;
  std::string outcomes[2];
  Run(UnusedServer, [&](Client& client) -> io::Task<void> {
    io::Scope requests(loop_);
    for (std::string& outcome : outcomes) requests.Spawn(FetchInto(client, "/", &outcome));
    co_await requests.Join();
  });
  EXPECT_EQ(network_.connects, 2);
  for (const std::string& outcome : outcomes) EXPECT_EQ(outcome, "timed out, never sent");
}

TEST_F(ClientPoolTest, CancelledRequestReturnsItsReservedConnection) {
  limits_.max_connections = 1;
  std::vector<std::string> paths;
  std::string outcomes[3];
  Run([&] { return ServeSlowly(&paths); },
      [&](Client& client) -> io::Task<void> {
        io::Scope requests(loop_);
        io::Scope cancelled(loop_);
        requests.Spawn(FetchInto(client, "/1", &outcomes[0]));
        (void)co_await io::Sleep(milliseconds{1});
        cancelled.Spawn(FetchInto(client, "/2", &outcomes[1]));
        (void)co_await io::Sleep(milliseconds{1});
        requests.Spawn(FetchInto(client, "/3", &outcomes[2]));
        (void)co_await io::Sleep(milliseconds{1});
        cancelled.Cancel();
        co_await cancelled.Join();
        co_await requests.Join();
      });
  EXPECT_EQ(outcomes[1], "cancelled, never sent");
  EXPECT_EQ(paths, (std::vector<std::string>{"/1", "/3"}));
}

}  // namespace
}  // namespace meridian::http
