#include "edge/cache/storability.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/tags.hpp"
#include "edge/cache/vary.hpp"
#include "wire/http/cache_control.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::CacheControl;
using Framing = wire::http::BodyFraming::Kind;

// Statuses that are understood and say something that lasts. Not among them: 206, which is
// forwarded whole; and what a bad request (400, 413, 414, 431) or a failing origin (5xx) brings
// about, which one visitor must not be able to fix for all.
bool IsStorableStatus(int status) {
  constexpr int kCodes[] = {200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 451};
  return std::ranges::find(kCodes, status) != std::end(kCodes);
}

bool IsForEverybody(const ResponseDirectives& directives) {
  const CacheControl& control = directives.control;
  return control.is_public || control.s_maxage.has_value() || directives.targeted;
}

// RFC 9111 3.5: "must-revalidate", "public", and "s-maxage" allow it.
bool AllowsAuthorized(const CacheControl& control) {
  return control.is_public || control.must_revalidate || control.s_maxage.has_value();
}

// Whether it can ever be used without asking the origin first.
bool IsEverUsable(const CacheControl& control, std::optional<Duration> lifetime) {
  if (control.no_cache || !lifetime) return false;
  return *lifetime > Duration::zero() || control.stale_while_revalidate || control.stale_if_error;
}

}  // namespace

Storability JudgeStorability(const StorabilityInput& input) {
  const CacheControl& control = input.directives.control;
  const wire::http::ResponseHead& response = input.response;
  if (input.request.bypass != Bypass::kNone || input.request.control.no_store) {
    return Storability::kRequest;
  }
  if (!IsStorableStatus(response.status)) return Storability::kStatus;
  // RFC 9111 5.2.2.3: must-understand stands above no-store where the status is understood.
  if (control.no_store && !control.must_understand) return Storability::kNoStore;
  if (control.is_private) return Storability::kPrivate;
  if (input.request.authorized && !AllowsAuthorized(control)) return Storability::kAuthorization;
  if (response.fields.Has("Set-Cookie") && !IsForEverybody(input.directives)) {
    return Storability::kSetCookie;
  }
  if (!IsEverUsable(control, input.lifetime)) return Storability::kFreshness;
  if (!ParseVary(response.fields)) return Storability::kVary;
  if (!ReadTags(response.fields)) return Storability::kTags;
  if (response.body.kind == Framing::kUntilClose) return Storability::kFraming;
  if (response.content_length.value_or(0) > input.max_object_bytes) return Storability::kTooLarge;
  return Storability::kStore;
}

bool ConcernsRequestAlone(Storability storability) {
  return storability == Storability::kRequest || storability == Storability::kAuthorization ||
         storability == Storability::kVariant;
}

std::string_view StorabilityName(Storability storability) {
  switch (storability) {
    case Storability::kStore:
      return "stored";
    case Storability::kRequest:
      return "request";
    case Storability::kStatus:
      return "status";
    case Storability::kNoStore:
      return "no-store";
    case Storability::kPrivate:
      return "private";
    case Storability::kAuthorization:
      return "authorization";
    case Storability::kSetCookie:
      return "set-cookie";
    case Storability::kVary:
      return "vary";
    case Storability::kFreshness:
      return "no-freshness";
    case Storability::kFraming:
      return "until-close";
    case Storability::kTags:
      return "too-many-tags";
    case Storability::kTooLarge:
      return "too-large";
    case Storability::kVariant:
      return "long-variant";
    case Storability::kRoom:
      return "no-room";
  }
  return "";
}

}  // namespace meridian::edge
