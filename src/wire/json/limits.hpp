// The limits of the JSON codec. Each message's codec sets its own limits.
#pragma once

#include <cstddef>

namespace meridian::wire::json {

// Default limit of a text for Parse.
constexpr size_t kMaxTextBytes = size_t{4} * 1024 * 1024;
// Limit of nested arrays and objects, when parsing and when writing: Value's destructor and Writer
// recurse.
constexpr size_t kMaxDepth = 64;

}  // namespace meridian::wire::json
