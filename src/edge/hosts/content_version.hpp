// The version of a content, as in versioned paths: the beginning of its SHA-256.
#pragma once

#include <string_view>

#include "edge/cache/storage/body.hpp"

namespace meridian::edge {

// kVersionDigits hexadecimal digits, valid as long as `body`, which is complete. Computed once for
// each body.
std::string_view ContentVersion(Body& body);

}  // namespace meridian::edge
