// The limits of the JSON codec. Each message's codec sets its own limits.
#pragma once

#include <cstddef>

namespace meridian::wire::json {

// Of a text to parse, unless the caller allows less or more.
constexpr size_t kMaxTextBytes = size_t{4} * 1024 * 1024;
// Arrays and objects inside each other, when parsing and when writing: Value's destructor and
// Writer recurse.
constexpr size_t kMaxDepth = 64;

}  // namespace meridian::wire::json
