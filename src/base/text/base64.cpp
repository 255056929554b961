#include "base/text/base64.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace meridian {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

Error NoBase64() { return {Errc::kInvalid, "not Base64"}; }

}  // namespace

std::string Base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += i + k > bytes.size() ? '=' : kLetters[group >> (6 * (3 - k)) & 0x3f];
    }
  }
  return text;
}

Result<std::string> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return Fail(NoBase64());
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    const std::string_view four = text.substr(i, 4);
    const bool last = i + 4 == text.size();
    const size_t letters = !last ? 4 : four.ends_with("==") ? 2 : four.ends_with('=') ? 3 : 4;
    uint32_t group = 0;
    for (size_t k = 0; k < letters; ++k) {
      const size_t value = kLetters.find(four[k]);
      if (value == std::string_view::npos) return Fail(NoBase64());
      group |= static_cast<uint32_t>(value) << (6 * (3 - k));
    }
    for (size_t k = 0; k + 1 < letters; ++k) {
      bytes += static_cast<char>(group >> (8 * (2 - k)) & 0xff);
    }
    const size_t unused_bits = 24 - 8 * (letters - 1);
    if ((group & ((1U << unused_bits) - 1)) != 0) return Fail(NoBase64());
  }
  return bytes;
}

}  // namespace meridian
