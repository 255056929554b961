// Whether a stored response may answer a request, fresh or stale, and whether it needs validation
// first, by the directives of both (RFC 9111 4.2.4 and 5.2.1, RFC 5861, RFC 8246). Pure.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "edge/cache/freshness.hpp"
#include "wire/http/fields/cache_control.hpp"

namespace meridian::edge {

enum class Use : uint8_t {
  kFresh,              // serve it
  kStale,              // serve it: the request's max-stale allows it
  kWhileRevalidating,  // serve it, and validate it in the background (stale-while-revalidate)
  kRevalidate,         // serve it only after validation
};

// `control` is the stored response's, `request` the request's.
Use JudgeUse(const Freshness& freshness, const wire::http::CacheControl& control,
             const wire::http::CacheControl& request, TimePoint now);

// Whether each use of a response needs validation: it is no-cache, or never fresh and without
// permission to be served stale. Each request for it is validated by itself, never by the origin's
// response to another request.
bool NeedsValidationEachTime(const Freshness& freshness, const wire::http::CacheControl& control);

// Whether a response may be served in place of an origin's error: it is still fresh (the request
// wanted it newer), or within its own or the request's stale-if-error and not forbidden to be
// served stale. The request's stale-if-error counts for a response that had a lifetime or is
// public.
bool MayServeOnError(const Freshness& freshness, const wire::http::CacheControl& control,
                     const wire::http::CacheControl& request, TimePoint now);

// Whether a response may be served, stale for at most `stale_on_failure`, when the origin cannot be
// reached (RFC 9111 4.2.4): no directive forbids it to be served stale, it has no stale-if-error,
// and it had a lifetime or is public.
bool MayServeOnFailure(const Freshness& freshness, const wire::http::CacheControl& control,
                       TimePoint now, Duration stale_on_failure);

// Whether a request for the stale response gets 504 when the origin cannot be reached (RFC 9111
// 5.2.2.2, 5.2.2.8, 5.2.2.10).
bool MustBeValidatedWhenStale(const wire::http::CacheControl& control);

// Whether a status is an error for stale-if-error (RFC 5861 4).
inline bool IsErrorForStale(int status) {
  return status == 500 || status == 502 || status == 503 || status == 504;
}

// Whether a status means that a gateway did not reach the origin.
inline bool IsGatewayFailure(int status) { return status == 502 || status == 503 || status == 504; }

}  // namespace meridian::edge
