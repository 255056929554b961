// Cache directives (RFC 9111 5.2; RFC 5861, 8246) of requests and responses, from Cache-Control and
// from targeted fields such as CDN-Cache-Control (RFC 9213). Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::wire::http {

// A larger delta-seconds counts as this (RFC 9111 1.2.2).
constexpr std::chrono::seconds kMaxDeltaSeconds{int64_t{1} << 31};

// The parsed directives. Unknown directives are skipped (RFC 9111 5.2.3). no-cache and private with
// a list of fields count as without it: the stricter reading, which the RFC allows.
struct CacheControl {
  // Of requests and responses.
  bool no_store = false;
  bool no_cache = false;
  bool no_transform = false;
  std::optional<std::chrono::seconds> max_age = {};
  // Of responses.
  bool is_public = false;
  bool is_private = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
  bool immutable = false;
  std::optional<std::chrono::seconds> s_maxage = {};
  std::optional<std::chrono::seconds> stale_while_revalidate = {};
  std::optional<std::chrono::seconds> stale_if_error = {};
  // Of requests.
  bool only_if_cached = false;
  std::optional<std::chrono::seconds> min_fresh = {};
  std::optional<std::chrono::seconds> max_stale = {};  // without a value: kMaxDeltaSeconds

  bool operator==(const CacheControl&) const = default;
};

// Parses all Cache-Control fields as one list. A lifetime that is no number, or that occurs twice
// with different values, is 0: "caches are encouraged to consider responses that have invalid
// freshness information to be stale" (RFC 9111 4.2.1). Other durations that are no number are
// ignored.
CacheControl ParseCacheControl(const HeaderFields& fields);

// Parses the dictionary of a targeted field (RFC 9213 2.1). Nothing: the field is absent, empty, no
// dictionary, or gives a directive a value of the wrong type; it then counts as absent.
std::optional<CacheControl> ParseTargetedCacheControl(const HeaderFields& fields,
                                                      std::string_view name);

}  // namespace meridian::wire::http
