// Passwords of a site's processes, derived from the admin token. Every state directory of the site
// holds the token, so passwords need no distribution. Pure.
#pragma once

#include <string_view>

#include "site/secret.hpp"

namespace meridian::site {

// 64 hexadecimal digits: HMAC-SHA-256 of `purpose` under the token. It reveals neither the token
// nor the password for another purpose.
Secret PasswordFor(const Secret& token, std::string_view purpose);

}  // namespace meridian::site
