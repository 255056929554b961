#include "session/session.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "io/descriptors.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "session/access.hpp"
#include "session/config.hpp"
#include "session/engine/engine.hpp"
#include "session/inspection.hpp"
#include "session/limits.hpp"
#include "session/replication/disk_journal.hpp"
#include "session/replication/peer_problem.hpp"
#include "session/replication/replication.hpp"
#include "session/replication/snapshot_metadata.hpp"
#include "session/server.hpp"
#include "site/ports.hpp"
#include "site/site.hpp"
#include "site/tier/peer_listener.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"

namespace meridian::session {
namespace {

// The data centers that have sessions, by replica id: in the order of site.toml.
std::vector<std::string> SessionDataCenters(const site::Site& site) {
  std::vector<std::string> names;
  for (const site::DataCenter& each : site.datacenters) {
    if (!each.edge_only) names.push_back(each.name);
  }
  return names;
}

}  // namespace

Session::Session(site::TierProcess& process)
    : process_(process),
      replicas_(SessionDataCenters(process.site())),
      here_(static_cast<size_t>(std::ranges::find(replicas_, process.here().name) -
                                replicas_.begin())),
      clock_(process.driver(), kMaxPeerClockSkew),
      metrics_(process.metrics()) {}

Session::~Session() = default;

io::Task<Result<void>> Session::Start() {
  Result<void> opened = co_await Open();
  if (!opened) co_await Drain();
  co_return opened;
}

EngineOptions Session::MakeEngineOptions(Passwords passwords) const {
  const auto& config = process_.site().sections.Get<Config>();
  EngineOptions options;
  options.durable = config.durability == Durability::kDisk;
  options.keyspace = {.replica_id = static_cast<uint8_t>(here_),
                      .seed = EntropySeed(),
                      .cache_prefix = config.cache_prefix,
                      .journaled = options.durable};
  options.passwords = std::move(passwords);
  options.max_memory_bytes = config.max_memory_bytes;
  options.max_clients = io::FittingConnections("session", config.max_clients, 1);
  options.port = process_.site().ports.session;
  return options;
}

io::Task<Result<void>> Session::Open() {
  Result<Passwords> passwords = ReadPasswords(process_.site(), process_.start().state_directory);
  if (!passwords) co_return Fail(std::move(passwords.error()));
  EngineOptions options = MakeEngineOptions(std::move(*passwords));
  bool durable = options.durable;
  if (durable) {
    Result<void> opened = co_await OpenDisk(std::move(options));
    if (!opened) co_return opened;
  } else {
    engine_ = std::make_unique<Engine>(Engine::Parts{process_.driver(), clock_, memory_journal_},
                                       std::move(options));
  }
  auto listener =
      process_.Listen("redis", Endpoint{process_.HostAddress(), process_.site().ports.session});
  if (!listener) co_return Fail(std::move(listener.error()));
  server_ = std::make_unique<Server>(process_.loop(), *engine_, &metrics_);
  server_->Serve(std::move(*listener));
  process_.scope().Spawn(ReportStatus());
  co_return Result<void>{};
}

io::Task<void> Session::ReportStatus() {
  do {
    process_.SetDetail(StatusText());
  } while (co_await io::Sleep(kStatusInterval));
}

std::string Session::StatusText() const {
  if (!journal_) {
    return replicas_.size() > 1
               ? "durability is \"memory\": other data centers do not see these sessions"
               : "";
  }
  std::string text;
  if (std::string refusal = journal_->refusal(); !refusal.empty()) {
    text = fmt::format("writes are refused: {}; free space on the disk of {}", refusal,
                       process_.start().state_directory.string());
  }
  if (const std::string& problem = journal_->snapshot_problem(); !problem.empty()) {
    text +=
        fmt::format("{}the log grows: {}; free space on the disk of {}", text.empty() ? "" : "; ",
                    problem, process_.start().state_directory.string());
  }
  for (const Replication::Peer& peer : replication_->Peers()) {
    std::string problem;
    if (!peer.connected) {
      problem = fmt::format("does not follow the sessions of {}", peer.name);
      if (!peer.problem.reason.empty()) problem += ": " + PeerProblemText(peer.problem);
    } else if (peer.behind > kFarBehind) {
      problem =
          fmt::format("is {:.0f} s behind the sessions of {}", Seconds(peer.behind), peer.name);
      if (!peer.problem.reason.empty()) problem += ": " + PeerProblemText(peer.problem);
    }
    if (!problem.empty()) text += (text.empty() ? "" : "; ") + problem;
    if (!peer.refused.reason.empty()) {
      text += fmt::format("{}is not followed by {}: {}", text.empty() ? "" : "; ", peer.name,
                          PeerProblemText(peer.refused));
    }
  }
  return text;
}

// Recovers this data center's own writes, then the copies of the others' logs; then follows those.
io::Task<Result<void>> Session::OpenDisk(EngineOptions options) {
  const auto& state = process_.start().state_directory;
  Result<void> parent = co_await disk_.MakeFolder(state);
  if (!parent) co_return parent;
  std::string folder = state / ("session-" + process_.here().name);
  auto journal = co_await DiskJournal::Open(process_.loop(), disk_, clock_,
                                            {.folder = folder, .log_id = EntropySeed()});
  if (!journal) co_return Fail(std::move(journal.error()));
  journal_ = std::move(*journal);
  engine_ = std::make_unique<Engine>(Engine::Parts{process_.driver(), clock_, *journal_},
                                     std::move(options));
  Result<void> replicated = co_await OpenReplication(std::move(folder));
  if (!replicated) co_return replicated;
  journal_->StartSnapshots(
      {.begin = [this] { return replication_->BeginSnapshot(); },
       .end = [this](const SnapshotMetadata* written) { replication_->EndSnapshot(written); }});
  replication_->Start(&process_.metrics());
  co_await replication_->AwaitContact([this] { return process_.stopping(); });
  co_return Result<void>{};
}

io::Task<Result<void>> Session::OpenReplication(std::string folder) {
  Replication::Options options{.site = process_.site().name,
                               .data_centers = replicas_,
                               .here = here_,
                               .folder = std::move(folder),
                               .seed = EntropySeed()};
  if (replicas_.size() > 1) {
    auto port = site::PeerListener::Open(process_, process_.site().ports.session);
    if (!port) co_return Fail(std::move(port.error()));
    peer_listener_ = std::move(*port);
    options.dial = [this](const std::string& name) { return peer_listener_->DialOf(name); };
  }
  auto replication = co_await Replication::Open(
      {process_.loop(), disk_, clock_, *journal_, engine_->keyspace()}, std::move(options));
  if (!replication) co_return Fail(std::move(replication.error()));
  replication_ = std::move(*replication);
  engine_->set_acknowledgements(replication_.get());
  Result<void> replayed = co_await replication_->Replay();
  if (!replayed || !peer_listener_) co_return replayed;
  peer_listener_->Start(
      [this](std::unique_ptr<io::Stream> stream, std::function<bool(std::string_view)> allowed) {
        return replication_->Serve(std::move(stream), std::move(allowed));
      });
  co_return Result<void>{};
}

io::Task<void> Session::Drain() {
  if (server_) co_await server_->Drain();
  if (peer_listener_) co_await peer_listener_->Close();
  if (replication_) co_await replication_->Close();
  if (journal_) co_await journal_->Close();
}

io::Task<void> Session::Inspect(http::Exchange& exchange) {
  engine_->BeginBatch();  // keys that have expired by now are not shown
  Inspection inspection(engine_->keyspace(), replication_.get());
  co_await inspection.Answer(exchange);
}

namespace {

int Run(const site::Site& site, site::TierStart start) {
  site::TierProcess process(site, std::move(start));
  Session session(process);
  return process.Run(
      {.public_port = site.ports.session,
       .start = [&] { return session.Start(); },
       .drain = [&](Duration /*grace*/) { return session.Drain(); },
       .inspect = [&](http::Exchange& exchange) { return session.Inspect(exchange); }});
}

}  // namespace

site::TierDescription Describe() {
  using site::Audience;
  return {
      .name = "session",
      .summary = "The session tier of a data center, by itself",
      .ports = {{.port = &site::Ports::session}},
      .sockets = {{.name = "redis", .port = &site::Ports::session},
                  {.name = "peer", .port = &site::Ports::session, .audience = Audience::kPeers}},
      .serves_application = true,
      .external_schemes = {"redis", "rediss"},
      .section = ConfigSection(),
      .run = &Run};
}

}  // namespace meridian::session
