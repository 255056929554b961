// Code shared by the parser and the writer of structured fields: the characters of keys and tokens,
// the bounds of numbers, and UTF-8. Private to structured_field*.cpp. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/http/characters.hpp"

namespace meridian::wire::http::structured {

constexpr int64_t kMaxInteger = 999'999'999'999'999;  // RFC 9651 3.3.1
constexpr int64_t kMaxThousandths = 999'999'999'999'999;
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

inline bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
inline bool IsAlpha(char c) { return IsLower(ToLower(c)); }
inline bool IsKeyStart(char c) { return IsLower(c) || c == '*'; }
inline bool IsKeyChar(char c) {
  return IsKeyStart(c) || IsDigit(c) || c == '_' || c == '-' || c == '.';
}
inline bool IsTokenStart(char c) { return IsAlpha(c) || c == '*'; }
inline bool IsTokenRest(char c) { return Is(c, kTokenChar) || c == ':' || c == '/'; }
inline bool IsVisible(char c) { return c >= 0x20 && c <= 0x7e; }

// Whether `text` is well-formed UTF-8: shortest forms, no surrogates, nothing past U+10FFFF.
inline bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    auto lead = static_cast<uint8_t>(text[i]);
    size_t more = lead < 0x80 ? 0 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || text.size() - i <= more) return false;
    uint32_t code = more == 0 ? lead : lead & (0x3f >> more);
    for (size_t k = 1; k <= more; ++k) {
      auto next = static_cast<uint8_t>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3f);
    }
    bool overlong = (more == 2 && code < 0x800) || (more == 3 && code < 0x10000);
    if (overlong || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return false;
    i += more + 1;
  }
  return true;
}

}  // namespace meridian::wire::http::structured
