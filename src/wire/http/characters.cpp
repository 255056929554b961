#include "wire/http/characters.hpp"

#include <bit>
#include <cstddef>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace meridian::wire::http {

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  char lower = ToLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool All(std::string_view text, CharacterClass wanted) {
  for (char c : text) {
    if (!Is(c, wanted)) return false;
  }
  return true;
}

const char* SkipValueChars(const char* begin, const char* end) {
#ifdef __SSE2__
  const __m128i space = _mm_set1_epi8(' ');
  const __m128i del = _mm_set1_epi8(0x7f);
  const __m128i tab = _mm_set1_epi8('\t');
  while (end - begin >= 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(begin));
    __m128i printable = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, del),
                                         _mm_cmpeq_epi8(_mm_max_epu8(bytes, space), bytes));
    __m128i allowed = _mm_or_si128(printable, _mm_cmpeq_epi8(bytes, tab));
    auto mask = static_cast<unsigned>(_mm_movemask_epi8(allowed));
    if (mask != 0xffff) return begin + std::countr_one(mask);
    begin += 16;
  }
#endif
  while (begin != end && Is(*begin, kValueChar)) ++begin;
  return begin;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (ToLower(a[i]) != ToLower(b[i])) return false;
  }
  return true;
}

std::string_view TrimWhitespace(std::string_view text) {
  while (!text.empty() && Is(text.front(), kWhitespace)) text.remove_prefix(1);
  while (!text.empty() && Is(text.back(), kWhitespace)) text.remove_suffix(1);
  return text;
}

}  // namespace meridian::wire::http
