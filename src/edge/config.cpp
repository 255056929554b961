#include "edge/config.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "edge/cache/limits.hpp"
#include "site/section.hpp"
#include "site/table_reader.hpp"

namespace meridian::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr int64_t kMostBodyBytes = int64_t{1} << 40;
constexpr int64_t kMostConnections = 1'000'000;
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
  return cache;
}

Config Parse(site::TableReader& reader, const site::Site& /*site*/) {
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
  for (const std::string& text : reader.Texts("debug_from")) {
    Result<IpPrefix> prefix = IpPrefix::Parse(text);
    if (prefix) {
      config.debug_from.push_back(*prefix);
    } else {
      reader.Reject("debug_from", prefix.error().message, "write a prefix such as 192.0.2.0/24");
    }
  }
  return config;
}

}  // namespace

site::Section ConfigSection() { return site::Section::Of<Config>("edge", &Parse); }

}  // namespace meridian::edge
