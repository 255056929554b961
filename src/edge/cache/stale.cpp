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

// RFC 9111 4.2.4: "must-revalidate" and "proxy-revalidate" forbid it to a shared cache; so does
// no-cache.
bool ForbidsStale(const CacheControl& control) {
  return control.must_revalidate || control.proxy_revalidate || control.no_cache;
}

// Whether it may reach others than who first asked without a word of the origin to each: it had a
// lifetime, or says that it is for all. Else visitors may be told apart by a field of their own or
// their address, which no cache knows of; only the response can then allow that it is served stale.
bool IsForOthers(const Freshness& freshness, const CacheControl& control) {
  return freshness.lifetime > Duration::zero() || control.is_public;
}

// The request wants no older, or longer fresh, than this is (RFC 9111 5.2.1). That a page is loaded
// again is no reason to ask for what is immutable, as long as it is fresh; that the visitor forces
// it, is (RFC 8246 2).
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
  // s-maxage is as proxy-revalidate (5.2.2.10), but who adds stale-while-revalidate means that.
  if (control.stale_while_revalidate && stale_for <= *control.stale_while_revalidate) {
    return Use::kWhileRevalidating;
  }
  const bool allowed = request.max_stale && stale_for <= *request.max_stale && !control.s_maxage &&
                       IsForOthers(freshness, control);
  return allowed ? Use::kStale : Use::kRevalidate;
}

bool IsConfirmedEachTime(const Freshness& freshness, const CacheControl& control) {
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
  // s-maxage is as proxy-revalidate for a request that asks of its own accord.
  if (control.s_maxage || !IsForOthers(freshness, control)) return false;
  return request.stale_if_error && -left <= *request.stale_if_error;
}

bool MayServeOnFailure(const Freshness& freshness, const CacheControl& control, TimePoint now,
                       Duration stale_on_failure) {
  if (ForbidsStale(control) || control.s_maxage || control.stale_if_error) return false;
  if (!IsForOthers(freshness, control)) return false;
  return -freshness.Left(now) <= stale_on_failure;
}

bool MustBeConfirmedWhenStale(const CacheControl& control) {
  return control.must_revalidate || control.proxy_revalidate || control.s_maxage;
}

}  // namespace meridian::edge
