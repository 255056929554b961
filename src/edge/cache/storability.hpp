// Whether a shared cache may store a response (RFC 9111 3). Pure.
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
  kRequest,        // no-store in the request, or it bypasses the cache
  kStatus,         // the status is not storable
  kNoStore,        // no-store, and not (must-understand with a status that is understood)
  kPrivate,        // for one visitor only
  kAuthorization,  // the request had Authorization, and the response does not allow sharing
  kSetCookie,      // Set-Cookie; with store_set_cookie: and neither public nor s-maxage
  kVary,           // Vary: "*", an address field, or too many names
  kFreshness,      // no explicit lifetime, or never fresh and cannot be validated
  kFraming,        // ends with the connection, so that truncation would go unnoticed
  kTags,           // more than kMaxTags
  kTooLarge,       // over max_object_bytes
  kVariant,        // VariantKey is too long for this request
  kRoom,           // the budget is used up, or a purge matched it meanwhile
};

// The settings of storing.
struct StoreRules {
  uint64_t max_object_bytes = 0;
  bool errors = true;       // store 5xx
  bool set_cookie = false;  // store responses with Set-Cookie that are public or have s-maxage
};

struct StorabilityInput {
  const CacheRequest& request;
  const wire::http::ResponseHead& response;
  const ResponseDirectives& directives;
  std::optional<Duration> lifetime;  // as FreshnessLifetime found it
  StoreRules rules;
};

// By request and head alone; the fetch drops a body that proves too long, or breaks off. A response
// that needs validation for each use is stored where the origin can validate it
// (CanBeValidatedEachTime).
Storability JudgeStorability(const StorabilityInput& input);

// Whether a 304 shows that a response which needs validation for each use is valid for this visitor
// too. An entity tag does; a date only for a public response, as another visitor's page may have
// the same date.
bool CanBeValidatedEachTime(const wire::http::CacheControl& control, const Validators& validators);

// Whether the reason is in the request alone, not in the resource: then the stored response of the
// same key stays valid.
bool ConcernsRequestAlone(Storability storability);

// The reason as a token, for Cache-Status.
std::string_view StorabilityName(Storability storability);

}  // namespace meridian::edge
