#include "wire/http/characters.hpp"

#include <bit>
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

#ifdef __SSE2__
namespace {

// Checks sixteen bytes: one bit for each byte that a field value may hold, the first byte's lowest.
unsigned ValueChars(__m128i bytes) {
  __m128i printable =
      _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)),
                       _mm_cmpeq_epi8(_mm_max_epu8(bytes, _mm_set1_epi8(' ')), bytes));
  __m128i allowed = _mm_or_si128(printable, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')));
  return static_cast<unsigned>(_mm_movemask_epi8(allowed));
}

unsigned SixteenValueChars(const char* at) {
  return ValueChars(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}

// The upper eight bits are 0.
unsigned EightValueChars(const char* at) {
  return ValueChars(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)));
}

}  // namespace

const char* SkipValueChars(const char* begin, const char* end) {
  constexpr unsigned kSixteen = 0xffff;
  constexpr unsigned kEight = 0xff;
  const char* from = begin;
  for (; end - from >= 16; from += 16) {
    unsigned allowed = SixteenValueChars(from);
    if (allowed != kSixteen) return from + std::countr_one(allowed);
  }
  // Reads the last bytes together with earlier bytes, which are allowed.
  if (from == end) return end;
  if (end - begin >= 16) {
    unsigned allowed = SixteenValueChars(end - 16);
    return allowed == kSixteen ? end : end - 16 + std::countr_one(allowed);
  }
  if (end - begin >= 8) {
    unsigned allowed = EightValueChars(begin);
    if (allowed != kEight) return begin + std::countr_one(allowed);
    allowed = EightValueChars(end - 8);
    return allowed == kEight ? end : end - 8 + std::countr_one(allowed);
  }
  while (from != end && Is(*from, kValueChar)) ++from;
  return from;
}
#else
const char* SkipValueChars(const char* begin, const char* end) {
  while (begin != end && Is(*begin, kValueChar)) ++begin;
  return begin;
}
#endif

std::string_view TrimWhitespace(std::string_view text) {
  while (!text.empty() && Is(text.front(), kWhitespace)) text.remove_prefix(1);
  while (!text.empty() && Is(text.back(), kWhitespace)) text.remove_suffix(1);
  return text;
}

}  // namespace meridian::wire::http
