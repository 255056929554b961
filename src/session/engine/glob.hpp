// Patterns of KEYS, SCAN, PSUBSCRIBE and CONFIG GET: * ? [abc] [^a-z] and \ for the character
// itself. Pure.
#pragma once

#include <string_view>

namespace meridian::session {

// Takes time of at most the product of both lengths, whatever the pattern.
bool MatchesGlob(std::string_view pattern, std::string_view text);

}  // namespace meridian::session
