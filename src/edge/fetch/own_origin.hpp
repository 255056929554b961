// Cross-origin requests between names of the same site, such as those of the fallback script for
// assets of another data center: the page may read the response (Fetch, "CORS protocol"). Pure.
#pragma once

#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::edge {

inline constexpr std::string_view kAllowOriginField = "Access-Control-Allow-Origin";

// The request's Origin when it is `domain` or a subdomain and the method is safe; else empty. It is
// the value of Access-Control-Allow-Origin. Access-Control-Allow-Credentials is never sent, so that
// a page cannot read a response that a cookie protects.
std::string_view OwnOrigin(const wire::http::RequestHead& request, std::string_view domain);

}  // namespace meridian::edge
