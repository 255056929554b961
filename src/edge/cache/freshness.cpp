#include "edge/cache/freshness.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/limits.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/fields/cache_control.hpp"
#include "wire/http/fields/date.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using std::chrono::seconds;
using wire::http::HeaderFields;

// Whether responses with this status may have heuristic freshness (RFC 9110 15.1).
bool IsHeuristicallyCacheable(int status) {
  constexpr int kCodes[] = {200, 203, 204, 300, 301, 308, 404, 405, 410};
  return std::ranges::find(kCodes, status) != std::end(kCodes);
}

std::optional<WallTime> DateField(const HeaderFields& fields, std::string_view name, WallTime now) {
  std::optional<std::string_view> value = fields.Find(name);
  return value ? wire::http::ParseDate(*value, now) : std::nullopt;
}

// Two Expires that differ, or an invalid date such as "0", mean that the response is stale
// (RFC 9111 4.2.1, 5.3).
Duration ExpiresLifetime(const HeaderFields& fields, WallTime date, WallTime now) {
  std::optional<std::string_view> value = fields.Find("Expires");
  bool same = true;
  fields.ForEach("Expires", [&](std::string_view other) { same = same && other == value; });
  std::optional<WallTime> expires = same ? wire::http::ParseDate(*value, now) : std::nullopt;
  if (!expires) return Duration::zero();
  // Compared before they are subtracted: the difference of two dates may overflow 2^63 ns.
  if (*expires <= date) return Duration::zero();
  auto span = std::chrono::floor<seconds>(*expires) - std::chrono::floor<seconds>(date);
  return std::min(span, wire::http::kMaxDeltaSeconds);
}

// Age is one non-negative integer; of a list the first element counts, an invalid value is ignored
// (RFC 9111 5.1).
seconds AgeField(const HeaderFields& fields) {
  std::string_view text = fields.Find("Age").value_or("");
  text = wire::http::TrimWhitespace(text.substr(0, text.find(',')));
  int64_t age = 0;
  for (char c : text) {
    if (!wire::http::IsDigit(c)) return seconds::zero();
    age = std::min<int64_t>(age * 10 + (c - '0'), wire::http::kMaxDeltaSeconds.count());
  }
  return seconds(age);
}

}  // namespace

ResponseDirectives DirectivesOf(const HeaderFields& fields) {
  if (auto targeted = wire::http::ParseTargetedCacheControl(fields, "CDN-Cache-Control")) {
    return {.control = *targeted, .targeted = true};
  }
  return {.control = wire::http::ParseCacheControl(fields), .targeted = false};
}

std::optional<Duration> FreshnessLifetime(const ResponseDirectives& directives,
                                          const HeaderFields& fields, int status, WallTime now,
                                          bool heuristics) {
  const wire::http::CacheControl& control = directives.control;
  if (control.s_maxage) return *control.s_maxage;
  if (control.max_age) return *control.max_age;
  WallTime date = DateField(fields, "Date", now).value_or(now);
  if (!directives.targeted && fields.Has("Expires")) return ExpiresLifetime(fields, date, now);
  if (!heuristics || (!control.is_public && !IsHeuristicallyCacheable(status))) return std::nullopt;
  std::optional<WallTime> modified = DateField(fields, "Last-Modified", now);
  if (!modified || *modified >= date) return std::nullopt;
  auto since = std::chrono::floor<seconds>(date) - std::chrono::floor<seconds>(*modified);
  return std::min<Duration>(std::min(since, wire::http::kMaxDeltaSeconds) / kHeuristicDivisor,
                            kMaxHeuristicLifetime);
}

Duration Jittered(Duration lifetime, uint64_t random) {
  if (lifetime < kMinJitteredLifetime) return lifetime;
  auto max_jitter = static_cast<uint64_t>((lifetime / kJitterDivisor).count());
  return lifetime - Duration(static_cast<int64_t>(random % (max_jitter + 1)));
}

Duration InitialAge(const HeaderFields& fields, WallTime received, Duration delay) {
  Duration apparent{};
  std::optional<WallTime> date = DateField(fields, "Date", received);
  if (date && *date < received) {
    auto since = std::chrono::floor<seconds>(received) - std::chrono::floor<seconds>(*date);
    apparent = std::min(since, wire::http::kMaxDeltaSeconds);
  }
  Duration corrected = AgeField(fields) + std::max(delay, Duration::zero());
  return std::max(apparent, corrected);
}

}  // namespace meridian::edge
