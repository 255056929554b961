#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "site/key_description.hpp"
#include "site/limits.hpp"
#include "site/load/load.hpp"
#include "site/load/load_parts.hpp"
#include "site/load/table_reader.hpp"
#include "site/ports.hpp"
#include "site/secret.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"

namespace meridian::site {
namespace {

constexpr std::string_view kShown =
    "The URL of a server elsewhere, or `$NAME` of the environment variable that holds it; "
    "`meridian status` shows it, and nothing else uses it yet.";
constexpr KeyDescription kKeys[] = {
    {.table = "admin", .sentence = "The agent's admin port, which commands and other agents use."},
    {.table = "admin", .key = "port", .sentence = "The admin port."},
    {.table = "sql", .sentence = "A database, which Meridian does not run yet."},
    {.table = "sql",
     .key = "external",
     .sentence = kShown,
     .fallback = "none",
     .limits = "a URL that begins with `postgres://` or `postgresql://`"},
    {.table = "coordinator", .sentence = "An etcd, which Meridian does not run yet."},
    {.table = "coordinator",
     .key = "external",
     .sentence = kShown,
     .fallback = "none",
     .limits = "a URL that begins with `http://` or `https://`"},
};

// A key of site.toml that sets a port.
struct NamedPort {
  std::string_view table;
  std::string_view key;
  uint16_t Ports::* port;
};

// Every public port of the site: the agent's and the tiers'.
std::vector<NamedPort> PortsOf(std::span<const TierDescription> tiers) {
  std::vector<NamedPort> ports = {{"admin", "port", &Ports::admin}};
  for (const TierDescription& tier : tiers) {
    for (const PortKey& key : tier.ports) ports.push_back({tier.name, key.key, key.port});
  }
  return ports;
}

// A port that a public port occupies: itself, its ops port or its peer port.
struct TakenPort {
  int number;
  std::string name;  // "port of [edge]", "ops port of [edge] (8080 + 10000)"
};

std::array<TakenPort, 3> TakenBy(const NamedPort& key, const Ports& ports) {
  uint16_t port = ports.*key.port;
  std::string owner = fmt::format("{} of [{}]", key.key, key.table);
  return {
      {{port, owner},
       {OpsPort(port), fmt::format("ops port of [{}] ({} + {})", key.table, port, kOpsPortOffset)},
       {PeerPort(port),
        fmt::format("peer port of [{}] ({} + {})", key.table, port, kPeerPortOffset)}}};
}

// Records an error at the later of the two in the list, unless only the earlier one is in the file.
void CheckPair(TableReader& root, const NamedPort& earlier, const NamedPort& later,
               const Ports& ports) {
  TableReader earlier_table = root.Table(earlier.table);
  TableReader later_table = root.Table(later.table);
  bool blame_earlier = !later_table.Has(later.key) && earlier_table.Has(earlier.key);
  const NamedPort& blamed = blame_earlier ? earlier : later;
  const NamedPort& other = blame_earlier ? later : earlier;
  for (const TakenPort& mine : TakenBy(blamed, ports)) {
    for (const TakenPort& theirs : TakenBy(other, ports)) {
      if (mine.number != theirs.number) continue;
      TableReader& table = blame_earlier ? earlier_table : later_table;
      table.Reject(
          blamed.key,
          fmt::format("port {} would be the {} and the {}", mine.number, theirs.name, mine.name),
          "choose another");
      return;
    }
  }
}

struct ExternalKey {
  std::string_view table;
  std::vector<std::string_view> schemes;
};

// Tables that may have `external`: of tiers, and of services that this program does not run itself.
std::vector<ExternalKey> ExternalKeysOf(std::span<const TierDescription> tiers) {
  std::vector<ExternalKey> keys = {{"sql", {"postgres", "postgresql"}},
                                   {"coordinator", {"http", "https"}}};
  for (const TierDescription& tier : tiers) {
    if (!tier.external_schemes.empty()) keys.push_back({tier.name, tier.external_schemes});
  }
  return keys;
}

struct UrlParts {
  std::string_view scheme;
  std::string_view hosts;  // one or several "host:port", separated by commas
  bool has_password = false;
};

// Splits scheme://[user[:password]@]hosts[/path][?query]; `hosts` is empty for any other text.
UrlParts Split(std::string_view url) {
  UrlParts parts;
  size_t colon = url.find("://");
  if (colon == std::string_view::npos) return parts;
  parts.scheme = url.substr(0, colon);
  std::string_view rest = url.substr(colon + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  size_t at = rest.rfind('@');
  parts.hosts = at == std::string_view::npos ? rest : rest.substr(at + 1);
  std::string_view user = at == std::string_view::npos ? "" : rest.substr(0, at);
  parts.has_password =
      user.find(':') != std::string_view::npos || url.find("password=") != std::string_view::npos;
  if (parts.hosts.find_first_of(" \t") != std::string_view::npos) parts.hosts = {};
  return parts;
}

// The URL, from the file or the environment variable that it names; empty after an error.
std::string ReadUrl(TableReader& table, const Environment& environment) {
  std::string written = table.Text("external");
  if (!written.starts_with('$')) {
    if (!Split(written).has_password) return written;
    table.Reject("external", "this file is no place for a password",
                 "set the URL in the environment and write \"$NAME\" of the variable here");
    return "";
  }
  std::optional<std::string> url = environment(written.substr(1));
  if (url && !url->empty()) return *url;
  table.Reject("external", fmt::format("the environment variable {} is not set", written.substr(1)),
               "set it to the URL before starting Meridian");
  return "";
}

}  // namespace

std::span<const KeyDescription> PortKeys() { return kKeys; }

Ports ReadPorts(TableReader& root, std::span<const TierDescription> tiers) {
  Ports ports;
  std::vector<NamedPort> keys = PortsOf(tiers);
  for (const NamedPort& key : keys) {
    TableReader table = root.Table(key.table);
    ports.*key.port = table.Port(key.key, ports.*key.port);
  }
  for (size_t later = 1; later < keys.size(); ++later) {
    for (size_t earlier = 0; earlier < later; ++earlier) {
      CheckPair(root, keys[earlier], keys[later], ports);
    }
  }
  return ports;
}

std::map<std::string, uint32_t, std::less<>> ReadThreads(TableReader& root,
                                                         std::span<const TierDescription> tiers) {
  std::map<std::string, uint32_t, std::less<>> threads;
  for (const TierDescription& tier : tiers) {
    TableReader table = root.Table(tier.name);
    if (!tier.has_threads || !table.Has("threads")) continue;
    int64_t count = table.Integer("threads", {.min = 1, .max = kMaxThreads});
    threads.emplace(tier.name, static_cast<uint32_t>(count));
  }
  return threads;
}

std::map<std::string, External, std::less<>> ReadExternals(TableReader& root,
                                                           std::span<const TierDescription> tiers,
                                                           const Environment& environment) {
  std::map<std::string, External, std::less<>> externals;
  for (const ExternalKey& key : ExternalKeysOf(tiers)) {
    TableReader table = root.Table(key.table);
    if (!table.Has("external")) continue;
    std::string url = ReadUrl(table, environment);
    if (url.empty()) continue;
    UrlParts parts = Split(url);
    bool known = std::ranges::find(key.schemes, parts.scheme) != key.schemes.end();
    if (!known || parts.hosts.empty()) {
      // The message must not contain the URL, which may hold a password.
      table.Reject("external", fmt::format("\"external\" must be a URL of [{}]", key.table),
                   fmt::format("expected {}://host:port", fmt::join(key.schemes, ":// or ")));
      continue;
    }
    externals[std::string(key.table)] = {
        .url = Secret(url), .shown = fmt::format("{}://{}", parts.scheme, parts.hosts)};
  }
  return externals;
}

}  // namespace meridian::site
