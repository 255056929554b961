// What a request asks of the cache (RFC 9111 5.2.1, RFC 9110 13 and 14), and which requests go past
// it. Pure; views into the request.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/http/fields/cache_control.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

// Why a request is neither answered from the cache nor its answer stored.
enum class Bypass : uint8_t {
  kNone,
  kMethod,        // not GET or HEAD
  kBody,          // a GET with a body: what the body says is in no key
  kNomination,    // Connection names fields: the origin is not told what the key would hold
  kPrecondition,  // If-Match and If-Unmodified-Since are the origin's to judge (RFC 9111 4.3.2)
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
  // Of the request, when If-None-Match stands on several lines, which are one list.
  const wire::http::HeaderFields* several_if_none_match = nullptr;
  wire::http::CacheControl control = {};

  bool conditional() const { return if_none_match || if_modified_since; }
};

// One pass over the fields; allocates nothing.
CacheRequest ReadCacheRequest(const wire::http::RequestHead& request);

// The same of a POST, for its answer as that to a GET: the body has no part in it.
CacheRequest ReadPostAsGet(const wire::http::RequestHead& post);

}  // namespace meridian::edge
