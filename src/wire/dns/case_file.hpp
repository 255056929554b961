// For tests: messages written by hand, in a text file of testdata/. A line is
//   WORD | BYTES | DESCRIPTION
// with bytes as hexadecimal digits and 'text' in any mixture, and # before a comment line. "*N"
// behind a token of bytes repeats it N times.
#pragma once

#include <charconv>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace meridian::wire::dns {

struct FileCase {
  std::string word;
  std::vector<uint8_t> bytes;
  std::string description;
};

// Parses all of `text` as a number in `base`.
inline int NumberOf(std::string_view text, int base) {
  int number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  EXPECT_TRUE(error == std::errc{} && end == text.data() + text.size()) << text;
  return number;
}

inline std::vector<uint8_t> BytesOfToken(std::string_view token) {
  size_t star = token.find('*');
  std::string_view body = token.substr(0, star);
  std::vector<uint8_t> once;
  if (body.front() == '\'') {
    once.assign(body.begin() + 1, body.end() - 1);
  } else {
    for (size_t i = 0; i < body.size(); i += 2) {
      once.push_back(static_cast<uint8_t>(NumberOf(body.substr(i, 2), 16)));
    }
  }
  int times = star == std::string_view::npos ? 1 : NumberOf(token.substr(star + 1), 10);
  std::vector<uint8_t> all;
  for (int i = 0; i < times; ++i) all.insert(all.end(), once.begin(), once.end());
  return all;
}

inline std::vector<uint8_t> BytesOf(const std::string& text) {
  std::vector<uint8_t> bytes;
  std::istringstream tokens(text);
  for (std::string token; tokens >> token;) {
    std::vector<uint8_t> more = BytesOfToken(token);
    bytes.insert(bytes.end(), more.begin(), more.end());
  }
  return bytes;
}

inline std::string Trimmed(const std::string& text) {
  size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

inline std::vector<FileCase> ReadCases(const std::string& name) {
  std::ifstream input(MERIDIAN_TESTDATA "/" + name);
  EXPECT_TRUE(input) << name;
  std::vector<FileCase> lines;
  for (std::string text; std::getline(input, text);) {
    if (text.empty() || text[0] == '#') continue;
    size_t first = text.find('|');
    size_t second = text.find('|', first + 1);
    EXPECT_NE(second, std::string::npos) << text;
    lines.push_back({Trimmed(text.substr(0, first)),
                     BytesOf(text.substr(first + 1, second - first - 1)),
                     Trimmed(text.substr(second + 1))});
  }
  return lines;
}

}  // namespace meridian::wire::dns
