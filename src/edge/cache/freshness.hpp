// Freshness lifetime and age of a response (RFC 9111 4.2). Pure: the caller passes the time.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "wire/http/fields/cache_control.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

// The directives for this cache: CDN-Cache-Control when it is present and well formed, in place of
// Cache-Control and Expires (RFC 9213 2.2); else Cache-Control.
struct ResponseDirectives {
  wire::http::CacheControl control;
  bool targeted = false;
};
ResponseDirectives DirectivesOf(const wire::http::HeaderFields& fields);

// The freshness lifetime: s-maxage, max-age, Expires less Date, in that order (RFC 9111 4.2.1);
// with `heuristics`, without any of them, a tenth of Date less Last-Modified. Nothing: the response
// has no freshness lifetime. `now` replaces a missing Date.
std::optional<Duration> FreshnessLifetime(const ResponseDirectives& directives,
                                          const wire::http::HeaderFields& fields, int status,
                                          WallTime now, bool heuristics);

// The lifetime shortened by up to 1/kJitterDivisor, by `random`.
Duration Jittered(Duration lifetime, uint64_t random);

// The age of a response on arrival (RFC 9111 4.2.3, corrected_initial_age): the larger of Age plus
// `delay`, and the age by Date. Never negative.
Duration InitialAge(const wire::http::HeaderFields& fields, WallTime received, Duration delay);

// The times from which a stored response's freshness is computed.
struct Freshness {
  TimePoint received{};
  Duration initial_age{};
  Duration lifetime{};

  // RFC 9111 4.2.3, current_age.
  Duration Age(TimePoint now) const { return initial_age + (now - received); }
  // The rest of the lifetime; negative: for how long the response has been stale.
  Duration Left(TimePoint now) const { return lifetime - Age(now); }
  // Ends the lifetime. False: it was over.
  bool MakeStale(TimePoint now) {
    if (Left(now) <= Duration::zero()) return false;
    lifetime = Age(now);
    return true;
  }
};

}  // namespace meridian::edge
