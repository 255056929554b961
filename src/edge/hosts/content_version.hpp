// The version of a content, as in versioned paths: the beginning of its SHA-256.
#pragma once

#include <string>

#include "edge/cache/storage/body.hpp"

namespace meridian::edge {

// kVersionDigits hexadecimal digits of the hash of `body`, which is complete. Computed once for
// each body, or more often when several threads ask for the first time at once.
std::string ContentVersion(Body& body);

}  // namespace meridian::edge
