// How long a response may be used, and how old it is (RFC 9111 4.2). Pure: times are handed in.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "wire/http/fields/cache_control.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

// The directives that hold for this cache: those of CDN-Cache-Control when that is there and well
// formed, which then stand for Cache-Control and Expires altogether (RFC 9213 2.2).
struct ResponseDirectives {
  wire::http::CacheControl control;
  bool targeted = false;
};
ResponseDirectives DirectivesOf(const wire::http::HeaderFields& fields);

// The freshness lifetime: s-maxage, max-age, Expires less Date, in that order (RFC 9111 4.2.1);
// with `heuristics`, for a response that says nothing, a tenth of its age when it was sent.
// Nothing: the response says nothing of its freshness. `now` stands for a missing Date.
std::optional<Duration> FreshnessLifetime(const ResponseDirectives& directives,
                                          const wire::http::HeaderFields& fields, int status,
                                          WallTime now, bool heuristics);

// The lifetime shortened by up to 1/kJitterDivisor, as `random` has it.
Duration Jittered(Duration lifetime, uint64_t random);

// How old a response was when it came (RFC 9111 4.2.3, corrected_initial_age): by its Age and the
// time it was under way, or by its Date, whichever is more. Neither is ever negative.
Duration InitialAge(const wire::http::HeaderFields& fields, WallTime received, Duration delay);

// The clockwork of a stored response.
struct Freshness {
  TimePoint received{};
  Duration initial_age{};
  Duration lifetime{};

  // RFC 9111 4.2.3, current_age.
  Duration Age(TimePoint now) const { return initial_age + (now - received); }
  // What is left of the lifetime; negative: for how long it has been stale.
  Duration Left(TimePoint now) const { return lifetime - Age(now); }
  // Ends the lifetime. False: it was over.
  bool MakeStale(TimePoint now) {
    if (Left(now) <= Duration::zero()) return false;
    lifetime = Age(now);
    return true;
  }
};

}  // namespace meridian::edge
