// For tests: cases of wire input in a text file of testdata/, one per line:
//
//   what is expected | input, with \r \n \t \\ and \xHH
//
// Empty lines and lines that begin with '#' are skipped.
#pragma once

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "wire/http/characters.hpp"

namespace meridian::wire::http {

struct FileCase {
  std::string expected;
  std::string input;
  int line = 0;
};

inline std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain.push_back(text[i]);
      continue;
    }
    CHECK(++i < text.size());
    switch (text[i]) {
      case 'r':
        plain.push_back('\r');
        break;
      case 'n':
        plain.push_back('\n');
        break;
      case 't':
        plain.push_back('\t');
        break;
      case '\\':
        plain.push_back('\\');
        break;
      default:
        CHECK(text[i] == 'x' && i + 2 < text.size());
        plain.push_back(static_cast<char>(HexValue(text[i + 1]) << 4 | HexValue(text[i + 2])));
        i += 2;
    }
  }
  return plain;
}

inline std::vector<FileCase> ReadCases(const std::string& name) {
  std::ifstream file(MERIDIAN_TESTDATA "/" + name);
  CHECK(file.is_open());
  std::vector<FileCase> cases;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    size_t bar = line.find('|');
    CHECK(bar != std::string::npos);
    cases.push_back({.expected = std::string(TrimWhitespace(line.substr(0, bar))),
                     .input = Unescape(TrimWhitespace(line.substr(bar + 1))),
                     .line = number});
  }
  return cases;
}

}  // namespace meridian::wire::http
