#include "dns/server.hpp"

#include <array>
#include <csignal>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns/photos_site.hpp"
#include "io/wait_queue.hpp"
#include "site/tier/control.hpp"

namespace meridian::dns {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Endpoint kAnyPort{IpAddress::V4(127, 0, 0, 1), 0};

// A dns tier as an agent runs it: inherited sockets, and a control stream to the test. No edge
// listens, but probes need three seconds to detect that.
class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    site_.name = "photos";
    site_.domain = "photos.example";
    for (uint8_t i = 1; i <= 2; ++i) {
      site_.datacenters.push_back({.name = i == 1 ? "us-east" : "us-west",
                                   .address = IpAddress::V4(127, 0, 0, i),
                                   .public_addresses = {IpAddress::V4(127, 0, 0, i)},
                                   .location = {40, -70.0 * i}});
    }
    site_.ports.edge = 1;
    site_.sections.Put(config_);
  }

  site::TierStart Start() {
    io::Fd udp = io::OpenDatagramSocket(kAnyPort, false).value();
    at_ = io::LocalEndpoint(udp.get());
    io::Fd tcp = io::OpenListeningSocket(kAnyPort, {}).value();
    tcp_at_ = io::LocalEndpoint(tcp.get());
    io::Fd ops = io::OpenListeningSocket(kAnyPort, {}).value();
    std::array<int, 2> control{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, control.data()), 0);
    control_ = io::Fd(control[0]);
    return {.tier = "dns",
            .data_center = "us-east",
            .control_fd = control[1],
            .sockets = {{"udp", udp.Release()}, {"tcp", tcp.Release()}, {"ops", ops.Release()}}};
  }

  // Runs the tier together with `client`, which must end it. Returns the exit status.
  template <class ClientFunction>
  int RunWith(ClientFunction client) {
    site::TierProcess process(site_, Start());
    process_ = &process;
    Server server(process);
    process.scope().Spawn(client());
    return process.Run({.start = [&] { return server.Start(); },
                        .on_view = [&] { server.OnView(); },
                        .drain = [&](Duration /*grace*/) { return server.Drain(); }});
  }

  void SendView(uint64_t number, site::DataCenterState west) {
    site::SiteView view{.number = number};
    for (const site::DataCenter& data_center : site_.datacenters) {
      view.datacenters.push_back({.name = data_center.name,
                                  .address = data_center.address,
                                  .location = data_center.location,
                                  .weight = 100,
                                  .state = site::DataCenterState::kServing});
    }
    view.datacenters[1].state = west;
    std::string line = site::EncodeView(view).value();
    EXPECT_EQ(write(control_.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
  }

  // The current addresses of the site's name.
  io::Task<std::vector<IpAddress>> Addresses() {
    auto socket = process_->network().Bind(kAnyPort).value();
    EXPECT_TRUE(socket->Send(MessageOf({.name = "photos.example"}), at_));
    std::vector<uint8_t> answer(wire::dns::kMaxUdpResponseBytes);
    auto got = co_await socket->Receive(answer, process_->loop().After(seconds{10}));
    std::vector<IpAddress> addresses;
    if (!got) co_return addresses;
    Result<wire::dns::Response> response =
        wire::dns::DecodeResponse(Bytes(answer).first(got->bytes));
    for (const auto& record : response->answers)
      addresses.push_back(std::get<IpAddress>(record.data));
    co_return addresses;
  }

  // Waits until the site's name has only `address`.
  io::Task<void> Await(IpAddress address) {
    TimePoint deadline = process_->loop().After(seconds{20});
    while (co_await Addresses() != std::vector{address}) {
      EXPECT_LT(process_->loop().Now(), deadline) << address.ToString();
      if (process_->loop().Now() > deadline || !co_await io::Sleep(milliseconds{5})) co_return;
    }
  }

  site::Site site_;
  Config config_;
  Endpoint at_;
  Endpoint tcp_at_;
  io::Fd control_;
  site::TierProcess* process_ = nullptr;
};

TEST_F(ServerTest, ObeysTheNewestViewAndDrainsOnSigterm) {
  config_.map.by_prefix = {{*IpPrefix::Parse("127.0.0.0/8"), 1}};
  config_.mode = SteeringMode::kMapped;
  site_.sections.Put(config_);
  auto client = [&]() -> io::Task<void> {
    SendView(1, site::DataCenterState::kServing);
    co_await Await(IpAddress::V4(127, 0, 0, 2));
    SendView(2, site::DataCenterState::kDraining);
    co_await Await(IpAddress::V4(127, 0, 0, 1));
    SendView(3, site::DataCenterState::kServing);
    co_await Await(IpAddress::V4(127, 0, 0, 2));
    kill(getpid(), SIGTERM);
  };
  EXPECT_EQ(RunWith(client), 0);
}

TEST_F(ServerTest, AnswersNobodyBeforeItsFirstProbesAreBack) {
  // No edge of us-west listens.
  io::Fd edge = io::OpenListeningSocket(kAnyPort, {}).value();
  site_.ports.edge = io::LocalEndpoint(edge.get()).port;
  auto client = [&]() -> io::Task<void> {
    SendView(1, site::DataCenterState::kServing);
    auto listener = process_->network().AdoptListener(std::move(edge));
    auto socket = process_->network().Bind(kAnyPort).value();
    EXPECT_TRUE(socket->Send(MessageOf({.name = "photos.example"}), at_));
    auto probe = co_await listener->Accept();
    std::vector<uint8_t> bytes(wire::dns::kMaxUdpResponseBytes);
    Result<size_t> asked = co_await (*probe)->Read(bytes);
    EXPECT_TRUE(asked && *asked > 0);
    auto early = co_await socket->Receive(bytes, process_->loop().Now());
    EXPECT_FALSE(early) << "answered before the probe";
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    EXPECT_TRUE(co_await (*probe)->Write(AsBytes(kAnswer)));
    auto got = co_await socket->Receive(bytes, process_->loop().After(seconds{10}));
    EXPECT_TRUE(got);
    kill(getpid(), SIGTERM);
  };
  EXPECT_EQ(RunWith(client), 0);
}

TEST_F(ServerTest, AnswersOverTcpToo) {
  auto client = [&]() -> io::Task<void> {
    auto stream = co_await process_->network().Connect(tcp_at_, {});
    std::vector<uint8_t> query = MessageOf({.name = "us-west.photos.example"});
    query.insert(query.begin(), {0, static_cast<uint8_t>(query.size())});
    EXPECT_TRUE(co_await (*stream)->Write(query));
    std::array<uint8_t, 512> answer{};
    Result<size_t> got = co_await (*stream)->Read(answer, process_->loop().After(seconds{10}));
    EXPECT_TRUE(got && *got > wire::dns::kHeaderBytes);
    kill(getpid(), SIGTERM);
  };
  EXPECT_EQ(RunWith(client), 0);
}

TEST_F(ServerTest, GeoDatabaseThatIsMissingEndsTheProcess) {
  config_.geo_database = "/nowhere/city.mmdb";
  site_.sections.Put(config_);
  auto nothing = []() -> io::Task<void> { co_return; };
  EXPECT_EQ(RunWith(nothing), 1);
}

}  // namespace
}  // namespace meridian::dns
