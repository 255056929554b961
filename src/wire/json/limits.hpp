// The limits of the JSON codec. What a kind of message may hold is its own codec's to say.
#pragma once

#include <cstddef>

namespace meridian::wire::json {

// Of a text to parse, unless the caller allows less or more.
constexpr size_t kMaxTextBytes = size_t{4} * 1024 * 1024;
// Arrays and objects inside each other, both ways: Value's destructor and Writer recurse as deep.
constexpr size_t kMaxDepth = 64;

}  // namespace meridian::wire::json
