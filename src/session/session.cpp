#include "session/session.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/ip.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "session/config.hpp"
#include "session/engine.hpp"
#include "session/journal.hpp"
#include "session/limits.hpp"
#include "session/server.hpp"
#include "site/site.hpp"
#include "site/tier_process.hpp"

namespace meridian::session {
namespace {

using Passwords = std::map<std::string, std::string, std::less<>>;

Result<Passwords> ReadPasswords(const Config& config) {
  Passwords passwords;
  for (const auto& [user, variable] : config.password_variables) {
    const char* password = std::getenv(variable.c_str());  // NOLINT: no other thread yet
    if (password == nullptr || *password == '\0') {
      return Fail(Errc::kInvalid,
                  "the environment variable {} with the password of \"{}\" is not set", variable,
                  user);
    }
    passwords[user] = password;
  }
  return passwords;
}

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

io::Task<Result<void>> Session::Start() {
  const auto& config = process_.site().sections.Get<Config>();
  Result<Passwords> passwords = ReadPasswords(config);
  if (!passwords) co_return Fail(std::move(passwords.error()));
  journal_ = std::make_unique<MemoryJournal>();
  EngineOptions options;
  options.keyspace = {.origin = OriginOf(process_),
                      .seed = EntropySeed(),
                      .cache_prefix = config.cache_prefix,
                      .records = journal_->wants_records()};
  options.passwords = std::move(*passwords);
  options.max_memory_bytes = config.max_memory_bytes;
  options.max_clients = config.max_clients;
  options.durable = config.durability == Durability::kDisk;
  options.port = process_.site().ports.session;
  engine_ = std::make_unique<Engine>(Engine::Parts{process_.driver(), clock_, *journal_},
                                     std::move(options));
  auto listener =
      process_.Listen("redis", Endpoint{process_.here().address, process_.site().ports.session});
  if (!listener) co_return Fail(std::move(listener.error()));
  server_ = std::make_unique<Server>(process_.loop(), *engine_, &metrics_);
  server_->Serve(std::move(*listener));
  co_return Result<void>{};
}

io::Task<void> Session::Drain() {
  if (server_) co_await server_->Drain();
}

int Run(const site::Site& site, site::TierStart start) {
  site::TierProcess process(site, std::move(start));
  Session session(process);
  return process.Run({.public_port = site.ports.session,
                      .start = [&] { return session.Start(); },
                      .drain = [&](Duration /*grace*/) { return session.Drain(); }});
}

}  // namespace meridian::session
