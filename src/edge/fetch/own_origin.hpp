// Whether a page of the site itself asks from another name of it, as the fallback script does when
// it fetches an asset from another place: such a page may read the answer (Fetch, "CORS protocol").
// Pure.
#pragma once

#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::edge {

inline constexpr std::string_view kAllowOriginField = "Access-Control-Allow-Origin";

// The request's Origin when it is `domain` or below it and the request asks for nothing but to
// read; else empty. It is what Access-Control-Allow-Origin may name: without a word on credentials,
// so that nothing that a cookie protects is shown.
std::string_view OwnOrigin(const wire::http::RequestHead& request, std::string_view domain);

}  // namespace meridian::edge
