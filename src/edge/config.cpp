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
#include "site/load/table_reader.hpp"
#include "site/section.hpp"
#include "site/site.hpp"

namespace meridian::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int64_t kMostBodyBytes = int64_t{1} << 40;
constexpr int64_t kMostConnections = 1'000'000;
constexpr size_t kMostCertificates = 64;
constexpr double kMostPrice = 1'000'000;
constexpr size_t kMaxCurrencyBytes = 8;
constexpr Duration kMaxStaleOnFailure = std::chrono::hours{24 * 30};
constexpr uint64_t kMostCacheBytes = uint64_t{1} << 40;
constexpr uint64_t kLeastObjectBytes = uint64_t{1} << 10;

CacheSettings ParseCache(site::TableReader& reader) {
  CacheSettings cache;
  cache.bytes = reader.Size(
      "cache_bytes", {.min = kLeastCacheBytes, .max = kMostCacheBytes, .fallback = cache.bytes});
  cache.max_object_bytes = reader.Size(
      "max_object_bytes",
      {.min = kLeastObjectBytes, .max = kMostCacheBytes, .fallback = cache.max_object_bytes});
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
    return reader.Number(key, {.min = 0, .max = kMostPrice, .fallback = 0});
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
      {.min = 0, .max = kMostBodyBytes, .fallback = static_cast<int64_t>(config.max_body_bytes)}));
  config.max_connections = static_cast<size_t>(reader.Integer(
      "max_connections", {.min = 1,
                          .max = kMostConnections,
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
  for (site::TableReader& table : reader.Tables("certificate", {.max = kMostCertificates})) {
    config.certificates.push_back(
        {.certificate_path = site.file.parent_path() / table.Text("certificate"),
         .key_path = site.file.parent_path() / table.Text("key")});
  }
  config.prices = ParsePrices(reader.Table("cost"));
  return config;
}

}  // namespace

site::Section ConfigSection() { return site::Section::Of<Config>("edge", &Parse); }

}  // namespace meridian::edge
