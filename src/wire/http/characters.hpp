// Character classes of RFC 9110 5.6 and RFC 3986, as one table. Pure functions, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace meridian::wire::http {

enum CharacterClass : uint8_t {
  kTokenChar = 1,   // tchar, RFC 9110 5.6.2
  kValueChar = 2,   // what a field value may hold: HTAB, SP, VCHAR, obs-text
  kPathChar = 4,    // a path, '%' apart
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
  // pchar and "/" (RFC 3986 3.3), and what browsers send unencoded although RFC 3986 has no place
  // for it (WHATWG URL, path and query percent-encode sets): refusing ?filter[name]=x helps nobody.
  Mark(table, "!$&'()*+,;=:@/[]{}|^`", kPathChar | kQueryChar);
  // A backslash is a second slash to some servers, so a path has none. A '%' in a query need not
  // start an escape; nothing of ours decodes a query.
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

// A token: at least one tchar.
inline bool IsToken(std::string_view text) { return !text.empty() && All(text, kTokenChar); }

// The first byte in [begin, end) that a field value may not hold, or `end`. 16 bytes a step.
const char* SkipValueChars(const char* begin, const char* end);

// ASCII case-insensitive equality (field names, connection options, coding names).
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// `text` without OWS at both ends.
std::string_view TrimWhitespace(std::string_view text);

}  // namespace meridian::wire::http
