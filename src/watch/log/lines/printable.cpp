#include "watch/log/lines/printable.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "watch/log/entry.hpp"

namespace meridian::watch {
namespace {

constexpr char kEscape = '\x1b';
constexpr char kBell = '\x07';

constexpr bool IsPlainAscii(char c) { return (c >= ' ' && c < '\x7f') || c == '\n' || c == '\t'; }

uint8_t ByteAt(std::string_view bytes, size_t at) {
  return at < bytes.size() ? static_cast<uint8_t>(bytes[at]) : 0;
}

bool IsTrailByte(uint8_t byte) { return (byte & 0xc0) == 0x80; }

// The length of the character at the front of `bytes`, which is not empty; 0: it is not UTF-8, or
// it is one of the controls U+0080 to U+009F.
size_t CharacterBytes(std::string_view bytes) {
  uint8_t first = ByteAt(bytes, 0);
  uint8_t second = ByteAt(bytes, 1);
  if (first < 0x80) return IsPlainAscii(bytes[0]) ? 1 : 0;
  if (first < 0xc2 || !IsTrailByte(second)) return 0;
  if (first < 0xe0) return first == 0xc2 && second < 0xa0 ? 0 : 2;
  if (!IsTrailByte(ByteAt(bytes, 2))) return 0;
  if (first < 0xf0) {
    bool overlong = first == 0xe0 && second < 0xa0;
    bool surrogate = first == 0xed && second >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first > 0xf4 || !IsTrailByte(ByteAt(bytes, 3))) return 0;
  bool overlong = first == 0xf0 && second < 0x90;
  bool too_high = first == 0xf4 && second >= 0x90;
  return overlong || too_high ? 0 : 4;
}

// ESC [ parameters intermediates final; 0: there is none at the front.
size_t ControlSequenceBytes(std::string_view bytes) {
  size_t at = 2;
  while (ByteAt(bytes, at) >= 0x30 && ByteAt(bytes, at) <= 0x3f) ++at;
  while (ByteAt(bytes, at) >= 0x20 && ByteAt(bytes, at) <= 0x2f) ++at;
  return ByteAt(bytes, at) >= 0x40 && ByteAt(bytes, at) <= 0x7e ? at + 1 : 0;
}

// ESC ] text BEL, or ESC ] text ESC backslash; within a line.
size_t SystemCommandBytes(std::string_view bytes) {
  for (size_t at = 2; at < bytes.size() && bytes[at] != '\n'; ++at) {
    if (bytes[at] == kBell) return at + 1;
    if (bytes[at] == kEscape) return ByteAt(bytes, at + 1) == '\\' ? at + 2 : 0;
  }
  return 0;
}

size_t TerminalSequenceBytes(std::string_view bytes) {
  if (bytes[0] != kEscape) return 0;
  if (ByteAt(bytes, 1) == '[') return ControlSequenceBytes(bytes);
  if (ByteAt(bytes, 1) == ']') return SystemCommandBytes(bytes);
  return 0;
}

void AppendEscaped(std::string& out, char c) {
  constexpr std::array<char, 16> kDigits = {'0', '1', '2', '3', '4', '5', '6', '7',
                                            '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'};
  auto byte = static_cast<uint8_t>(c);
  out += "\\x";
  out += kDigits[byte >> 4];
  out += kDigits[byte & 0xf];
}

}  // namespace

bool IsPrintable(std::string_view bytes) {
  // Without a branch for each byte, so that it takes many at a time.
  bool plain = true;
  for (char c : bytes) plain &= IsPlainAscii(c);
  if (plain) return true;
  while (!bytes.empty()) {
    size_t length = CharacterBytes(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

void AppendPrintable(std::string& out, std::string_view bytes, EntryMarks* marks) {
  if (IsPrintable(bytes)) {
    out += bytes;
    return;
  }
  while (!bytes.empty()) {
    if (size_t length = CharacterBytes(bytes); length > 0) {
      out += bytes.substr(0, length);
      bytes.remove_prefix(length);
    } else if (size_t sequence = TerminalSequenceBytes(bytes); sequence > 0) {
      marks->Set(EntryMark::kColours);
      bytes.remove_prefix(sequence);
    } else {
      marks->Set(EntryMark::kEscaped);
      AppendEscaped(out, bytes[0]);
      bytes.remove_prefix(1);
    }
  }
}

}  // namespace meridian::watch
