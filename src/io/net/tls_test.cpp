#include "io/net/tls.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "base/scratch_dir.hpp"
#include "io/blocking.hpp"
#include "io/file/system_disk.hpp"
#include "io/loop.hpp"
#include "io/net/handshakes.hpp"
#include "io/net/socket.hpp"

namespace meridian::io {
namespace {

// A throwaway authority "ca", and "leaf" for server.test and 127.0.0.1 signed by it; made by
// openssl once.
const std::string& CertificateDirectory() {
  static const ScratchDir scratch;
  static const std::string directory = [] {
    std::string script = "cd " + scratch.path().string() +
                         " && exec 2>/dev/null"
                         " && for n in ca other; do openssl req -x509 -newkey ec -pkeyopt"
                         " ec_paramgen_curve:P-256 -nodes -subj /CN=$n -keyout $n.key -out $n.pem"
                         " -days 2; done"
                         " && for n in leaf next; do"
                         " openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
                         " -subj /CN=$n -keyout $n.key -out $n.csr;"
                         " test $n = leaf && name=server.test || name=next.test;"
                         " echo subjectAltName=DNS:$name,IP:127.0.0.1 >ext;"
                         " openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key"
                         " -CAcreateserial -extfile ext -days 2 -out $n.pem; done";
    CHECK(std::system(script.c_str()) == 0);  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
    return scratch.path().string() + "/";
  }();
  return directory;
}

TlsOptions Leaf(PeerCertificate peer) {
  const std::string& directory = CertificateDirectory();
  return {.certificate_path = directory + "leaf.pem",
          .key_path = directory + "leaf.key",
          .authorities_path = directory + "ca.pem",
          .peer = peer};
}

TlsOptions Anonymous(const std::string& authority) {
  return {.certificate_path = "",
          .key_path = "",
          .authorities_path = CertificateDirectory() + authority + ".pem",
          .peer = PeerCertificate::kRequired};
}

class TlsTest : public testing::Test {
 protected:
  struct Outcome {
    Result<std::unique_ptr<TlsConnection>> client;
    Result<std::unique_ptr<TlsConnection>> server;
  };

  Task<Outcome> Shake(TlsOptions client_options, TlsOptions server_options, std::string name) {
    return ShakeWith(TlsContext::ForClient(client_options).value(),
                     TlsContext::ForServer(server_options).value(), name);
  }

  Task<Outcome> ShakeWith(std::shared_ptr<TlsContext> client_context,
                          std::shared_ptr<TlsContext> server_context, std::string name) {
    auto listener = network_.Listen({IpAddress::V4(127, 0, 0, 1), 0}, {}).value();
    auto client = (co_await network_.Connect(listener->local(), {})).value();
    auto server = (co_await listener->Accept()).value();
    Outcome outcome{Fail(Errc::kIo, ""), Fail(Errc::kIo, "")};
    Scope scope(loop_);
    TimePoint deadline = loop_.After(std::chrono::seconds(10));
    auto accept = [&]() -> Task<void> {
      outcome.server = co_await TlsAccept(server_context, std::move(server), deadline);
      // A refused client may get the error only after its own handshake.
      if (!outcome.server) co_return;
      (void)co_await (*outcome.server)->Write(AsBytes("hello"));
    };
    scope.Spawn(accept());
    outcome.client = co_await TlsConnect(client_context, std::move(client), name, deadline);
    co_await scope.Join();
    co_return outcome;
  }

  EpollDriver driver_;
  Loop loop_{driver_};
  SystemNetwork network_{driver_};
};

Task<std::string> ReadToEnd(Stream& stream) {
  std::string all;
  std::vector<uint8_t> space(100'000);
  for (;;) {
    Result<size_t> got = co_await stream.Read(space);
    if (!got) co_return all + "!" + std::string(ErrcName(got.error().code));
    if (*got == 0) co_return all;
    all += AsText({space.data(), *got});
  }
}

TEST_F(TlsTest, LargeDataCrossesBothWaysAndEndsInGoodOrder) {
  auto run = [&]() -> Task<void> {
    auto [client, server] =
        co_await Shake(Anonymous("ca"), Leaf(PeerCertificate::kIgnored), "server.test");
    std::string large(3 << 20, 'q');
    Scope scope(loop_);
    auto send = [&]() -> Task<void> {
      EXPECT_TRUE(co_await client.value()->Write({AsBytes("<"), AsBytes(large), AsBytes(">")}));
      client.value()->ShutdownWrite();
    };
    scope.Spawn(send());
    EXPECT_EQ(co_await ReadToEnd(*server.value()), "<" + large + ">");
    co_await scope.Join();
    server.value()->Close();
    EXPECT_EQ(co_await ReadToEnd(*client.value()), "hello");
  };
  loop_.RunToEnd(run());
}

TEST_F(TlsTest, FileIsSentThroughTls) {
  auto run = [&]() -> Task<void> {
    BlockingPool pool;
    SystemDisk disk(pool);
    ScratchDir scratch;
    std::string large(1 << 20, 'x');
    auto file = (co_await disk.Open(scratch / "sent", OpenMode::kCreate)).value();
    EXPECT_TRUE(co_await file->WriteAt(0, AsBytes(large)));
    Outcome outcome =
        co_await Shake(Anonymous("ca"), Leaf(PeerCertificate::kIgnored), "server.test");
    Stream& server = **outcome.server;
    Scope scope(loop_);
    auto send = [&]() -> Task<void> {
      Stream::Corked corked(server);
      EXPECT_TRUE(co_await server.SendFile(*file, {.offset = 0, .bytes = large.size()}));
      server.ShutdownWrite();
    };
    scope.Spawn(send());
    std::string all;
    std::vector<uint8_t> space(64 << 10);
    for (;;) {
      Result<size_t> got = co_await (*outcome.client)->Read(space);
      if (!got || *got == 0) break;
      all += AsText(Bytes(space).first(*got));
    }
    EXPECT_TRUE(all == "hello" + large);
    co_await scope.Join();
  };
  loop_.RunToEnd(run());
}

TEST_F(TlsTest, TheOldestHandshakeIsEvictedAndALaterOneEndsWell) {
  auto run = [&]() -> Task<void> {
    auto context = TlsContext::ForServer(Leaf(PeerCertificate::kIgnored)).value();
    auto listener = network_.Listen({IpAddress::V4(127, 0, 0, 1), 0}, {}).value();
    Handshakes handshakes;
    EXPECT_FALSE(handshakes.EvictOldest());
    std::vector<std::unique_ptr<Stream>> clients;
    std::vector<Errc> evicted;
    size_t secured = 0;
    auto accept = [&](std::unique_ptr<Stream> stream) -> Task<void> {
      auto tls = co_await handshakes.Accept(context, std::move(stream), kNever);
      if (tls) ++secured;
      if (!tls) evicted.push_back(tls.error().code);
    };
    Scope scope(loop_);
    for (int i = 0; i < 3; ++i) {
      clients.push_back((co_await network_.Connect(listener->local(), {})).value());
      scope.Spawn(accept((co_await listener->Accept()).value()));
    }
    while (handshakes.size() != 3) EXPECT_TRUE(co_await Sleep(std::chrono::milliseconds{1}));

    EXPECT_TRUE(handshakes.EvictOldest());
    EXPECT_EQ(handshakes.size(), 2u);
    EXPECT_EQ(co_await ReadToEnd(*clients[0]), "");
    EXPECT_EQ(evicted, std::vector<Errc>{Errc::kCancelled});

    auto client = TlsContext::ForClient(Anonymous("ca")).value();
    auto shaken = co_await TlsConnect(client, std::move(clients[2]), "server.test", kNever);
    EXPECT_TRUE(shaken.has_value());
    while (secured == 0) EXPECT_TRUE(co_await Sleep(std::chrono::milliseconds{1}));
    EXPECT_EQ(handshakes.size(), 1u);

    EXPECT_TRUE(handshakes.EvictOldest());
    EXPECT_FALSE(handshakes.EvictOldest());
    EXPECT_EQ(co_await ReadToEnd(*clients[1]), "");
    co_await scope.Join();
    EXPECT_EQ(evicted.size(), 2u);
  };
  loop_.RunToEnd(run());
}

TEST_F(TlsTest, AConnectionIsEvictedBeforeItsFiberRuns) {
  auto run = [&]() -> Task<void> {
    auto context = TlsContext::ForServer(Leaf(PeerCertificate::kIgnored)).value();
    auto listener = network_.Listen({IpAddress::V4(127, 0, 0, 1), 0}, {}).value();
    auto client = (co_await network_.Connect(listener->local(), {})).value();
    auto server = (co_await listener->Accept()).value();
    Handshakes handshakes;
    auto entry = handshakes.Add();
    EXPECT_EQ(handshakes.size(), 1U);
    EXPECT_TRUE(handshakes.EvictOldest());
    EXPECT_EQ(handshakes.size(), 0U);
    auto secured = co_await handshakes.Accept(std::move(entry), context, std::move(server), kNever);
    EXPECT_FALSE(secured);
    EXPECT_EQ(secured.error().code, Errc::kCancelled);
    EXPECT_EQ(co_await ReadToEnd(*client), "");
  };
  loop_.RunToEnd(run());
}

TEST_F(TlsTest, MutualTlsNamesThePeer) {
  auto run = [&]() -> Task<void> {
    auto [client, server] = co_await Shake(Leaf(PeerCertificate::kRequired),
                                           Leaf(PeerCertificate::kRequired), "127.0.0.1");
    EXPECT_EQ(server.value()->peer_names(), std::vector<std::string>{"server.test"});
    EXPECT_EQ(client.value()->peer_names(), std::vector<std::string>{"server.test"});
  };
  loop_.RunToEnd(run());
}

TEST_F(TlsTest, ACertificateThatWasReplacedIsShownByLaterConnections) {
  namespace fs = std::filesystem;
  const std::string& folder = CertificateDirectory();
  auto put = [&](const std::string& name) {
    fs::copy_file(folder + name + ".key", folder + "now.key", fs::copy_options::overwrite_existing);
    fs::copy_file(folder + name + ".pem", folder + "copy.pem");
    fs::rename(folder + "copy.pem", folder + "now.pem");
  };
  put("leaf");
  auto server = TlsContext::ForServer(
                    {.certificate_path = folder + "now.pem", .key_path = folder + "now.key"})
                    .value();
  auto shows = [&](std::string name) {
    auto run = [&]() -> Task<bool> {
      auto client = TlsContext::ForClient(Anonymous("ca")).value();
      auto outcome = co_await ShakeWith(client, server, name);
      co_return outcome.client.has_value();
    };
    return loop_.RunToEnd(run());
  };
  EXPECT_TRUE(shows("server.test"));
  put("next");
  EXPECT_TRUE(shows("server.test"));  // not checked at every handshake
  server->Refresh(loop_.Now() + kCertificateFreshness);
  EXPECT_TRUE(shows("next.test"));
  EXPECT_FALSE(shows("server.test"));
  // Unusable files are not loaded.
  std::ofstream(folder + "copy.pem") << "none";
  fs::rename(folder + "copy.pem", folder + "now.pem");
  server->Refresh(loop_.Now() + 2 * kCertificateFreshness);
  EXPECT_TRUE(shows("next.test"));
}

TEST_F(TlsTest, ServerShowsTheCertificateForTheNameThatIsAskedFor) {
  const std::string& folder = CertificateDirectory();
  auto server = TlsContext::ForServer(Leaf(PeerCertificate::kIgnored)).value();
  server->AddForNames(TlsContext::ForServer({.certificate_path = folder + "next.pem",
                                             .key_path = folder + "next.key"})
                          .value());
  auto run = [&]() -> Task<void> {
    auto client = TlsContext::ForClient(Anonymous("ca")).value();
    for (const char* name : {"next.test", "NEXT.test", "server.test", "127.0.0.1"}) {
      EXPECT_TRUE((co_await ShakeWith(client, server, name)).client) << name;
    }
    EXPECT_FALSE((co_await ShakeWith(client, server, "other.test")).client);
  };
  loop_.RunToEnd(run());
}

TEST_F(TlsTest, ServerWithoutTheRightNameIsRefused) {
  auto run = [&]() -> Task<void> {
    auto [client, server] =
        co_await Shake(Anonymous("ca"), Leaf(PeerCertificate::kIgnored), "other.test");
    EXPECT_FALSE(client);
    EXPECT_NE(client.error().message.find("hostname mismatch"), std::string::npos)
        << client.error().message;
  };
  loop_.RunToEnd(run());
}

TEST_F(TlsTest, ServerOfAnotherAuthorityIsRefused) {
  auto run = [&]() -> Task<void> {
    auto [client, server] =
        co_await Shake(Anonymous("other"), Leaf(PeerCertificate::kIgnored), "server.test");
    EXPECT_EQ(client.error().code, Errc::kPermission);
  };
  loop_.RunToEnd(run());
}

TEST_F(TlsTest, ClientWithoutCertificateIsRefusedWhereOneIsRequired) {
  auto run = [&]() -> Task<void> {
    auto [client, server] =
        co_await Shake(Anonymous("ca"), Leaf(PeerCertificate::kRequired), "server.test");
    EXPECT_EQ(server.error().code, Errc::kInvalid);
  };
  loop_.RunToEnd(run());
}

TEST_F(TlsTest, APeerWhoseNameIsNotAcceptedIsRefusedThoughTheAuthoritySignedIt) {
  auto run = [&]() -> Task<void> {
    TlsOptions options = Leaf(PeerCertificate::kRequired);
    options.accepted_names = {"next.test"};
    auto strict = TlsContext::ForServer(options).value();
    auto client = TlsContext::ForClient(Leaf(PeerCertificate::kRequired)).value();
    auto refused = co_await ShakeWith(client, strict, "server.test");
    EXPECT_EQ(refused.server.error().code, Errc::kInvalid);
    EXPECT_NE(refused.server.error().message.find("server.test"), std::string::npos);
    options.accepted_names.emplace_back("server.test");
    auto admitted =
        co_await ShakeWith(client, TlsContext::ForServer(options).value(), "server.test");
    EXPECT_TRUE(admitted.server);
  };
  loop_.RunToEnd(run());
}

TEST_F(TlsTest, NoSuiteOfCbcIsOffered) {
  auto run = [&]() -> Task<void> {
    auto server = TlsContext::ForServer(Leaf(PeerCertificate::kIgnored)).value();
    for (bool cbc : {true, false}) {
      auto client = TlsContext::ForClient(Anonymous("ca")).value();
      SSL_CTX_set_max_proto_version(client->native(), TLS1_2_VERSION);
      EXPECT_EQ(SSL_CTX_set_cipher_list(
                    client->native(), cbc ? "AES128-SHA:ECDHE+SHA1:ECDHE+SHA256" : "ECDHE+AESGCM"),
                1);
      auto outcome = co_await ShakeWith(client, server, "server.test");
      EXPECT_EQ(outcome.server.has_value(), !cbc);
    }
  };
  loop_.RunToEnd(run());
}

TEST_F(TlsTest, ConnectionCutWithoutCloseNotifyIsNoEnd) {
  auto run = [&]() -> Task<void> {
    auto [client, server] =
        co_await Shake(Anonymous("ca"), Leaf(PeerCertificate::kIgnored), "server.test");
    server.value()->Abort();
    std::string read = co_await ReadToEnd(*client.value());
    EXPECT_TRUE(read.ends_with("!reset")) << read;
  };
  loop_.RunToEnd(run());
}

TEST_F(TlsTest, HandshakeWithASilentPeerEndsAtItsDeadline) {
  auto run = [&]() -> Task<void> {
    auto context = TlsContext::ForClient(Anonymous("ca")).value();
    auto listener = network_.Listen({IpAddress::V4(127, 0, 0, 1), 0}, {}).value();
    auto client = (co_await network_.Connect(listener->local(), {})).value();
    auto shaken = co_await TlsConnect(context, std::move(client), "server.test",
                                      loop_.After(std::chrono::milliseconds(20)));
    EXPECT_EQ(shaken.error().code, Errc::kTimeout);
  };
  loop_.RunToEnd(run());
}

// A client's connection to a server, in memory. Gives the client's session after it.
class MemoryConnection {
 public:
  MemoryConnection(TlsContext& client, TlsContext& server, SSL_SESSION* session)
      : client_(SSL_new(client.native())), server_(SSL_new(server.native())) {
    BIO* client_end = nullptr;
    BIO* server_end = nullptr;
    CHECK(BIO_new_bio_pair(&client_end, 0, &server_end, 0) == 1);
    SSL_set_bio(client_, client_end, client_end);
    SSL_set_bio(server_, server_end, server_end);
    SSL_set_connect_state(client_);
    SSL_set_accept_state(server_);
    if (session != nullptr) SSL_set_session(client_, session);
    while (SSL_do_handshake(client_) != 1 || SSL_do_handshake(server_) != 1) {
      SSL_do_handshake(server_);
    }
    char byte = 'x';  // TLS 1.3: the tickets come before it
    CHECK(SSL_write(server_, &byte, 1) == 1);
    CHECK(SSL_read(client_, &byte, 1) == 1);
  }
  MemoryConnection(const MemoryConnection&) = delete;
  MemoryConnection& operator=(const MemoryConnection&) = delete;
  ~MemoryConnection() {
    SSL_free(client_);
    SSL_free(server_);
  }

  SSL_SESSION* session() const { return SSL_get0_session(client_); }
  bool resumed() const { return SSL_session_reused(client_) == 1; }

 private:
  SSL* client_;
  SSL* server_;
};

TEST(TlsContext, AClientResumesAtAnotherContextWithTheSameTicketKeys) {
  auto client = TlsContext::ForClient(Anonymous("ca")).value();
  auto first = TlsContext::ForServer(Leaf(PeerCertificate::kIgnored)).value();
  auto second = TlsContext::ForServer(Leaf(PeerCertificate::kIgnored)).value();
  MemoryConnection begun(*client, *first, nullptr);
  EXPECT_FALSE(begun.resumed());
  EXPECT_FALSE(MemoryConnection(*client, *second, begun.session()).resumed());
  first->UseTicketKeys(first->TicketKeys());
  second->UseTicketKeys(first->TicketKeys());
  EXPECT_TRUE(MemoryConnection(*client, *second, begun.session()).resumed());
}

TEST(TlsContext, MissingCertificateIsNamed) {
  auto context = TlsContext::ForServer({.certificate_path = "/nonexistent.pem",
                                        .key_path = "",
                                        .authorities_path = "",
                                        .peer = PeerCertificate::kIgnored});
  ASSERT_FALSE(context);
  EXPECT_NE(context.error().message.find("/nonexistent.pem"), std::string::npos);
}

}  // namespace
}  // namespace meridian::io
