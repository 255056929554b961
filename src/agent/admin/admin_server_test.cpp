#include "agent/admin/admin_server.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/agent.hpp"
#include "agent/agent_world.hpp"
#include "agent/host/host_metrics.hpp"
#include "agent/host/host_reading.hpp"
#include "agent/limits.hpp"
#include "agent/purges/purges.hpp"
#include "base/bytes.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "io/blocking.hpp"
#include "io/file/system_disk.hpp"
#include "io/net/socket.hpp"
#include "io/task.hpp"
#include "site/secret.hpp"
#include "site/trust/bearer.hpp"
#include "site/trust/ca.hpp"

namespace meridian::agent {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

const std::string kToken(64, 'a');

class AdminServerTest : public testing::Test, public AgentWorld {
 protected:
  using Wire = std::unique_ptr<io::Stream>;

  struct Caller {
    std::shared_ptr<io::TlsContext> tls = nullptr;  // null: plain HTTP
    std::string token = "";
  };

  // Runs `test` together with an admin server of us-east.
  template <class Test>
  void Run(Test test) {
    auto main = [&]() -> io::Task<void> {
      AdminServer server(context_, agent_, purges_, host_, site::Secret(kToken),
                         ServerTls("us-east"));
      EXPECT_TRUE(server.Start());
      co_await test();
      co_await server.Stop();
      co_await host_.Stop();
    };
    loop_.RunToEnd(main());
  }

  io::Task<int> Status(Caller caller, std::string method, std::string path) {
    http::Client client(
        loop_, network_,
        {.address = At(), .tls = caller.tls, .tls_name = site::PeerName("us-east", site_)});
    std::string authorization = "Bearer " + caller.token;
    wire::http::HeaderFields fields;
    if (!caller.token.empty()) fields.Add("Authorization", authorization);
    http::Request request{.method = method, .path = path, .host = "agent", .fields = fields};
    auto answer = co_await http::Fetch(client, request, size_t{1} << 20, loop_.After(seconds(5)));
    co_return answer ? answer->status : 0;
  }

  // Of GET, from loopback, with these fields.
  io::Task<int> StatusWith(std::vector<wire::http::HeaderField> fields, std::string path) {
    http::Client client(loop_, network_, {.address = At()});
    http::Request request{
        .path = path, .host = "agent", .fields = std::span<const wire::http::HeaderField>(fields)};
    auto answer = co_await http::Fetch(client, request, size_t{1} << 20, loop_.After(seconds(5)));
    co_return answer ? answer->status : 0;
  }

  Endpoint At() const { return {site_.datacenters[0].address, site_.ports.admin}; }

  // `count` connections that have sent only `said`.
  io::Task<std::vector<Wire>> Silent(size_t count, std::string said) {
    std::vector<Wire> all;
    for (size_t i = 0; i < count; ++i) {
      auto wire = co_await network_.Connect(At(), {});
      EXPECT_TRUE(wire);
      if (!said.empty()) EXPECT_TRUE(co_await (*wire)->Write(AsBytes(said)));
      all.push_back(std::move(*wire));
    }
    co_return all;
  }

  Context context_ = MakeContext();
  Agent agent_{context_, {.answer_ttl = seconds(5), .roles = {}, .peer_tls = nullptr}};
  io::BlockingPool pool_;
  io::SystemDisk disk_{pool_};
  Purges purges_{context_, disk_, agent_.metrics()};
  HostMetrics host_{
      loop_,
      pool_,
      agent_.metrics(),
      {.subjects = [] { return std::vector<ProcessSubject>(); },
       .read = [](const auto&) { return HostReading{.load = Load{.minutes_1 = 2.5}}; }}};
};

TEST_F(AdminServerTest, OperatorsShowTheTokenPlainOrByTls) {
  Run([&]() -> io::Task<void> {
    auto anonymous = io::TlsContext::ForClient({.authorities_path = ca_.authority,
                                                .peer = io::PeerCertificate::kRequired})
                         .value();
    for (const auto& tls : {std::shared_ptr<io::TlsContext>(), anonymous}) {
      EXPECT_EQ(co_await Status({tls, kToken}, "GET", "/.meridian/status"), 200);
      EXPECT_EQ(co_await Status({tls, ""}, "GET", "/.meridian/status"), 401);
      EXPECT_EQ(co_await Status({tls, kToken + "a"}, "GET", "/.meridian/view"), 401);
    }
    EXPECT_EQ(co_await Status({nullptr, kToken}, "GET", "/metrics"), 200);
    EXPECT_EQ(co_await Status({nullptr, kToken}, "GET", "/nothing"), 404);
  });
}

TEST_F(AdminServerTest, AnotherDataCenterSeesTheViewAndNothingElse) {
  Run([&]() -> io::Task<void> {
    auto west = ClientTls("us-west");
    EXPECT_EQ(co_await Status({west, ""}, "GET", "/.meridian/view"), 200);
    EXPECT_EQ(co_await Status({west, ""}, "GET", "/.meridian/status"), 401);
    EXPECT_EQ(co_await Status({west, ""}, "GET", "/.meridian/cdn"), 401);
    EXPECT_EQ(co_await Status({west, ""}, "POST", "/.meridian/drain"), 401);
  });
}

TEST_F(AdminServerTest, PrometheusReadsMetricsAndNothingElse) {
  const std::string password(64, 'b');
  context_.metrics_password = site::Secret(password);
  Run([&]() -> io::Task<void> {
    EXPECT_EQ(co_await Status({nullptr, password}, "GET", "/metrics"), 200);
    EXPECT_EQ(co_await Status({nullptr, password}, "GET", "/.meridian/peer-aggregates"), 404);
    EXPECT_EQ(co_await Status({nullptr, password}, "GET", "/.meridian/metrics/none"), 404);
    for (const char* path : {"/.meridian/status", "/.meridian/view", "/.meridian/aggregates",
                             "/.meridian/tier/edge/x", "/prometheus/", "/alertmanager/"}) {
      EXPECT_EQ(co_await Status({nullptr, password}, "GET", path), 401) << path;
    }
    for (const char* path : {"/metrics", "/.meridian/drain", "/.meridian/purge"}) {
      EXPECT_EQ(co_await Status({nullptr, password}, "POST", path), 401) << path;
    }
    EXPECT_EQ(co_await Status({nullptr, ""}, "GET", "/metrics"), 401);
  });
}

TEST_F(AdminServerTest, AnotherDataCenterReadsTheAggregates) {
  Run([&]() -> io::Task<void> {
    // There is no Prometheus here.
    EXPECT_EQ(co_await Status({ClientTls("us-west"), ""}, "GET", "/.meridian/aggregates"), 503);
    EXPECT_EQ(co_await Status({ClientTls("us-west"), ""}, "GET", "/metrics"), 401);
    EXPECT_EQ(co_await Status({ClientTls("us-west"), ""}, "GET", "/prometheus/"), 401);
    EXPECT_EQ(co_await Status({nullptr, ""}, "GET", "/.meridian/aggregates"), 401);
  });
}

TEST_F(AdminServerTest, PeopleSignInAtTheEnginesWithTheTokenAsPassword) {
  Run([&]() -> io::Task<void> {
    const std::string basic = site::BasicOf("anne", site::Secret(kToken));
    const std::string wrong = site::BasicOf("anne", site::Secret("b" + kToken.substr(1)));
    for (const char* path : {"/prometheus", "/prometheus/graph", "/alertmanager/"}) {
      EXPECT_EQ(co_await StatusWith({{"Authorization", basic}}, path), 503) << path;
      EXPECT_EQ(co_await Status({nullptr, kToken}, "GET", path), 503) << path;
      EXPECT_EQ(co_await StatusWith({{"Authorization", wrong}}, path), 401) << path;
      EXPECT_EQ(co_await StatusWith({}, path), 401) << path;
      EXPECT_EQ(
          co_await StatusWith({{"Authorization", basic}, {"Origin", "https://evil.example"}}, path),
          403)
          << path;
    }
    // A browser sends the password everywhere at this port.
    for (const char* path : {"/.meridian/status", "/metrics", "/prometheusx"}) {
      EXPECT_EQ(co_await StatusWith({{"Authorization", basic}}, path), 401) << path;
    }
  });
}

TEST_F(AdminServerTest, WhatDoesNotServeYetCannotBeDrained) {
  Run([&]() -> io::Task<void> {
    EXPECT_EQ(co_await Status({nullptr, kToken}, "POST", "/.meridian/drain"), 409);
  });
}

TEST_F(AdminServerTest, SilentConnectionsDoNotLockTheOperatorOut) {
  Run([&]() -> io::Task<void> {
    std::vector<Wire> silent = co_await Silent(kMaxAdminConnections + 1, "");
    EXPECT_EQ(co_await Status({nullptr, kToken}, "GET", "/.meridian/status"), 200);
    // The connection that was silent for the longest time was evicted.
    uint8_t byte = 0;
    Result<size_t> got = co_await silent.front()->Read({&byte, 1}, loop_.After(seconds(5)));
    EXPECT_TRUE(!got || *got == 0);
  });
}

TEST_F(AdminServerTest, HalfHeadsDoNotLockTheOperatorOut) {
  Run([&]() -> io::Task<void> {
    std::vector<Wire> silent = co_await Silent(kMaxAdminConnections + 1, "GET / HT");
    EXPECT_EQ(co_await Status({nullptr, kToken}, "GET", "/.meridian/status"), 200);
  });
}

TEST_F(AdminServerTest, HalfARequestWithoutTokenIsRefusedAndClosedBeforeItsBody) {
  Run([&]() -> io::Task<void> {
    auto half = co_await Silent(1,
                                "POST /.meridian/drain HTTP/1.1\r\nHost: a\r\n"
                                "Content-Length: 60000\r\n\r\nhalf");
    std::string said;
    std::array<uint8_t, 4096> piece{};
    for (;;) {
      Result<size_t> got = co_await half.front()->Read(piece, loop_.After(seconds(5)));
      EXPECT_TRUE(got) << "the connection stays open";
      if (!got || *got == 0) break;
      said += AsText({piece.data(), *got});
    }
    EXPECT_THAT(said, testing::StartsWith("HTTP/1.1 401 "));
    EXPECT_THAT(said, HasSubstr("Connection: close"));
  });
}

TEST_F(AdminServerTest, ADataCenterThatIsNotInTheFileIsRefusedThoughTheAuthoritySignedIt) {
  site::Site larger = site_;
  larger.datacenters.push_back({.name = "mars", .address = IpAddress::V4(127, 0, 0, 3)});
  ca_ =
      site::EnsureCa(state_, larger, {"us-east", "us-west", "mars"}, SystemClock().Wall()).value();
  Run([&]() -> io::Task<void> {
    EXPECT_EQ(co_await Status({ClientTls("us-west"), ""}, "GET", "/.meridian/view"), 200);
    EXPECT_EQ(co_await Status({ClientTls("mars"), kToken}, "GET", "/.meridian/view"), 0);
  });
}

TEST_F(AdminServerTest, AnAdminPortInUseIsNamedWithWhatToDo) {
  auto taken = network_.Listen(At(), {}).value();
  AdminServer server(context_, agent_, purges_, host_, site::Secret(kToken), ServerTls("us-east"));
  Result<void> started = server.Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::kExists);
  EXPECT_THAT(started.error().message, HasSubstr("[admin]"));
}

}  // namespace
}  // namespace meridian::agent
