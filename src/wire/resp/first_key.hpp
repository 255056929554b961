// The first key of a request that is not parsed yet, so that the caller can prefetch the key's data
// into the processor's cache. Only a guess: RequestParser parses and refuses requests.
#pragma once

#include <string_view>

namespace meridian::wire::resp {

// Removes the first request from `input` and returns its second argument, which for nearly every
// command is its first key. Empty: the request has no second argument, or the front is not a
// complete array of a few bulks; in the latter case all of `input` is removed. Pure; a view into
// `input`.
std::string_view TakeFirstKey(std::string_view* input);

}  // namespace meridian::wire::resp
