#include "edge/cache/storability.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/piece.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/tags.hpp"
#include "edge/cache/validation.hpp"
#include "edge/cache/vary.hpp"
#include "wire/http/fields/cache_control.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::CacheControl;
using Framing = wire::http::BodyFraming::Kind;

bool IsOneOf(int status, std::span<const int> codes) {
  return std::ranges::find(codes, status) != codes.end();
}

// Whether a status describes the resource (RFC 9111 3 allows any final status). Some describe a
// part of the request that is not in the key: preconditions and ranges (206, 304, 412, 416), a body
// (413), expectations (417), the size of fields (431). One visitor must not cause such answers for
// others.
bool IsStorableStatus(int status, bool errors) {
  constexpr std::array kAboutTheRequest = {206, 304, 412, 413, 416, 417, 431};
  constexpr int kFirstFinal = 200;
  constexpr int kFirstError = 500;
  constexpr int kFirstInvalid = 600;
  const int end = errors ? kFirstInvalid : kFirstError;
  return status >= kFirstFinal && status < end && !IsOneOf(status, kAboutTheRequest);
}

// Whether the response is a single part with a Content-Range (RFC 9111 3.3).
bool IsPiece(const wire::http::ResponseHead& response) {
  if (response.status != 206 || response.fields.Count("Content-Range") != 1) return false;
  const std::optional<Piece> piece = ParsePiece(*response.fields.Find("Content-Range"));
  return piece && response.content_length.value_or(piece->range.size()) == piece->range.size();
}

// Statuses whose requirements for caches are known (RFC 9111 5.2.2.3): those of RFC 9110 15, and
// 308 and 451.
bool IsUnderstoodStatus(int status) {
  constexpr std::array kCodes = {200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 305, 307,
                                 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411,
                                 414, 415, 421, 422, 426, 451, 500, 501, 502, 503, 504, 505};
  return IsOneOf(status, kCodes);
}

bool AllowsSetCookie(const CacheControl& control, const StoreRules& rules) {
  return rules.set_cookie && (control.is_public || control.s_maxage.has_value());
}

// Whether the response to a request with Authorization may be stored (RFC 9111 3.5).
bool AllowsAuthorized(const CacheControl& control) {
  return control.is_public || control.must_revalidate || control.s_maxage.has_value();
}

// Whether a 304 can validate the response (RFC 9110 13.2.1: only a 200).
bool IsConfirmable(const StorabilityInput& input) {
  return input.response.status == 200 &&
         CanBeValidatedEachTime(input.directives.control, ValidatorsOf(input.response.fields));
}

// Whether the response can be used later: while it is fresh, or after validation.
bool IsEverUsable(const StorabilityInput& input) {
  const CacheControl& control = input.directives.control;
  if (control.no_cache) return IsConfirmable(input);
  if (!input.lifetime) return false;
  if (*input.lifetime > Duration::zero()) return true;
  return control.stale_while_revalidate || control.stale_if_error || IsConfirmable(input);
}

}  // namespace

Storability JudgeStorability(const StorabilityInput& input) {
  const CacheControl& control = input.directives.control;
  const wire::http::ResponseHead& response = input.response;
  if (input.request.bypass != Bypass::kNone || input.request.control.no_store) {
    return Storability::kRequest;
  }
  if (!IsStorableStatus(response.status, input.rules.errors) && !IsPiece(response)) {
    return Storability::kStatus;
  }
  // must-understand overrides no-store when the status is understood (RFC 9111 5.2.2.3).
  if (control.must_understand && !IsUnderstoodStatus(response.status)) return Storability::kStatus;
  if (control.no_store && !control.must_understand) return Storability::kNoStore;
  if (control.is_private) return Storability::kPrivate;
  if (input.request.authorized && !AllowsAuthorized(control)) return Storability::kAuthorization;
  if (response.fields.Has("Set-Cookie") && !AllowsSetCookie(control, input.rules)) {
    return Storability::kSetCookie;
  }
  if (!IsEverUsable(input)) return Storability::kFreshness;
  if (!ParseVary(response.fields)) return Storability::kVary;
  if (!ReadTags(response.fields)) return Storability::kTags;
  if (response.body.kind == Framing::kUntilClose) return Storability::kFraming;
  if (response.content_length.value_or(0) > input.rules.max_object_bytes)
    return Storability::kTooLarge;
  return Storability::kStore;
}

bool CanBeValidatedEachTime(const CacheControl& control, const Validators& validators) {
  return !validators.etag.empty() || (control.is_public && !validators.last_modified.empty());
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
