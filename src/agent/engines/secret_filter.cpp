#include "agent/engines/secret_filter.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

namespace meridian::agent {
namespace {

constexpr std::string_view kShown = "[secret]";
// Shorter parts of a URL, such as "/", are no secrets.
constexpr size_t kMinPartBytes = 4;
constexpr unsigned char kFirstPrintable = 0x20;
constexpr unsigned char kDelete = 0x7f;
// Go's net/url: what it leaves as it is in a password and in a path, beside letters and digits.
constexpr std::string_view kPlainInPassword = "-_.~$&+,;=";
constexpr std::string_view kPlainInPath = "-_.~$&+,/:;=@";

bool IsControl(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return byte < kFirstPrintable || byte == kDelete;
}

// Go's strconv.Quote, without the quotes around it.
std::string Quoted(std::string_view text) {
  std::string quoted;
  for (char letter : text) {
    if (letter == '"' || letter == '\\') {
      quoted += {'\\', letter};
    } else if (letter == '\n' || letter == '\r' || letter == '\t') {
      quoted += letter == '\n' ? "\\n" : letter == '\r' ? "\\r" : "\\t";
    } else if (IsControl(letter)) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(letter));
    } else {
      quoted += letter;
    }
  }
  return quoted;
}

// Go's encoding/json, without the quotes around it: it also escapes what means something to HTML.
std::string Json(std::string_view text) {
  std::string json;
  for (char letter : text) {
    const bool control = IsControl(letter) && static_cast<unsigned char>(letter) != kDelete;
    if (letter == '"' || letter == '\\') {
      json += {'\\', letter};
    } else if (letter == '\n' || letter == '\r' || letter == '\t') {
      json += letter == '\n' ? "\\n" : letter == '\r' ? "\\r" : "\\t";
    } else if (control || letter == '<' || letter == '>' || letter == '&') {
      json += fmt::format("\\u{:04x}", static_cast<unsigned char>(letter));
    } else {
      json += letter;
    }
  }
  return json;
}

std::string PercentDecoded(std::string_view text) {
  constexpr size_t kEscapeBytes = 3;
  constexpr int kHexadecimal = 16;
  std::string decoded;
  while (!text.empty()) {
    unsigned char byte = 0;
    const char* digits = text.data() + 1;
    if (text[0] == '%' && text.size() >= kEscapeBytes &&
        std::from_chars(digits, digits + 2, byte, kHexadecimal).ptr == digits + 2) {
      decoded += static_cast<char>(byte);
      text.remove_prefix(kEscapeBytes);
    } else {
      decoded += text[0];
      text.remove_prefix(1);
    }
  }
  return decoded;
}

// As net/url spells it when it writes a URL.
std::string Escaped(std::string_view text, std::string_view plain) {
  std::string escaped;
  for (char letter : PercentDecoded(text)) {
    if (std::isalnum(static_cast<unsigned char>(letter)) != 0 || plain.contains(letter)) {
      escaped += letter;
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    }
  }
  return escaped;
}

// The secret, and of a URL the parts that are printed apart.
std::vector<std::string> PartsOf(const std::string& secret) {
  constexpr std::string_view kAfterScheme = "://";
  std::vector<std::string> parts = {secret};
  const size_t scheme = secret.find(kAfterScheme);
  if (scheme == std::string::npos) return parts;
  const std::string_view rest = std::string_view(secret).substr(scheme + kAfterScheme.size());
  const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  const std::string_view target = rest.substr(end);
  const size_t at = authority.rfind('@');
  const size_t colon = authority.find(':');
  std::vector<std::string> found;
  if (at != std::string_view::npos && colon < at) {
    const std::string_view password = authority.substr(colon + 1, at - colon - 1);
    found.emplace_back(password);
    found.push_back(PercentDecoded(password));
    found.push_back(Escaped(password, kPlainInPassword));
  }
  const size_t path = std::min(target.find_first_of("?#"), target.size());
  found.emplace_back(target);
  found.push_back(Escaped(target.substr(0, path), kPlainInPath) + std::string(target.substr(path)));
  for (std::string& part : found) {
    if (part.size() >= kMinPartBytes) parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace

SecretFilter::SecretFilter(const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (const std::string& part : PartsOf(secret)) {
      const std::string quoted = Quoted(part);
      // JSON is written with and without what is meant for HTML.
      spellings_.insert(spellings_.end(), {part, quoted, Quoted(quoted), Json(part), Json(quoted)});
    }
  }
  std::ranges::sort(spellings_, std::ranges::greater(), &std::string::size);
}

std::string SecretFilter::Hide(std::string_view line) const {
  std::string hidden;
  while (!line.empty()) {
    auto found = std::ranges::find_if(
        spellings_, [&](const std::string& spelling) { return line.starts_with(spelling); });
    const bool none = found == spellings_.end();
    hidden += none ? line.substr(0, 1) : kShown;
    line.remove_prefix(none ? 1 : found->size());
  }
  return hidden;
}

}  // namespace meridian::agent
