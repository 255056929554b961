// Reads the kernel's text files by lines and fields. A line counts only if its newline is there: a
// number that was cut off looks like a smaller one. Pure.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace meridian::agent {

inline std::vector<std::string_view> WholeLines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

// The fields between spaces and tabs.
inline std::vector<std::string_view> Fields(std::string_view line) {
  constexpr std::string_view kBlanks = " \t";
  std::vector<std::string_view> fields;
  for (size_t at = line.find_first_not_of(kBlanks); at != line.npos;) {
    const size_t end = line.find_first_of(kBlanks, at);
    fields.push_back(line.substr(at, end - at));
    at = end == line.npos ? end : line.find_first_not_of(kBlanks, end);
  }
  return fields;
}

// A decimal number without sign that fits 64 bits.
inline std::optional<uint64_t> WholeNumber(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace meridian::agent
