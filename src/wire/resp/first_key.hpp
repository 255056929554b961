// FirstKey: the first key of a request that is not parsed yet, for who brings it into the cache of
// the processor before its turn comes. A guess, and only that: requests are parsed and refused by
// RequestParser.
#pragma once

#include <string_view>

namespace meridian::wire::resp {

// Takes the request at the front of `input` off it, and gives its second argument: nearly every
// command's first key. Empty where there is none, and where the front is no whole array of a few
// bulks as clients write it: then all of `input` is taken. Pure; a view into `input`.
std::string_view TakeFirstKey(std::string_view* input);

}  // namespace meridian::wire::resp
