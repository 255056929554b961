// Normalises paths for matching, and parses URLs (RFC 3986). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace meridian::wire::http {

// The relation of a request path to a reserved prefix such as "/.meridian".
enum class PathMatch : uint8_t {
  kOutside,
  kWithin,     // the path is the prefix, or the prefix and "/...", in plain spelling
  kDisguised,  // the path is within the prefix in another spelling ("/%2emeridian/x",
               // "//.meridian", "/a/../.meridian"), passes through it ("/.meridian/../a"), or
               // cannot be normalised: neither serve nor forward it
};

// `prefix` is in normal form, without a slash at its end. Does not allocate for the common path:
// one without '%', "//" and "/.".
PathMatch MatchPath(std::string_view path, std::string_view prefix);

// An absolute http or https URL.
struct Url {
  bool https = false;
  std::string host;    // lower case; an IPv6 address without its brackets
  uint16_t port = 80;  // from the scheme when the URL has none
  std::string target;  // path and query as in a request line, at least "/"

  // "host" or "host:port" for a Host field: brackets around IPv6, no default port.
  std::string authority() const;
};

// kInvalid for another scheme, userinfo, or characters that a request line refuses. A fragment is
// dropped: it never leaves the client.
Result<Url> ParseUrl(std::string_view text);

}  // namespace meridian::wire::http
