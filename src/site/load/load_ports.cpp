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

#include <fmt/core.h>
#include <fmt/format.h>

#include "site/key_description.hpp"
#include "site/limits.hpp"
#include "site/load/load.hpp"
#include "site/load/load_parts.hpp"
#include "site/load/table_reader.hpp"
#include "site/secret.hpp"
#include "site/site.hpp"

namespace meridian::site {
namespace {

constexpr std::string_view kExternal =
    "The URL of a server elsewhere that is used instead, or `$NAME` of the environment variable "
    "that holds it; a URL with a password belongs in a variable.";
constexpr std::string_view kShown =
    "The URL of a server elsewhere, or `$NAME` of the environment variable that holds it; "
    "`meridian status` shows it, and nothing else uses it yet.";
constexpr KeyDescription kKeys[] = {
    {.table = "dns", .sentence = "The DNS servers, which send each visitor to a data center."},
    {.table = "dns", .key = "port", .sentence = "The port of the DNS server, for UDP and TCP."},
    {.table = "edge", .sentence = "The edge: the HTTP cache at which visitors arrive."},
    {.table = "edge", .key = "port", .sentence = "The port for HTTP."},
    {.table = "edge", .key = "https_port", .sentence = "The port for HTTPS."},
    {.table = "balancer", .sentence = "How edge and balancer spread requests over the instances."},
    {.table = "balancer",
     .key = "port",
     .sentence = "The port of the balancer, for its own host; other data centers use the peer "
                 "port, 20000 above."},
    {.table = "session", .sentence = "The session store, which speaks the Redis protocol."},
    {.table = "session", .key = "port", .sentence = "The port for Redis clients."},
    {.table = "session",
     .key = "external",
     .sentence = kExternal,
     .fallback = "Meridian runs the tier",
     .limits = "a URL that begins with `redis://` or `rediss://`"},
    {.table = "admin", .sentence = "The agent's admin port, which commands and other agents use."},
    {.table = "admin", .key = "port", .sentence = "The admin port."},
    {.table = "queue", .sentence = "A message queue, which Meridian does not run yet."},
    {.table = "queue", .key = "port", .sentence = "The port for Kafka clients."},
    {.table = "queue",
     .key = "external",
     .sentence = kShown,
     .fallback = "none",
     .limits = "a URL that begins with `kafka://` or `kafka+ssl://`"},
    {.table = "sql", .sentence = "A database, which Meridian does not run yet."},
    {.table = "sql", .key = "port", .sentence = "The port for PostgreSQL clients."},
    {.table = "sql",
     .key = "external",
     .sentence = kShown,
     .fallback = "none",
     .limits = "a URL that begins with `postgres://` or `postgresql://`"},
    {.table = "watch", .sentence = "A metrics server, which Meridian does not run yet."},
    {.table = "watch",
     .key = "external",
     .sentence = kShown,
     .fallback = "none",
     .limits = "a URL that begins with `http://` or `https://`"},
    {.table = "coordinator", .sentence = "An etcd, which Meridian does not run yet."},
    {.table = "coordinator",
     .key = "external",
     .sentence = kShown,
     .fallback = "none",
     .limits = "a URL that begins with `http://` or `https://`"},
};

struct PortKey {
  std::string_view table;
  std::string_view key;
  uint16_t Ports::* port;
};
constexpr std::array<PortKey, 8> kPortKeys = {{
    {"dns", "port", &Ports::dns},
    {"edge", "port", &Ports::edge},
    {"edge", "https_port", &Ports::edge_https},
    {"balancer", "port", &Ports::balancer},
    {"admin", "port", &Ports::admin},
    {"session", "port", &Ports::session},
    {"queue", "port", &Ports::queue},
    {"sql", "port", &Ports::sql},
}};

// A port that a public port takes: itself, or one of the two beside it.
struct TakenPort {
  int number;
  std::string name;  // "port of [edge]", "ops port of [edge] (8080 + 10000)"
};

std::array<TakenPort, 3> TakenBy(const PortKey& key, const Ports& ports) {
  uint16_t port = ports.*key.port;
  std::string owner = fmt::format("{} of [{}]", key.key, key.table);
  return {
      {{port, owner},
       {OpsPort(port), fmt::format("ops port of [{}] ({} + {})", key.table, port, kOpsPortOffset)},
       {PeerPort(port),
        fmt::format("peer port of [{}] ({} + {})", key.table, port, kPeerPortOffset)}}};
}

// Objects to the later of the two in the list, unless only the earlier one is in the file.
void CheckPair(TableReader& root, const PortKey& earlier, const PortKey& later,
               const Ports& ports) {
  TableReader earlier_table = root.Table(earlier.table);
  TableReader later_table = root.Table(later.table);
  bool blame_earlier = !later_table.Has(later.key) && earlier_table.Has(earlier.key);
  const PortKey& blamed = blame_earlier ? earlier : later;
  const PortKey& other = blame_earlier ? later : earlier;
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
  std::span<const std::string_view> schemes;
};
constexpr std::array<std::string_view, 2> kRedis = {"redis", "rediss"};
constexpr std::array<std::string_view, 2> kKafka = {"kafka", "kafka+ssl"};
constexpr std::array<std::string_view, 2> kPostgres = {"postgres", "postgresql"};
constexpr std::array<std::string_view, 2> kHttp = {"http", "https"};
constexpr std::array<ExternalKey, 5> kExternalKeys = {{{"session", kRedis},
                                                       {"queue", kKafka},
                                                       {"sql", kPostgres},
                                                       {"watch", kHttp},
                                                       {"coordinator", kHttp}}};

struct UrlParts {
  std::string_view scheme;
  std::string_view hosts;  // one or several "host:port", separated by commas
  bool has_password = false;
};

// Splits scheme://[user[:password]@]hosts[/path][?query]; empty hosts when it is not that.
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

// The URL, from the file or the environment variable that it names; empty after a mistake.
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

Ports ReadPorts(TableReader& root) {
  Ports ports;
  for (const PortKey& key : kPortKeys) {
    TableReader table = root.Table(key.table);
    ports.*key.port = table.Port(key.key, ports.*key.port);
  }
  for (size_t later = 1; later < kPortKeys.size(); ++later) {
    for (size_t earlier = 0; earlier < later; ++earlier) {
      CheckPair(root, kPortKeys[earlier], kPortKeys[later], ports);
    }
  }
  return ports;
}

std::map<std::string, External, std::less<>> ReadExternals(TableReader& root,
                                                           const Environment& environment) {
  std::map<std::string, External, std::less<>> externals;
  for (const ExternalKey& key : kExternalKeys) {
    TableReader table = root.Table(key.table);
    if (!table.Has("external")) continue;
    std::string url = ReadUrl(table, environment);
    if (url.empty()) continue;
    UrlParts parts = Split(url);
    bool known = std::ranges::find(key.schemes, parts.scheme) != key.schemes.end();
    if (!known || parts.hosts.empty()) {
      // The URL itself is not repeated: it may hold a password.
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
