#include "edge/config.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "edge/cache/limits.hpp"
#include "edge/visitors/access_rule.hpp"
#include "site/key_description.hpp"
#include "site/load/table_reader.hpp"
#include "site/section.hpp"
#include "site/site.hpp"

namespace meridian::edge {
namespace {

constexpr site::KeyDescription kKeys[] = {
    {.table = "edge", .sentence = "The edge: the HTTP cache at which visitors arrive."},
    {.table = "edge", .key = "port", .sentence = "The port for HTTP."},
    {.table = "edge", .key = "https_port", .sentence = "The port for HTTPS."},
    {.table = "edge",
     .key = "threads",
     .sentence = "The threads that serve visitors. They share one cache.",
     .fallback = "`[agent] cores`"},
    {.table = "edge",
     .key = "response_timeout",
     .sentence = "The time from a request to the head of its response; for an instance of the same "
                 "data center `response_timeout` of `[balancer]` counts where it is shorter."},
    {.table = "edge",
     .key = "max_body_bytes",
     .sentence = "The largest body of a request, in bytes."},
    {.table = "edge",
     .key = "max_connections",
     .sentence =
         "The visitors' connections that are open at the same time, over HTTP and HTTPS together."},
    {.table = "edge", .key = "cache_bytes", .sentence = "The memory of the whole cache."},
    {.table = "edge",
     .key = "max_object_bytes",
     .sentence = "The largest response body that is stored."},
    {.table = "edge",
     .key = "heuristics",
     .sentence = "Whether responses that do not say how long they are fresh are stored, for a "
                 "tenth of their age."},
    {.table = "edge",
     .key = "store_errors",
     .sentence = "Whether 5xx responses that say how long they are fresh are stored."},
    {.table = "edge",
     .key = "store_set_cookie",
     .sentence = "Whether responses with `Set-Cookie` are stored, cookie and all, where they are "
                 "`public` or have `s-maxage`."},
    {.table = "edge",
     .key = "stale_on_failure",
     .sentence = "How long after its lifetime a stored response is served when the origin does not "
                 "answer, or answers 502, 503 or 504."},
    {.table = "edge",
     .key = "debug_from",
     .sentence = "The addresses, besides loopback, that may ask for `Meridian-Path`."},
    {.table = "edge",
     .key = "cdn_paths",
     .sentence = "The paths that `cdn.DOMAIN` serves; a path with `/` at its end means everything "
                 "below it.",
     .fallback = "[\"/assets/\", \"/images/\", \"/static/\"]",
     .limits = "each begins with `/`"},
    {.table = "edge",
     .key = "versions",
     .sentence = "Whether the edge serves `/v/VERSION/path`; with `false` the application has "
                 "these paths."},
    {.table = "edge",
     .key = "underscores",
     .sentence = "Whether the edge passes fields with `_` in their names, unless they look like a "
                 "field that is acted on."},
    {.table = "edge",
     .key = "purge_from",
     .sentence = "The addresses that may send `PURGE` requests."},
    {.table = "edge",
     .key = "isolated",
     .sentence = "What the edge does while it hears no purges of other data centers: serve what it "
                 "has, or ask the origin before each use."},
    {.table = "edge",
     .key = "access_log",
     .sentence =
         "Which visitors' requests have a line in the access log: `all`, `errors` (4xx, 5xx "
         "and broken off), `off`, or a share such as `1%`, which means errors and that share "
         "of the other requests.",
     .fallback = "`\"all\"` in the lab, `\"1%\"` on servers",
     .limits = "`all`, `errors`, `off` or a percentage"},
    {.table = "edge",
     .key = "redirect_http",
     .sentence = "Whether visitors without TLS are sent to HTTPS (308)."},
    {.table = "edge.certificate",
     .sentence = "A certificate for HTTPS, besides those of the site's own authority, for the "
                 "names in it."},
    {.table = "edge.certificate",
     .key = "certificate",
     .sentence = "The PEM file with the certificate and its chain, relative to site.toml; a "
                 "changed file is loaded within 30 s."},
    {.table = "edge.certificate",
     .key = "key",
     .sentence = "The PEM file with its private key, relative to site.toml."},
    {.table = "edge.cost", .sentence = "The prices by which `meridian cdn report` computes costs."},
    {.table = "edge.cost",
     .key = "currency",
     .sentence = "The currency, as the report shows it.",
     .fallback = "\"USD\""},
    {.table = "edge.cost",
     .key = "per_gb_to_visitors",
     .sentence = "The price of 10⁹ bytes sent to visitors."},
    {.table = "edge.cost",
     .key = "per_gb_from_origin",
     .sentence = "The price of 10⁹ bytes fetched from the application."},
    {.table = "edge.cost",
     .key = "per_gb_between",
     .sentence = "The price of 10⁹ bytes fetched from another data center."},
    {.table = "edge.cost",
     .key = "per_million_requests",
     .sentence = "The price of a million visitors' requests."},
};

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int64_t kMaxBodyBytes = int64_t{1} << 40;
constexpr int64_t kMaxConnections = 1'000'000;
constexpr size_t kMaxCertificates = 64;
constexpr double kMaxPrice = 1'000'000;
constexpr size_t kMaxCurrencyBytes = 8;
constexpr Duration kMaxStaleOnFailure = std::chrono::hours{24 * 30};
constexpr uint64_t kMaxCacheBytes = uint64_t{1} << 40;
constexpr uint64_t kMinObjectBytes = uint64_t{1} << 10;

CacheSettings ParseCache(site::TableReader& reader) {
  CacheSettings cache;
  cache.bytes = reader.Size(
      "cache_bytes", {.min = kMinCacheBytes, .max = kMaxCacheBytes, .fallback = cache.bytes});
  cache.max_object_bytes = reader.Size(
      "max_object_bytes",
      {.min = kMinObjectBytes, .max = kMaxCacheBytes, .fallback = cache.max_object_bytes});
  cache.heuristics = reader.Boolean("heuristics", cache.heuristics);
  cache.store_errors = reader.Boolean("store_errors", cache.store_errors);
  cache.store_set_cookie = reader.Boolean("store_set_cookie", cache.store_set_cookie);
  cache.stale_on_failure = reader.Duration(
      "stale_on_failure",
      {.min = seconds{0}, .max = kMaxStaleOnFailure, .fallback = cache.stale_on_failure});
  return cache;
}

std::vector<std::string> ParsePaths(site::TableReader& reader, std::string_view key) {
  std::vector<std::string> paths = reader.Texts(key);
  for (const std::string& path : paths) {
    if (!path.starts_with('/')) reader.Reject(key, "a path begins with /", "such as \"/images/\"");
  }
  return paths;
}

std::optional<AccessRule> ParseAccessLog(site::TableReader& reader) {
  constexpr std::string_view kKey = "access_log";
  if (!reader.Has(kKey)) return std::nullopt;
  const std::string text = reader.Text(kKey);
  std::optional<AccessRule> rule = ParseAccessRule(text);
  if (!rule && !text.empty()) {
    reader.Reject(kKey, "expected \"all\", \"errors\", \"off\" or a share",
                  "such as \"1%\": errors, and one in a hundred of the other requests");
  }
  return rule;
}

Prices ParsePrices(site::TableReader reader) {
  Prices prices;
  auto price = [&](std::string_view key) {
    return reader.Number(key, {.min = 0, .max = kMaxPrice, .fallback = 0});
  };
  if (reader.Has("currency")) {
    prices.currency = reader.Text("currency", {.max_bytes = kMaxCurrencyBytes});
  }
  prices.per_gb_to_visitors = price("per_gb_to_visitors");
  prices.per_gb_from_origin = price("per_gb_from_origin");
  prices.per_gb_between = price("per_gb_between");
  prices.per_million_requests = price("per_million_requests");
  return prices;
}

Config Parse(site::TableReader& reader, const site::Site& site) {
  Config config;
  config.response_timeout = reader.Duration(
      "response_timeout",
      {.min = milliseconds{100}, .max = minutes{60}, .fallback = config.response_timeout});
  config.max_body_bytes = static_cast<uint64_t>(reader.Integer(
      "max_body_bytes",
      {.min = 0, .max = kMaxBodyBytes, .fallback = static_cast<int64_t>(config.max_body_bytes)}));
  config.max_connections = static_cast<size_t>(reader.Integer(
      "max_connections", {.min = 1,
                          .max = kMaxConnections,
                          .fallback = static_cast<int64_t>(config.max_connections)}));
  config.cache = ParseCache(reader);
  config.debug_from = reader.Prefixes("debug_from");
  if (reader.Has("cdn_paths")) config.cdn_paths = ParsePaths(reader, "cdn_paths");
  config.versions = reader.Boolean("versions", config.versions);
  config.underscores = reader.Boolean("underscores", config.underscores);
  config.purge_from = reader.Prefixes("purge_from");
  config.revalidate_when_isolated =
      reader.Choice<bool>("isolated", {{"serve", false}, {"revalidate", true}}, false);
  config.access_log = ParseAccessLog(reader);
  config.redirect_http = reader.Boolean("redirect_http", false);
  for (site::TableReader& table : reader.Tables("certificate", {.max = kMaxCertificates})) {
    config.certificates.push_back(
        {.certificate_path = site.file.parent_path() / table.Text("certificate"),
         .key_path = site.file.parent_path() / table.Text("key")});
  }
  config.prices = ParsePrices(reader.Table("cost"));
  return config;
}

}  // namespace

site::Section ConfigSection() { return site::Section::Of<Config>("edge", &Parse, kKeys); }

}  // namespace meridian::edge
