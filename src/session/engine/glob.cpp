#include "session/engine/glob.hpp"

#include <cstddef>
#include <string_view>
#include <utility>

namespace meridian::session {
namespace {

// Matches one character with the set that begins at `at` (behind the bracket), and moves `at`
// behind it. A set without a closing bracket extends to the end of the pattern.
bool MatchesSet(std::string_view pattern, size_t* at, char c) {
  size_t i = *at;
  bool negated = i < pattern.size() && pattern[i] == '^';
  if (negated) ++i;
  bool found = false;
  while (i < pattern.size() && pattern[i] != ']') {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      found |= pattern[i + 1] == c;
      i += 2;
    } else if (i + 2 < pattern.size() && pattern[i + 1] == '-') {
      auto low = static_cast<unsigned char>(pattern[i]);
      auto high = static_cast<unsigned char>(pattern[i + 2]);
      if (low > high) std::swap(low, high);
      auto wanted = static_cast<unsigned char>(c);
      found |= wanted >= low && wanted <= high;
      i += 3;
    } else {
      found |= pattern[i++] == c;
    }
  }
  *at = i < pattern.size() ? i + 1 : i;
  return found != negated;
}

// Matches one character with what is at `at`, which is no star, and moves `at` behind it.
bool MatchesOne(std::string_view pattern, size_t* at, char c) {
  switch (pattern[*at]) {
    case '?':
      ++*at;
      return true;
    case '[':
      ++*at;
      return MatchesSet(pattern, at, c);
    case '\\':
      if (*at + 1 < pattern.size()) ++*at;
      [[fallthrough]];
    default:
      return pattern[(*at)++] == c;
  }
}

}  // namespace

bool MatchesGlob(std::string_view pattern, std::string_view text) {
  size_t at = 0;
  size_t i = 0;
  // The position of the last star, and the text that it matches: only this star is retried.
  size_t after_star = std::string_view::npos;
  size_t star_text = 0;
  while (i < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      after_star = ++at;
      star_text = i;
      continue;
    }
    if (at < pattern.size() && MatchesOne(pattern, &at, text[i])) {
      ++i;
      continue;
    }
    if (after_star == std::string_view::npos) return false;
    at = after_star;
    i = ++star_text;
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace meridian::session
