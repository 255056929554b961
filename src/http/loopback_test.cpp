// Server and client over real sockets of the loopback interface.
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "base/metrics.hpp"
#include "base/metrics_text.hpp"
#include "base/scratch_dir.hpp"
#include "http/client/client.hpp"
#include "http/raw_peer.hpp"
#include "http/server/server.hpp"
#include "io/net/socket.hpp"
#include "io/wait_queue.hpp"

namespace meridian::http {
namespace {

using Kind = wire::http::BodyFraming::Kind;
using std::chrono::seconds;

const Endpoint kAnyPort{IpAddress::V4(127, 0, 0, 1), 0};

// A certificate for server.test that is its own authority, made once. Gives the folder.
const std::string& CertificateDirectory() {
  static const ScratchDir scratch;
  static const std::string directory = [] {
    std::string script = "cd " + scratch.path().string() +
                         " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
                         " -subj /CN=test -addext subjectAltName=DNS:server.test -keyout key.pem"
                         " -out certificate.pem -days 2 2>/dev/null";
    CHECK(std::system(script.c_str()) == 0);  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
    return scratch.path().string() + "/";
  }();
  return directory;
}

io::TlsOptions Certificate() {
  return {.certificate_path = CertificateDirectory() + "certificate.pem",
          .key_path = CertificateDirectory() + "key.pem",
          .authorities_path = CertificateDirectory() + "certificate.pem",
          .peer = io::PeerCertificate::kIgnored};
}

class LoopbackTest : public testing::Test {
 protected:
  // Runs `use(endpoint)` against a server with `handler`.
  template <class Use>
  void Run(ServerOptions options, Server::Handler handler, Use use) {
    Server server(loop_, std::move(options), std::move(handler));
    auto run = [&]() -> io::Task<void> {
      auto listener = network_.Listen(kAnyPort, {}).value();
      Endpoint endpoint = listener->local();
      server.Serve(std::move(listener));
      co_await use(endpoint);
      co_await server.Drain(loop_.After(seconds{10}));
    };
    loop_.RunToEnd(run());
  }

  static io::Task<std::string> ReadResponse(ClientExchange& exchange) {
    auto head = co_await exchange.ReadHead();
    if (!head) co_return "!" + std::string(ErrcName(head.error().code));
    std::string text = std::to_string((*head)->status) + " ";
    for (;;) {
      Result<Bytes> data = co_await exchange.ReadBody();
      if (!data) co_return text + "!" + std::string(ErrcName(data.error().code));
      if (data->empty()) co_return text;
      text += AsText(*data);
    }
  }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
};

io::Task<void> EchoBody(Exchange& exchange) {
  for (;;) {
    Result<Bytes> data = co_await exchange.ReadBody();
    if (!data) co_return;
    if (!exchange.started()) {
      (void)exchange.Start({.content_length = exchange.request().body.length});
    }
    if (data->empty()) break;
    if (!co_await exchange.Write(*data)) co_return;
  }
  (void)co_await exchange.Finish({}, {});
}

TEST_F(LoopbackTest, LargeBodiesCrossBothWaysAtOnceOnOneKeptConnection) {
  Run({}, EchoBody, [&](Endpoint endpoint) -> io::Task<void> {
    Client client(loop_, network_, {.address = endpoint});
    std::string body(4 << 20, 'x');
    for (size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + i % 26);
    for (int round = 0; round < 3; ++round) {
      Sent sent = co_await client.Send(
          {.method = "PUT", .host = "a", .body = {Kind::kContentLength, body.size()}});
      io::Scope scope(loop_);
      auto upload = [&]() -> io::Task<void> {
        EXPECT_TRUE(co_await sent->Finish(AsBytes(body), {}));
      };
      scope.Spawn(upload());
      EXPECT_EQ(co_await ReadResponse(*sent), "200 " + body);
      co_await scope.Join();
    }
    EXPECT_EQ(client.open_connections(), 1u);
  });
}

TEST_F(LoopbackTest, TlsCarriesTheSame) {
  auto server_tls = io::TlsContext::ForServer(Certificate()).value();
  io::TlsOptions options = Certificate();
  options.peer = io::PeerCertificate::kRequired;
  auto client_tls = io::TlsContext::ForClient(options).value();
  auto handler = [](Exchange& exchange) -> io::Task<void> {
    EXPECT_TRUE(exchange.secure());
    co_await EchoBody(exchange);
  };
  Run({.tls = server_tls}, handler, [&](Endpoint endpoint) -> io::Task<void> {
    Client client(loop_, network_,
                  {.address = endpoint, .tls = client_tls, .tls_name = "server.test"});
    std::string body(500'000, 'x');
    for (int round = 0; round < 3; ++round) {
      Sent sent = co_await client.Send({.method = "PUT",
                                        .host = "a",
                                        .body = {Kind::kContentLength, body.size()},
                                        .content = AsBytes(body)});
      EXPECT_TRUE(sent);
      EXPECT_EQ(sent->reused(), round > 0);
      EXPECT_EQ(co_await ReadResponse(*sent), "200 " + body);
    }
  });
}

TEST_F(LoopbackTest, SilentTcpConnectionsToATlsPortKeptVisitorsOut) {
  auto server_tls = io::TlsContext::ForServer(Certificate()).value();
  io::TlsOptions options = Certificate();
  options.peer = io::PeerCertificate::kRequired;
  auto client_tls = io::TlsContext::ForClient(options).value();
  Metrics metrics;
  ServerMetrics counted(metrics, "test");
  ServerLimits limits;
  limits.max_connections = 8;
  Run({.limits = limits, .tls = server_tls, .metrics = &counted}, EchoBody,
      [&](Endpoint endpoint) -> io::Task<void> {
        const Upstream to{.address = endpoint, .tls = client_tls, .tls_name = "server.test"};
        Client before(loop_, network_, to);
        {
          Sent first = co_await before.Send({.host = "a"});
          EXPECT_TRUE(first);
          EXPECT_EQ(co_await ReadResponse(*first), "200 ");
        }

        std::vector<std::unique_ptr<io::Stream>> silent;
        auto connect = [&]() -> io::Task<void> {
          silent.push_back((co_await network_.Connect(endpoint, {})).value());
        };
        io::Scope burst(loop_);
        for (int i = 0; i < 40; ++i) burst.Spawn(connect());
        co_await burst.Join();
        Client after(loop_, network_, to);
        Sent late = co_await after.Send({.host = "a"});
        EXPECT_TRUE(late);
        if (late) EXPECT_EQ(co_await ReadResponse(*late), "200 ");
        // The idle visitor was not displaced.
        Sent again = co_await before.Send({.host = "a"});
        EXPECT_TRUE(again);
        EXPECT_TRUE(again->reused());
        EXPECT_EQ(co_await ReadResponse(*again), "200 ");
        uint8_t byte = 0;
        EXPECT_EQ((co_await silent[0]->Read({&byte, 1})).value_or(1), 0U);
        EXPECT_NE(MetricsText(metrics).find(
                      "test_connections_evicted_total{waiting_for=\"handshake\"} 34\n"),
                  std::string::npos)
            << MetricsText(metrics);
      });
}

TEST_F(LoopbackTest, AnswerIsNotLostToAResetWhileTheClientIsStillSending) {
  auto refuse = [](Exchange& exchange) -> io::Task<void> {
    (void)co_await RespondText(exchange, 413, "no");
  };
  Run({}, refuse, [&](Endpoint endpoint) -> io::Task<void> {
    auto stream = (co_await network_.Connect(endpoint, {})).value();
    RawPeer peer(*stream);
    EXPECT_TRUE(co_await peer.Send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n"));
    EXPECT_TRUE(co_await peer.Send(std::string(400'000, 'x')));
    std::string answer = co_await peer.ReadToEnd();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 413") && answer.ends_with("no")) << answer;
  });
}

TEST_F(LoopbackTest, HandlerWhoseClientIsLostIsCancelled) {
  Errc ended{};
  auto handler = [&](Exchange&) -> io::Task<void> {
    Result<void> slept = co_await io::Sleep(seconds{100});
    if (!slept) ended = slept.error().code;
  };
  Run({}, handler, [&](Endpoint endpoint) -> io::Task<void> {
    auto stream = (co_await network_.Connect(endpoint, {})).value();
    EXPECT_TRUE(co_await RawPeer(*stream).Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    (void)co_await io::Sleep(std::chrono::milliseconds{20});
    stream->Abort();
  });
  EXPECT_EQ(ended, Errc::kCancelled);
}

TEST_F(LoopbackTest, PostWentToAPooledConnectionThatHadEndedBeforeAnyEvent) {
  auto run = [&]() -> io::Task<void> {
    auto listener = network_.Listen(kAnyPort, {}).value();
    Client client(loop_, network_, {.address = listener->local()});
    auto answer_one = [&](std::unique_ptr<io::Stream>& stream) -> io::Task<void> {
      stream = (co_await listener->Accept()).value();
      RawPeer peer(*stream);
      (void)co_await peer.ReadHead();
      (void)co_await peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    };
    auto talk = [&](Request request) -> io::Task<std::string> {
      Sent sent = co_await client.Send(request);
      co_return sent ? co_await ReadResponse(*sent) : "not sent";
    };
    std::unique_ptr<io::Stream> first;
    std::unique_ptr<io::Stream> second;
    io::Scope server(loop_);
    server.Spawn(answer_one(first));
    EXPECT_EQ(co_await talk({.host = "a"}), "200 ok");
    server.Spawn(answer_one(second));
    first->Close();
    EXPECT_EQ(co_await talk({.method = "POST", .host = "a"}), "200 ok");
    server.Cancel();
    co_await server.Join();
  };
  loop_.RunToEnd(run());
}

TEST_F(LoopbackTest, UnfinishedAnswerIsSeenAsAReset) {
  auto handler = [](Exchange& exchange) -> io::Task<void> {
    (void)exchange.Start({.content_length = 9});
    (void)co_await exchange.Write(AsBytes("ok"));
  };
  Run({}, handler, [&](Endpoint endpoint) -> io::Task<void> {
    Client client(loop_, network_, {.address = endpoint});
    Sent sent = co_await client.Send({.host = "a"});
    std::string response = co_await ReadResponse(*sent);
    EXPECT_TRUE(response.ends_with("!reset")) << response;
  });
}

TEST_F(LoopbackTest, ManyClientsAtOnceAreServedWhileTheServerDrains) {
  constexpr int kClients = 50;
  int answered = 0;
  auto handler = [](Exchange& exchange) -> io::Task<void> {
    (void)co_await io::Sleep(std::chrono::milliseconds{20});
    (void)co_await exchange.Respond({}, AsBytes("ok"));
  };
  Server server(loop_, {}, handler);
  auto listener = network_.Listen(kAnyPort, {}).value();
  Client client(loop_, network_, {.address = listener->local()});
  server.Serve(std::move(listener));
  auto fetch = [&]() -> io::Task<void> {
    Sent sent = co_await client.Send({.host = "a"});
    if (sent && co_await ReadResponse(*sent) == "200 ok") ++answered;
  };
  auto run = [&]() -> io::Task<void> {
    io::Scope scope(loop_);
    for (int i = 0; i < kClients; ++i) scope.Spawn(fetch());
    while (server.open_connections() < kClients) {
      (void)co_await io::Sleep(std::chrono::milliseconds{1});
    }
    co_await server.Drain(loop_.After(seconds{10}));
    co_await scope.Join();
  };
  loop_.RunToEnd(run());
  EXPECT_EQ(answered, kClients);
  EXPECT_EQ(client.open_connections(), 0u);
}

}  // namespace
}  // namespace meridian::http
