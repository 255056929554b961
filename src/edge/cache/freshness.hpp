// Freshness lifetime and age of a response (RFC 9111 4.2). Pure: the caller passes the time.
#pragma once

#include <algorithm>
#include <atomic>
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
  // A soft purge or a HEAD has made it stale: it is so by the clock of every loop, though
  // `lifetime` was set by one of them.
  bool made_stale = false;

  // RFC 9111 4.2.3, current_age. The clock of another loop may be a little behind `received`.
  Duration Age(TimePoint now) const {
    return initial_age + std::max(now - received, Duration::zero());
  }
  // The rest of the lifetime; negative: for how long the response has been stale.
  Duration Left(TimePoint now) const {
    const Duration left = lifetime - Age(now);
    return made_stale ? std::min(left, Duration::zero()) : left;
  }
};

// The freshness of a stored response, which any thread reads, and few change: purges, HEADs and
// validations. While a validation assigns to it, a reader may see some of the old times and some of
// the new; at that moment either freshness is right.
class SharedFreshness {
 public:
  explicit SharedFreshness(const Freshness& freshness = {}) { *this = freshness; }
  SharedFreshness(const SharedFreshness&) = delete;
  SharedFreshness& operator=(const SharedFreshness&) = delete;
  ~SharedFreshness() = default;
  SharedFreshness& operator=(const Freshness& freshness) {
    received_.store(freshness.received, std::memory_order_relaxed);
    initial_age_.store(freshness.initial_age, std::memory_order_relaxed);
    lifetime_.store(freshness.lifetime, std::memory_order_relaxed);
    made_stale_.store(freshness.made_stale, std::memory_order_relaxed);
    return *this;
  }

  Freshness Read() const {
    return {.received = received_.load(std::memory_order_relaxed),
            .initial_age = initial_age_.load(std::memory_order_relaxed),
            .lifetime = lifetime_.load(std::memory_order_relaxed),
            .made_stale = made_stale_.load(std::memory_order_relaxed)};
  }
  operator Freshness() const { return Read(); }  // NOLINT(google-explicit-constructor)
  Duration Age(TimePoint now) const { return Read().Age(now); }
  Duration Left(TimePoint now) const { return Read().Left(now); }
  // Ends the lifetime, for every loop, whatever its clock says. False: it was over. A response that
  // had a lifetime keeps one above zero: without any it would be validated for each request.
  bool MakeStale(TimePoint now) {
    const Freshness freshness = Read();
    if (freshness.Left(now) <= Duration::zero()) return false;
    made_stale_.store(true, std::memory_order_relaxed);
    lifetime_.store(std::max(freshness.Age(now), Duration{1}), std::memory_order_relaxed);
    return true;
  }

 private:
  std::atomic<TimePoint> received_;
  std::atomic<Duration> initial_age_;
  std::atomic<Duration> lifetime_;
  std::atomic<bool> made_stale_;
};

}  // namespace meridian::edge
