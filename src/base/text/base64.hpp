// Base64 (RFC 4648 4), with padding.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace meridian {

std::string Base64(std::string_view bytes);
// The bytes. kInvalid: another letter, a wrong length or padding, or bits that no byte has.
Result<std::string> FromBase64(std::string_view text);

}  // namespace meridian
