// Where a visitor who came without TLS is sent: the same URL by HTTPS. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::edge {

// The Location of a 308 (RFC 9110 15.4.9), for the host that was asked for when it is `domain` or
// below it, else for `domain`: nobody is sent to a host that is not the site's. The port is left
// out where it is 443.
std::string HttpsLocation(const wire::http::RequestHead& request, std::string_view domain,
                          uint16_t https_port);

}  // namespace meridian::edge
