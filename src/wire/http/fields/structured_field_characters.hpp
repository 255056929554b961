// Code shared by the parser and the writer of structured fields: the characters of keys and tokens,
// and the bounds of numbers. Private to structured_field*.cpp. Pure.
#pragma once

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

}  // namespace meridian::wire::http::structured
