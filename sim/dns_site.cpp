#include "sim/dns_site.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/geography.hpp"
#include "base/ip.hpp"
#include "base/metrics.hpp"
#include "dns/config.hpp"
#include "dns/data_centers.hpp"
#include "dns/health/prober.hpp"
#include "dns/limits.hpp"
#include "dns/responder.hpp"
#include "dns/snapshot.hpp"
#include "http/exchange.hpp"
#include "http/server/server.hpp"
#include "io/scope.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/site.hpp"
#include "site/view/view.hpp"
#include "wire/dns/limits.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/name.hpp"
#include "wire/dns/query.hpp"
#include "wire/dns/response.hpp"

namespace meridian::sim {
namespace {

constexpr Duration kAskInterval = std::chrono::seconds{1};
constexpr uint8_t kClients = 3;
constexpr uint16_t kEdgePort = 8080;

IpAddress EdgeAddress(size_t index) {
  return IpAddress::V4(10, static_cast<uint8_t>(index + 1), 0, 1);
}
IpAddress DnsAddress(size_t index) {
  return IpAddress::V4(10, static_cast<uint8_t>(index + 1), 0, 2);
}

site::Site MakeSite(size_t data_centers) {
  static const std::array<Location, 3> kLocations = {
      Location{39.04, -77.49}, {37.34, -121.89}, {50.11, 8.68}};
  site::Site site;
  site.name = site.domain = "photos.example";
  for (size_t i = 0; i < data_centers; ++i) {
    site.datacenters.push_back({.name = fmt::format("dc-{}", i),
                                .address = EdgeAddress(i),
                                .public_addresses = {EdgeAddress(i)},
                                .location = kLocations[i]});
  }
  return site;
}

site::SiteView ViewOf(const site::Site& site) {
  site::SiteView view;
  for (const site::DataCenter& data_center : site.datacenters) {
    view.datacenters.push_back({.name = data_center.name,
                                .address = data_center.address,
                                .location = data_center.location,
                                .weight = data_center.weight,
                                .state = site::DataCenterState::kServing});
  }
  return view;
}

std::vector<uint8_t> AddressQuery(const std::string& domain) {
  wire::dns::Query query{
      .id = 1,
      .question = wire::dns::Question{*wire::dns::Name::Parse(domain), wire::dns::RecordType::kA,
                                      wire::dns::RecordClass::kIn}};
  std::vector<uint8_t> message(wire::dns::kMinUdpResponseBytes);
  message.resize(wire::dns::EncodeQuery(query, message));
  return message;
}

}  // namespace

io::Task<void> DnsServer::Run(io::sim::Machine& machine) {
  process_ = &machine.process;
  dns::DataCenters data_centers(site_, dns::kLabTtl);
  struct Running {
    DnsServer& server;
    ~Running() { server.data_centers_ = nullptr; }
  } running{*this};
  data_centers_ = &data_centers;
  served_.assign(site_.datacenters.size(), true);
  if (view_ != nullptr) data_centers.OnView(*view_);

  Metrics metrics;
  dns::Prober prober(machine.loop, machine.network, metrics, {.host = site_.domain, .from = {}});
  io::Scope fibers(machine.loop);
  std::vector<dns::ProbeTarget> targets;
  for (const site::DataCenter& data_center : site_.datacenters) {
    targets.push_back({data_center.name, {data_center.address, kEdgePort}});
  }
  auto on_result = [this](size_t data_center, bool hit) {
    world_.Record(process_->name(), hit ? "hit" : "miss", data_center);
    data_centers_->OnProbe(data_center, hit);
    NoteChange();
  };
  prober.Start(targets, on_result, fibers);
  fibers.Spawn(AnswerNowAndThen());
  co_await fibers.Join();
}

void DnsServer::OnView(std::shared_ptr<const site::SiteView> view) {
  view_ = std::move(view);
  if (data_centers_ == nullptr) return;
  data_centers_->OnView(*view_);
  NoteChange();
}

void DnsServer::NoteChange() {
  for (size_t i = 0; i < served_.size(); ++i) {
    if (served_[i] == serving(i)) continue;
    served_[i] = serving(i);
    ++changes_[i];
    world_.Record(process_->name(), serving(i) ? "answers with" : "leaves out", i);
  }
}

io::Task<void> DnsServer::AnswerNowAndThen() {
  std::unique_ptr<const dns::Snapshot> snapshot = data_centers_->MakeSnapshot(parts_);
  do {
    if (data_centers_->TakeChange()) snapshot = data_centers_->MakeSnapshot(parts_);
    for (uint8_t client = 0; client < kClients; ++client) CheckAnswer(*snapshot, client);
  } while (co_await io::Sleep(kAskInterval));
}

void DnsServer::CheckAnswer(const dns::Snapshot& snapshot, uint8_t client) {
  static const std::vector<uint8_t> kQuery = AddressQuery(site_.domain);
  std::array<uint8_t, wire::dns::kMaxUdpResponseBytes> out{};
  dns::Reply reply = dns::Respond(
      snapshot, {.message = kQuery, .source = IpAddress::V4(203, 0, 113, client)}, out);
  auto response = wire::dns::DecodeResponse(Bytes(out).first(reply.bytes));
  if (reply.kind != dns::ReplyKind::kAnswer || !response || response->answers.empty()) {
    world_.Fail(fmt::format("{} gave an empty answer", process_->name()));
    return;
  }
  bool any = false;
  for (size_t i = 0; i < served_.size(); ++i) any |= serving(i);
  if (any && reply.steered_to && !serving(*reply.steered_to)) {
    world_.Fail(fmt::format("{} sent a visitor to {}, which it knows to be out", process_->name(),
                            site_.datacenters[*reply.steered_to].name));
  }
}

DnsSite::DnsSite(io::sim::World& world)
    : world_(world), site_(MakeSite(2 + world.random().Below(2))), view_(ViewOf(site_)) {
  auto parts = dns::FixedParts::Make(site_, dns::Config(), dns::kLabTtl);
  CHECK(parts);
  parts_ = *std::move(parts);
  data_centers_.resize(site_.datacenters.size());
  for (size_t i = 0; i < size(); ++i) {
    DataCenter& here = data_centers_[i];
    here.server = std::make_unique<DnsServer>(site_, *parts_, world);
    here.edge =
        &world.AddProcess({.name = fmt::format("edge-{}", i), .address = EdgeAddress(i)},
                          [this, i](io::sim::Machine& machine) { return RunEdge(machine, i); });
    here.dns = &world.AddProcess(
        {.name = fmt::format("dns-{}", i),
         .address = DnsAddress(i),
         .drift_ppm = static_cast<int64_t>(world.random().Below(401)) - 200},
        [&server = *here.server](io::sim::Machine& machine) { return server.Run(machine); });
  }
  for (size_t i = 0; i < size(); ++i) {
    for (size_t j = 0; j < size(); ++j) {
      auto latency = std::chrono::milliseconds{i == j ? 1 : 5 + world.random().Below(80)};
      to_edge(i, j) = from_edge(i, j) = {.latency = latency, .jitter = latency / 5};
    }
  }
}

io::Task<void> DnsSite::RunEdge(io::sim::Machine& machine, size_t index) {
  auto answer = [this, index](http::Exchange& exchange) -> io::Task<void> {
    bool ready = data_centers_[index].ready && !data_centers_[index].drained;
    (void)co_await http::RespondText(exchange, ready ? 200 : 503, "\n");
  };
  http::Server server(machine.loop, {}, answer);
  auto listener = machine.network.Listen({{}, kEdgePort}, {});
  CHECK(listener);
  server.Serve(std::move(*listener));
  io::WaitQueue nobody;
  (void)co_await nobody.Wait();
  co_await server.Drain(machine.loop.Now());
}

io::sim::Link& DnsSite::to_edge(size_t dns, size_t edge) {
  return world_.fabric().link(data_centers_[dns].dns->host(), data_centers_[edge].edge->host());
}

io::sim::Link& DnsSite::from_edge(size_t dns, size_t edge) {
  return world_.fabric().link(data_centers_[edge].edge->host(), data_centers_[dns].dns->host());
}

void DnsSite::SetDrained(size_t data_center, bool drained) {
  data_centers_[data_center].drained = drained;
  view_.datacenters[data_center].state =
      drained ? site::DataCenterState::kDraining : site::DataCenterState::kServing;
  ++view_.number;
  auto view = std::make_shared<const site::SiteView>(view_);
  for (DataCenter& each : data_centers_) each.server->OnView(view);
}

bool DnsSite::MustServe(size_t dns, size_t edge) {
  const DataCenter& there = data_centers_[edge];
  return there.edge->running() && there.ready && !there.drained && !to_edge(dns, edge).cut &&
         !from_edge(dns, edge).cut;
}

}  // namespace meridian::sim
