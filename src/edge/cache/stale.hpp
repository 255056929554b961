// Whether a stored response may answer a request now, and what has to be done first: fresh or
// stale, by what both sides have said (RFC 9111 4.2.4 and 5.2.1, RFC 5861, RFC 8246). Pure.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "edge/cache/freshness.hpp"
#include "wire/http/fields/cache_control.hpp"

namespace meridian::edge {

enum class Use : uint8_t {
  kFresh,              // as it is
  kStale,              // as it is: the request says that this stale is not too stale
  kWhileRevalidating,  // as it is, and the origin is asked behind the visitor's back
  kRevalidate,         // not before the origin has confirmed it
};

// `control` is the stored response's, `request` the request's.
Use JudgeUse(const Freshness& freshness, const wire::http::CacheControl& control,
             const wire::http::CacheControl& request, TimePoint now);

// Whether each use of it has to be confirmed by the origin: it is no-cache, or never fresh and not
// to be used stale either. A request for it is answered by what the origin says to this request,
// never by what it says to another.
bool IsConfirmedEachTime(const Freshness& freshness, const wire::http::CacheControl& control);

// Whether it may stand in for an origin that fails: it is fresh still (a request wanted it newer),
// or within its stale-if-error or the request's, and nothing forbids it to be served stale. The
// request's is for what had a lifetime or is public.
bool MayServeOnError(const Freshness& freshness, const wire::http::CacheControl& control,
                     const wire::http::CacheControl& request, TimePoint now);

// Whether it may stand in, stale for at most `stale_on_failure`, for an origin that cannot be
// reached (RFC 9111 4.2.4): nothing forbids it to be served stale, it sets no limit by
// stale-if-error, and it had a lifetime or is public.
bool MayServeOnFailure(const Freshness& freshness, const wire::http::CacheControl& control,
                       TimePoint now, Duration stale_on_failure);

// Whether, once it is stale, an origin that cannot be reached makes a 504 of a request for it (RFC
// 9111 5.2.2.2, 5.2.2.8, 5.2.2.10).
bool MustBeConfirmedWhenStale(const wire::http::CacheControl& control);

// RFC 5861 4: which answers of an origin are its failing.
inline bool IsErrorForStale(int status) {
  return status == 500 || status == 502 || status == 503 || status == 504;
}

// Which answers say that the origin itself was not reached.
inline bool IsFailureOfGateway(int status) {
  return status == 502 || status == 503 || status == 504;
}

}  // namespace meridian::edge
