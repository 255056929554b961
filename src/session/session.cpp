#include "session/session.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/ip.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "session/access.hpp"
#include "session/config.hpp"
#include "session/disk_journal.hpp"
#include "session/engine.hpp"
#include "session/journal.hpp"
#include "session/limits.hpp"
#include "session/server.hpp"
#include "site/site.hpp"
#include "site/tier_process.hpp"

namespace meridian::session {
namespace {

// The data center's place in the site's file.
uint8_t OriginOf(const site::TierProcess& process) {
  const auto& all = process.site().datacenters;
  size_t place = 0;
  while (all[place].name != process.here().name) ++place;
  return static_cast<uint8_t>(place);
}

}  // namespace

Session::Session(site::TierProcess& process)
    : process_(process), clock_(process.driver(), kMostClockSkew), metrics_(process.metrics()) {}

Session::~Session() = default;

std::string Session::Folder() const {
  return process_.start().state_directory / ("session-" + process_.here().name);
}

io::Task<Result<void>> Session::OpenJournal() {
  Result<void> parent = co_await disk_.MakeFolder(process_.start().state_directory);
  if (!parent) co_return parent;
  auto opened = co_await DiskJournal::Open(process_.loop(), disk_, clock_, Folder());
  if (!opened) co_return Fail(std::move(opened.error()));
  disk_journal_ = std::move(*opened);
  co_return Result<void>{};
}

io::Task<Result<void>> Session::Start() {
  Result<void> opened = co_await Open();
  if (!opened) co_await Drain();
  co_return opened;
}

io::Task<Result<void>> Session::Open() {
  const auto& config = process_.site().sections.Get<Config>();
  Result<Passwords> passwords = ReadPasswords(process_.site(), process_.start().state_directory);
  if (!passwords) co_return Fail(std::move(passwords.error()));
  bool durable = config.durability == Durability::kDisk;
  if (durable) {
    Result<void> opened = co_await OpenJournal();
    if (!opened) co_return opened;
  }
  Journal& journal = durable ? static_cast<Journal&>(*disk_journal_) : memory_journal_;
  EngineOptions options;
  options.keyspace = {.origin = OriginOf(process_),
                      .seed = EntropySeed(),
                      .cache_prefix = config.cache_prefix,
                      .records = journal.wants_records()};
  options.passwords = std::move(*passwords);
  options.max_memory_bytes = config.max_memory_bytes;
  options.max_clients = config.max_clients;
  options.durable = durable;
  options.port = process_.site().ports.session;
  engine_ = std::make_unique<Engine>(Engine::Parts{process_.driver(), clock_, journal},
                                     std::move(options));
  if (durable) {
    Result<void> replayed = co_await disk_journal_->Replay(engine_->keyspace());
    if (!replayed) co_return replayed;
    disk_journal_->StartSnapshots(engine_->keyspace());
  }
  auto listener =
      process_.Listen("redis", Endpoint{process_.here().address, process_.site().ports.session});
  if (!listener) co_return Fail(std::move(listener.error()));
  server_ = std::make_unique<Server>(process_.loop(), *engine_, &metrics_);
  server_->Serve(std::move(*listener));
  co_return Result<void>{};
}

io::Task<void> Session::Drain() {
  if (server_) co_await server_->Drain();
  if (disk_journal_) co_await disk_journal_->Close();
}

int Run(const site::Site& site, site::TierStart start) {
  site::TierProcess process(site, std::move(start));
  Session session(process);
  return process.Run({.public_port = site.ports.session,
                      .start = [&] { return session.Start(); },
                      .drain = [&](Duration /*grace*/) { return session.Drain(); }});
}

}  // namespace meridian::session
