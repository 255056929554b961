// For tests: the photos site on the loopback interface, with test name servers and edges that can
// refuse connections, be silent, or send bad answers. Uses free addresses and ports, so that tests
// can run in parallel.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "dns/photos_site.hpp"
#include "http/server/server.hpp"
#include "io/net/socket.hpp"
#include "visit/dns.hpp"
#include "visit/visitor.hpp"

namespace meridian::visit {

using Messages = std::vector<std::vector<uint8_t>>;

// The behavior of a test server.
enum class ServerBehavior : uint8_t {
  kServing,
  kSilent,  // accepts connections and datagrams, but never reads them
  kAbsent,  // nothing listens
};

// One data center.
struct World {
  ServerBehavior dns = ServerBehavior::kServing;
  ServerBehavior edge = ServerBehavior::kServing;
  http::Server::Handler handler;
  std::shared_ptr<io::TlsContext> tls;  // the edge's; if set, the edge serves HTTPS only
  // The datagrams to send for a query. Unset: the response of the site's own server.
  std::function<Messages(Bytes query)> answer_udp;
  std::function<std::vector<uint8_t>(Bytes query)> answer_tcp;
  int questions = 0;
  int requests = 0;

  std::unique_ptr<io::Datagrams> datagrams;
  std::unique_ptr<io::Listener> tcp;
  std::unique_ptr<io::Listener> listener;
  std::unique_ptr<http::Server> server;
};

// The options of a visit.
struct VisitPlan {
  std::string url = "http://photos.example/";
  std::string from = "new-york";
  bool fallback = true;
  VisitLimits limits = {};
  std::shared_ptr<io::TlsContext> tls = nullptr;
};

class VisitWorld {
 public:
  VisitWorld() {
    ChoosePorts();
    for (site::DataCenter& dc : site.datacenters) {
      std::string name = dc.name;
      World& world = WorldOf(name);
      world.handler = [name, &world](http::Exchange& exchange) -> io::Task<void> {
        ++world.requests;
        std::string path = fmt::format("edge={0} datacenter={0} instance={0}-1", name);
        wire::http::HeaderFields fields;
        fields.Add("Meridian-Path", path);
        (void)co_await exchange.Respond({.fields = fields}, AsBytes("hello"));
      };
    }
  }

  // Runs the coroutine `use()` with servers as `east` and `west` are configured now.
  template <class Use>
  void Run(Use use) {
    auto run = [&]() -> io::Task<void> {
      io::Scope servers(loop);
      Start(east, site.datacenters[0].address, servers);
      Start(west, site.datacenters[1].address, servers);
      co_await use();
      servers.Cancel();
      co_await servers.Join();
      for (World* world : {&east, &west}) {
        if (world->server) co_await world->server->Drain(loop.Now());
        world->server.reset();
        world->listener.reset();
        world->tcp.reset();
        world->datagrams.reset();
      }
    };
    loop.RunToEnd(run());
  }

  // Makes visits one after the other, all with one resolver.
  std::vector<Visit> Go(const VisitPlan& plan, int times = 1) {
    std::vector<Visit> visits;
    Run([&]() -> io::Task<void> {
      DnsClient dns(loop, network, DnsOptions(plan));
      Visitor visitor({loop, network, dns, site}, Options(plan));
      for (int i = 0; i < times; ++i) visits.push_back(co_await visitor.Go(driver.Now()));
    });
    return visits;
  }
  Visit GoOnce(const VisitPlan& plan) { return Go(plan).front(); }

  DnsClientOptions DnsOptions(const VisitPlan& plan) const {
    DnsClientOptions options{.servers = {},
                             .subnet = ParseOrigin(plan.from, dns::PhotosPlaces()).value().subnet,
                             .limits = plan.limits};
    for (const site::DataCenter& dc : site.datacenters) {
      options.servers.push_back({dc.name, {dc.address, site.ports.dns}});
    }
    return options;
  }
  VisitorOptions Options(const VisitPlan& plan) const {
    return {.target = ParseTarget(plan.url, site).value(),
            .fallback = plan.fallback,
            .tls = plan.tls,
            .limits = plan.limits};
  }

  // The response of the site's own name server, with `ttl_seconds`.
  std::vector<uint8_t> Respond(Bytes query, dns::Transport transport,
                               uint32_t ttl_seconds = 30) const {
    dns::PhotosOptions options;
    options.zone.data_centers.clear();
    options.zone.https_port = site.ports.edge_https;
    options.zone.ttl_seconds = ttl_seconds;
    for (const site::DataCenter& dc : site.datacenters) {
      options.zone.data_centers.push_back({dc.name, dc.public_addresses});
    }
    return dns::RespondTo(dns::Photos(options), {query, site.datacenters[0].address, transport})
        .second;
  }

  io::EpollDriver driver;
  io::Loop loop{driver};
  io::SystemNetwork network{driver};
  site::Site site{.name = "photos", .domain = "photos.example"};
  World east;
  World west;

 private:
  World& WorldOf(const std::string& name) { return name == "us-east" ? east : west; }

  void ChoosePorts() {
    auto pid = static_cast<unsigned>(getpid());
    for (uint8_t i = 1; i <= 2; ++i) {
      IpAddress address = IpAddress::V4(127, static_cast<uint8_t>(100 + pid % 100),
                                        static_cast<uint8_t>(pid / 100 % 250), i);
      site.datacenters.push_back({.name = i == 1 ? "us-east" : "us-west",
                                  .address = address,
                                  .public_addresses = {address}});
    }
    // A port that is free at one of this process's own addresses is free at both.
    Endpoint any{site.datacenters[0].address, 0};
    auto edge = network.Listen(any, {}).value();
    auto edge_https = network.Listen(any, {}).value();
    auto dns = network.Listen(any, {}).value();
    site.ports.edge = edge->local().port;
    site.ports.edge_https = edge_https->local().port;
    site.ports.dns = dns->local().port;
  }

  void Start(World& world, const IpAddress& address, io::Scope& servers) {
    Endpoint dns{address, site.ports.dns};
    if (world.dns != ServerBehavior::kAbsent) {
      world.datagrams = network.Bind(dns).value();
      world.tcp = network.Listen(dns, {}).value();
    }
    if (world.dns == ServerBehavior::kServing) {
      servers.Spawn(ServeUdp(world));
      servers.Spawn(ServeTcp(world));
    }
    if (world.edge == ServerBehavior::kAbsent) return;
    uint16_t port = world.tls ? site.ports.edge_https : site.ports.edge;
    world.listener = network.Listen({address, port}, {}).value();
    if (world.edge == ServerBehavior::kSilent) return;
    world.server =
        std::make_unique<http::Server>(loop, http::ServerOptions{.tls = world.tls}, world.handler);
    world.server->Serve(std::move(world.listener));
  }

  io::Task<void> ServeUdp(World& world) {
    std::array<uint8_t, wire::dns::kMinUdpResponseBytes> space{};
    for (;;) {
      auto got = co_await world.datagrams->Receive(space);
      if (!got) co_return;
      ++world.questions;
      Bytes query = std::span(space).first(got->bytes);
      Messages answers;
      if (world.answer_udp) {
        answers = world.answer_udp(query);
      } else {
        answers.push_back(Respond(query, dns::Transport::kUdp));
      }
      for (const auto& answer : answers) EXPECT_TRUE(world.datagrams->Send(answer, got->from));
    }
  }

  // Answers one query per connection.
  io::Task<void> ServeTcp(World& world) {
    for (;;) {
      auto stream = co_await world.tcp->Accept();
      if (!stream) co_return;
      std::array<uint8_t, wire::dns::kMinUdpResponseBytes> space{};
      Result<size_t> got = co_await (*stream)->Read(space);
      if (!got || *got < 2) continue;
      Bytes query = std::span(space).first(*got).subspan(2);
      std::vector<uint8_t> answer =
          world.answer_tcp ? world.answer_tcp(query) : Respond(query, dns::Transport::kTcp);
      std::array<uint8_t, 2> length{static_cast<uint8_t>(answer.size() >> 8),
                                    static_cast<uint8_t>(answer.size())};
      (void)co_await (*stream)->Write({Bytes(length), Bytes(answer)});
    }
  }
};

}  // namespace meridian::visit
