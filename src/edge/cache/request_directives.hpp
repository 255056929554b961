// The cache directives, conditions and ranges of a request (RFC 9111 5.2.1, RFC 9110 13 and 14),
// and which requests bypass the cache. Pure; views into the request.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/http/fields/cache_control.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

// Why a request bypasses the cache: no stored response answers it, and its response is not stored.
enum class Bypass : uint8_t {
  kNone,
  kMethod,      // not GET or HEAD
  kBody,        // a GET with a body: the key does not contain the body
  kNomination,  // Connection names fields, which the origin does not get but VariantKey would hold
  kPrecondition,  // If-Match, If-Unmodified-Since: the origin evaluates them (RFC 9111 4.3.2)
  kUpgrade,       // asks to leave HTTP
};

struct CacheRequest {
  Bypass bypass = Bypass::kNone;
  bool head = false;        // HEAD
  bool authorized = false;  // has Authorization
  std::optional<std::string_view> range = {};
  std::optional<std::string_view> if_range = {};
  std::optional<std::string_view> if_none_match = {};
  std::optional<std::string_view> if_modified_since = {};
  // The request's fields when If-None-Match has several lines, which form one list; else null.
  const wire::http::HeaderFields* several_if_none_match = nullptr;
  wire::http::CacheControl control = {};

  bool conditional() const { return if_none_match || if_modified_since; }
};

// One pass over the fields; allocates nothing.
CacheRequest ReadCacheRequest(const wire::http::RequestHead& request);

// The same for a POST whose response may answer a later GET: its body is ignored.
CacheRequest ReadPostAsGet(const wire::http::RequestHead& post);

}  // namespace meridian::edge
