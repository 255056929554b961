// The site's name for static files, cdn.<domain>: nothing but reading, only below certain paths,
// and no cookies either way, so that what it serves is the same for everybody. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::edge {

// `authority` with or without a port. Without a domain there is no such host.
bool IsCdnHost(std::string_view authority, std::string_view domain);

enum class CdnVerdict : uint8_t {
  kServe,
  kMethod,  // 405: it is not read
  kPath,    // 404: no static file is there
};

// For requests to the CDN's host. `paths`: each a path, or, with '/' at its end, all below. Of a
// versioned path the plain one counts.
CdnVerdict JudgeCdn(const wire::http::RequestHead& request, std::span<const std::string> paths);

}  // namespace meridian::edge
