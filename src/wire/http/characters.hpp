// Character classes of RFC 9110 5.6 and RFC 3986, in one table. Pure functions, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace meridian::wire::http {

enum CharacterClass : uint8_t {
  kTokenChar = 1,   // tchar, RFC 9110 5.6.2
  kValueChar = 2,   // characters of a field value: HTAB, SP, VCHAR, obs-text
  kPathChar = 4,    // a path, except '%'
  kQueryChar = 8,   // a query
  kHostChar = 16,   // unreserved: the part of reg-name that names hosts
  kHexDigit = 32,   // both cases
  kWhitespace = 64  // OWS: SP, HTAB
};

namespace internal {

constexpr void Mark(std::array<uint8_t, 256>& table, std::string_view characters, uint8_t bits) {
  for (char c : characters) table[static_cast<uint8_t>(c)] |= bits;
}

consteval std::array<uint8_t, 256> MakeCharacterTable() {
  constexpr std::string_view kAlphanumeric =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::array<uint8_t, 256> table{};
  Mark(table, kAlphanumeric, kTokenChar | kPathChar | kQueryChar | kHostChar);
  Mark(table, "0123456789abcdefABCDEF", kHexDigit);
  Mark(table, "!#$%&'*+-.^_`|~", kTokenChar);
  Mark(table, "-._~", kPathChar | kQueryChar | kHostChar);
  // pchar and "/" (RFC 3986 3.3), and characters that browsers send unencoded although RFC 3986
  // does not allow them (WHATWG URL, path and query percent-encode sets): refusing ?filter[name]=x
  // would help nobody.
  Mark(table, "!$&'()*+,;=:@/[]{}|^`", kPathChar | kQueryChar);
  // Some servers take a backslash for a slash, so a path must not contain it. A '%' in a query need
  // not start an escape, because our code decodes no query.
  Mark(table, "?%\\", kQueryChar);
  Mark(table, " \t", kWhitespace);
  for (size_t c = 0x20; c < 256; ++c) {
    if (c != 0x7f) table[c] |= kValueChar;
  }
  table['\t'] |= kValueChar;
  return table;
}

inline constexpr std::array<uint8_t, 256> kCharacterTable = MakeCharacterTable();

}  // namespace internal

inline bool Is(char c, CharacterClass wanted) {
  return (internal::kCharacterTable[static_cast<uint8_t>(c)] & wanted) != 0;
}

inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }

inline char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// The value of a hexadecimal digit, or -1.
int HexValue(char c);

// True when every byte of `text` is of the class; true of the empty text.
bool All(std::string_view text, CharacterClass wanted);

// The first byte in [begin, end) that a field value may not hold, or `end`.
const char* SkipValueChars(const char* begin, const char* end);

namespace internal {

template <class Word>
Word LoadWord(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Converts the capitals among eight characters to lower case.
inline uint64_t ToLowerWord(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighBits = 0x80 * kOnes;
  uint64_t low_bits = word & ~kHighBits;
  uint64_t from_a = low_bits + (0x80 - 'A') * kOnes;
  uint64_t past_z = low_bits + (0x80 - 'Z' - 1) * kOnes;
  uint64_t capitals = (from_a ^ past_z) & ~word & kHighBits;
  return word | capitals >> 2;  // 0x80 >> 2 is the bit that differs between 'a' and 'A'
}

// Of the same size.
inline bool SameLetters(std::string_view left, std::string_view right) {
  const char* a = left.data();
  const char* b = right.data();
  size_t size = left.size();
  if (size >= 8) {
    size_t last = size - 8;
    for (size_t i = 0; i < last; i += 8) {
      if (ToLowerWord(LoadWord<uint64_t>(a + i)) != ToLowerWord(LoadWord<uint64_t>(b + i))) {
        return false;
      }
    }
    return ToLowerWord(LoadWord<uint64_t>(a + last)) == ToLowerWord(LoadWord<uint64_t>(b + last));
  }
  for (size_t i = 0; i < size; ++i) {
    if (ToLower(a[i]) != ToLower(b[i])) return false;
  }
  return true;
}

// Whether all eight characters are letters or '-'.
inline bool IsLettersAndDashes(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighBits = 0x80 * kOnes;
  constexpr uint64_t kLowBits = ~kHighBits;
  uint64_t small = (word | 0x20 * kOnes) & kLowBits;  // makes a letter of no other character
  uint64_t letters = ((small + (0x80 - 'a') * kOnes) ^ (small + (0x80 - 'z' - 1) * kOnes)) & ~word;
  uint64_t difference = word ^ '-' * kOnes;
  uint64_t dashes = ~((difference & kLowBits) + kLowBits | difference);
  return ((letters | dashes) & kHighBits) == kHighBits;
}

}  // namespace internal

// A token: at least one tchar. Eight letters at once, as nearly all names have no other characters.
inline bool IsToken(std::string_view text) {
  if (text.size() >= 8) {
    size_t last = text.size() - 8;
    bool plain = internal::IsLettersAndDashes(internal::LoadWord<uint64_t>(text.data() + last));
    for (size_t i = 0; plain && i < last; i += 8) {
      plain = internal::IsLettersAndDashes(internal::LoadWord<uint64_t>(text.data() + i));
    }
    if (plain) return true;
  }
  return !text.empty() && All(text, kTokenChar);
}

// ASCII case-insensitive equality (field names, connection options, coding names). Inline, because
// it is called often, and most calls end at the comparison of sizes.
inline bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && internal::SameLetters(a, b);
}

// `text` without OWS at either end.
std::string_view TrimWhitespace(std::string_view text);

}  // namespace meridian::wire::http
