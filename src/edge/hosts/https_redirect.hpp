// The redirect of a request without TLS to the same URL with HTTPS. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::edge {

// The Location of a 308 (RFC 9110 15.4.9): with the requested host when it is `domain` or a
// subdomain, else with `domain`, so that no redirect leads to a foreign host. Port 443 is left out.
std::string HttpsLocation(const wire::http::RequestHead& request, std::string_view domain,
                          uint16_t https_port);

}  // namespace meridian::edge
