#include "dns/server.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "dns/config.hpp"
#include "dns/data_centers.hpp"
#include "dns/geo/country.hpp"
#include "dns/health/prober.hpp"
#include "dns/limits.hpp"
#include "dns/published.hpp"
#include "dns/snapshot.hpp"
#include "dns/steering.hpp"
#include "dns/tcp_server.hpp"
#include "io/descriptors.hpp"
#include "io/fd.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/ports.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"

namespace meridian::dns {
namespace {

constexpr Duration kSpillInterval = std::chrono::seconds{1};

std::vector<std::string> NamesOf(const site::Site& site) {
  std::vector<std::string> names;
  names.reserve(site.datacenters.size());
  for (const site::DataCenter& data_center : site.datacenters) names.push_back(data_center.name);
  return names;
}

Duration AnswerTtl(const site::TierProcess& process) {
  Duration unless_given = process.start().hosting == site::Hosting::kLab ? kLabTtl : kDefaultTtl;
  return process.site().sections.Get<Config>().ttl.value_or(unless_given);
}

ProberOptions ProberOptionsOf(const site::TierProcess& process) {
  return {.host = process.site().domain, .from = process.here().address};
}

}  // namespace

struct Server::SiteMetrics {
  SiteMetrics(Metrics& metrics, const site::Site& site) {
    for (const std::string& name : NamesOf(site)) {
      serving.push_back(&metrics.AddGauge("meridian_dns_datacenter_serving",
                                          "1 while the data center is in the answers.",
                                          {{"datacenter", name}}));
    }
    for (const std::string& name : NamesOf(site)) {
      kept.push_back(&metrics.AddGauge("meridian_dns_kept_ratio",
                                       "Share of its clients that a data center keeps; below 1 it "
                                       "is above its capacity.",
                                       {{"datacenter", name}}));
    }
  }
  void Set(const std::vector<DataCenterCandidate>& candidates) {
    for (size_t i = 0; i < candidates.size(); ++i) {
      serving[i]->Set(candidates[i].serving ? 1 : 0);
      kept[i]->Set(candidates[i].kept_share);
    }
  }

  std::vector<Gauge*> serving;
  std::vector<Gauge*> kept;
};

Server::Server(site::TierProcess& process, std::filesystem::path country_database)
    : process_(process),
      country_database_(std::move(country_database)),
      data_centers_(process.site(), AnswerTtl(process)),
      answer_metrics_(process.metrics(), NamesOf(process.site())),
      tcp_metrics_(process.metrics()),
      site_metrics_(std::make_unique<SiteMetrics>(process.metrics(), process.site())),
      prober_(process.loop(), process.network(), process.metrics(), ProberOptionsOf(process)) {}

Server::~Server() {
  for (auto& server : udp_) server->RequestStop();
}

io::Task<Result<void>> Server::Start() {
  const site::Site& site = process_.site();
  Result<FixedParts> parts =
      FixedParts::Make(site, site.sections.Get<Config>(), AnswerTtl(process_), country_database_);
  if (!parts) co_return Fail(parts.error());
  Result<std::vector<io::Fd>> udp = process_.OpenDatagramsForVisitors(
      "udp", site.ports.dns, site::TierThreads(site, process_.start()));
  if (!udp) co_return Fail(udp.error());
  auto tcp = process_.ListenForVisitors("tcp", site.ports.dns);
  if (!tcp) co_return Fail(tcp.error());

  parts_ = *std::move(parts);
  StartProbes();
  co_await AwaitFirstProbes();
  snapshots_ =
      std::make_unique<Published<Snapshot>>(udp->size(), data_centers_.MakeSnapshot(parts_));
  site_metrics_->Set(data_centers_.candidates());
  TcpOptions options;
  options.max_connections = io::FittingConnections("dns over TCP", options.max_connections, 1);
  for (auto& listener : *tcp) {
    tcp_.push_back(std::make_unique<TcpServer>(
        TcpServer::Parts{process_.loop(), *snapshots_, answer_metrics_, tcp_metrics_},
        std::move(listener), options));
    process_.scope().Spawn(tcp_.back()->Run());
  }
  StartUdp(*std::move(udp));
  process_.scope().Spawn(KeepSpilling());
  co_return Result<void>{};
}

void Server::StartUdp(std::vector<io::Fd> sockets) {
  for (size_t i = 0; i < sockets.size(); ++i) {
    udp_metrics_.push_back(
        std::make_unique<AnswerMetrics>(process_.metrics().AddPart(), NamesOf(process_.site())));
    udp_.push_back(
        std::make_unique<UdpServer>(std::move(sockets[i]), *snapshots_, i, *udp_metrics_.back()));
  }
}

void Server::StartProbes() {
  std::vector<ProbeTarget> targets;
  for (const site::DataCenter& data_center : process_.site().datacenters) {
    targets.push_back({data_center.name,
                       Endpoint{process_.EdgeAddressOf(data_center), process_.site().ports.edge}});
  }
  auto on_result = [this](size_t data_center, bool hit) {
    data_centers_.OnProbe(data_center, hit);
    probed_.WakeAll();
    PublishChange();
  };
  prober_.Start(targets, on_result, process_.scope());
}

// Queries wait in the sockets meanwhile.
io::Task<void> Server::AwaitFirstProbes() {
  TimePoint deadline = process_.loop().After(kFirstProbesTimeout);
  while (!data_centers_.AllProbed() && co_await probed_.Wait(deadline)) {
  }
  data_centers_.DecideByFirstProbes();
}

void Server::OnView() {
  data_centers_.OnView(*process_.view());
  PublishChange();
}

io::Task<void> Server::KeepSpilling() {
  while (co_await io::Sleep(kSpillInterval)) {
    data_centers_.Spill(process_.loop().Now());
    PublishChange();
  }
}

void Server::PublishChange() {
  if (snapshots_ == nullptr || !data_centers_.TakeChange()) return;
  snapshots_->Publish(data_centers_.MakeSnapshot(parts_));
  site_metrics_->Set(data_centers_.candidates());
  for (const DataCenterCandidate& candidate : data_centers_.candidates()) {
    LOG_INFO("answering with", {"datacenter", candidate.name}, {"serving", candidate.serving},
             {"kept", candidate.kept_share}, {"weight", candidate.weight});
  }
}

std::string Server::HungThread() {
  const TimePoint now = process_.loop().Now();
  udp_seen_.resize(udp_.size());
  for (size_t i = 0; i < udp_.size(); ++i) {
    Seen& seen = udp_seen_[i];
    const uint64_t rounds = udp_[i]->rounds();
    if (rounds != seen.rounds || seen.at == TimePoint{}) seen = {.rounds = rounds, .at = now};
    if (now - seen.at > kMaxUdpSilence) return fmt::format("the UDP thread {}", i + 1);
  }
  return "";
}

io::Task<void> Server::Drain() {
  for (auto& server : udp_) server->RequestStop();
  udp_.clear();
  for (auto& tcp : tcp_) tcp->Stop();
  co_return;
}

namespace {

int Run(const site::Site& site, site::TierStart start) {
  site::TierProcess process(site, std::move(start));
  Server server(process, CountryDatabasePath());
  return process.Run({.public_port = site.ports.dns,
                      .start = [&] { return server.Start(); },
                      .on_view = [&] { server.OnView(); },
                      .drain = [&](Duration /*grace*/) { return server.Drain(); },
                      .hung_thread = [&] { return server.HungThread(); }});
}

}  // namespace

site::TierDescription Describe() {
  using site::Audience;
  return {.name = "dns",
          .summary = "The dns tier of a data center, by itself",
          .ports = {{.port = &site::Ports::dns}},
          .sockets = {{.name = "udp",
                       .port = &site::Ports::dns,
                       .audience = Audience::kVisitors,
                       .kind = site::SocketKind::kDatagram},
                      {.name = "tcp", .port = &site::Ports::dns, .audience = Audience::kVisitors}},
          .in_edge_places = true,
          .has_threads = true,
          .section = ConfigSection(),
          .run = &Run};
}

}  // namespace meridian::dns
