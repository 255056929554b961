// Whether a response may be stored by a cache that many share (RFC 9111 3). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/validation.hpp"
#include "wire/http/fields/cache_control.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

enum class Storability : uint8_t {
  kStore,
  kRequest,        // no-store in the request, or one that goes past the cache
  kStatus,         // a status that is not for storing
  kNoStore,        // no-store, and not (must-understand with a status that is understood)
  kPrivate,        // for one visitor only
  kAuthorization,  // answers Authorization, and does not say that others may have it
  kSetCookie,      // sets a cookie; or, where such may be stored, is not for shared caches
  kVary,           // varies by what no request tells ("*"), or by too much
  kFreshness,      // says nothing of its freshness, or is never fresh and cannot be confirmed
  kFraming,        // its end cannot be told from a break
  kTags,           // more tags than are kept
  kTooLarge,       // larger than an object may be
  kVariant,        // what it varies by is too long in this request
  kRoom,           // the budget has no room for it, or a purge was about it meanwhile
};

// What the edge's settings say of storing.
struct StoreRules {
  uint64_t max_object_bytes = 0;
  bool errors = true;       // 5xx too
  bool set_cookie = false;  // what sets a cookie too, where it is meant for shared caches
};

struct StorabilityInput {
  const CacheRequest& request;
  const wire::http::ResponseHead& response;
  const ResponseDirectives& directives;
  std::optional<Duration> lifetime;  // as FreshnessLifetime found it
  StoreRules rules;
};

// By request and head alone; a body that proves longer than it may, or breaks off, is dropped by
// whoever reads it. A response that cannot be used without asking the origin each time is stored
// where the origin can confirm it (CanBeConfirmedEachTime).
Storability JudgeStorability(const StorabilityInput& input);

// Whether a 304 can tell that what is confirmed at each use is this visitor's too: by its entity
// tag. "Not modified since" may be as true of another visitor's page, so that a date is enough only
// for what is public.
bool CanBeConfirmedEachTime(const wire::http::CacheControl& control, const Validators& validators);

// Whether an answer that was refused for this reason leaves what is stored as good as it was: the
// reason is in the request, not in what the origin says of the resource.
bool ConcernsRequestAlone(Storability storability);

// For Cache-Status: why it was not stored, as a token.
std::string_view StorabilityName(Storability storability);

}  // namespace meridian::edge
