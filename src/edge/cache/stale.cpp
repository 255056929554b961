#include "edge/cache/stale.hpp"

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"
#include "edge/cache/freshness.hpp"
#include "wire/http/fields/cache_control.hpp"

namespace meridian::edge {
namespace {

using std::chrono::seconds;
using wire::http::CacheControl;

// "must-revalidate", "proxy-revalidate" and "no-cache" forbid a shared cache to serve the response
// stale (RFC 9111 4.2.4).
bool ForbidsStale(const CacheControl& control) {
  return control.must_revalidate || control.proxy_revalidate || control.no_cache;
}

// Whether the response may be served to other visitors without validation for each: it had a
// lifetime, or is public. Else the origin may tell visitors apart by a field or address that the
// cache does not compare; then only the response itself can allow to serve it stale.
bool IsForOthers(const Freshness& freshness, const CacheControl& control) {
  return freshness.lifetime > Duration::zero() || control.is_public;
}

// Whether the request's max-age, min-fresh or no-cache refuses the response (RFC 9111 5.2.1). A
// normal reload (max-age=0) does not validate a fresh immutable response; a forced reload does (RFC
// 8246 2).
bool IsTooOldForRequest(const Freshness& freshness, const CacheControl& control,
                        const CacheControl& request, TimePoint now) {
  if (request.no_cache) return true;
  bool too_old = request.max_age && freshness.Age(now) > *request.max_age;
  if (too_old && !control.immutable) return true;
  return request.min_fresh && freshness.Left(now) < *request.min_fresh;
}

}  // namespace

Use JudgeUse(const Freshness& freshness, const CacheControl& control, const CacheControl& request,
             TimePoint now) {
  Duration left = freshness.Left(now);
  if (control.no_cache) return Use::kRevalidate;
  if (left > Duration::zero()) {
    return IsTooOldForRequest(freshness, control, request, now) ? Use::kRevalidate : Use::kFresh;
  }
  if (ForbidsStale(control) || request.no_cache || request.min_fresh) return Use::kRevalidate;
  if (request.max_age &&
      freshness.Age(now) > *request.max_age + request.max_stale.value_or(seconds{})) {
    return Use::kRevalidate;
  }
  Duration stale_for = -left;
  // s-maxage implies proxy-revalidate (5.2.2.10), but an explicit stale-while-revalidate overrides
  // it.
  if (control.stale_while_revalidate && stale_for <= *control.stale_while_revalidate) {
    return Use::kWhileRevalidating;
  }
  const bool allowed = request.max_stale && stale_for <= *request.max_stale && !control.s_maxage &&
                       IsForOthers(freshness, control);
  return allowed ? Use::kStale : Use::kRevalidate;
}

bool NeedsValidationEachTime(const Freshness& freshness, const CacheControl& control) {
  if (control.no_cache) return true;
  const bool usable_stale = control.stale_while_revalidate || control.stale_if_error;
  return freshness.lifetime <= Duration::zero() && !usable_stale;
}

bool MayServeOnError(const Freshness& freshness, const CacheControl& control,
                     const CacheControl& request, TimePoint now) {
  if (control.no_cache) return false;
  Duration left = freshness.Left(now);
  if (left > Duration::zero()) return true;
  if (ForbidsStale(control)) return false;
  if (control.stale_if_error && -left <= *control.stale_if_error) return true;
  // s-maxage implies proxy-revalidate: max-stale of the request does not override it.
  if (control.s_maxage || !IsForOthers(freshness, control)) return false;
  return request.stale_if_error && -left <= *request.stale_if_error;
}

bool MayServeOnFailure(const Freshness& freshness, const CacheControl& control, TimePoint now,
                       Duration stale_on_failure) {
  if (ForbidsStale(control) || control.s_maxage || control.stale_if_error) return false;
  if (!IsForOthers(freshness, control)) return false;
  return -freshness.Left(now) <= stale_on_failure;
}

bool MustBeValidatedWhenStale(const CacheControl& control) {
  return control.must_revalidate || control.proxy_revalidate || control.s_maxage;
}

}  // namespace meridian::edge
