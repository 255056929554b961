// The site's host for static files, cdn.<domain>: safe methods and configured paths only, and no
// cookies in either direction, so that its responses are the same for all visitors. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::edge {

// `authority` with or without a port. Always false for an empty `domain`.
bool IsCdnHost(std::string_view authority, std::string_view domain);

enum class CdnVerdict : uint8_t {
  kServe,
  kMethod,  // 405: neither GET nor HEAD
  kPath,    // 404: not below a static path
};

// For requests to the CDN's host. `paths`: exact paths, or, with '/' at the end, prefixes. Of a
// versioned path the plain path counts.
CdnVerdict JudgeCdn(const wire::http::RequestHead& request, std::span<const std::string> paths);

}  // namespace meridian::edge
