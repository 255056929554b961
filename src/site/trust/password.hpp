// Passwords that the processes of a site know without being told: derived from the admin token,
// which every state directory of the site holds, so that nothing else need be handed out. Pure.
#pragma once

#include <string_view>

#include "site/secret.hpp"

namespace meridian::site {

// 64 hexadecimal digits: HMAC-SHA-256 of `purpose` under the token. It tells nothing of the token,
// nor of the password for another purpose.
Secret PasswordFor(const Secret& token, std::string_view purpose);

}  // namespace meridian::site
