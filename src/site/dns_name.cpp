#include "site/dns_name.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "base/result.hpp"
#include "site/limits.hpp"

namespace meridian::site {
namespace {

bool IsLabelLetter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-';
}

}  // namespace

Result<> CheckLabel(std::string_view text) {
  if (text.empty()) return Fail(Errc::kInvalid, "it is empty");
  if (text.size() > kMaxLabelBytes) {
    return Fail(Errc::kTooLarge, "it has {} letters, at most {} are allowed", text.size(),
                kMaxLabelBytes);
  }
  if (!std::ranges::all_of(text, IsLabelLetter)) {
    return Fail(Errc::kInvalid, "only a-z, 0-9 and '-' are allowed");
  }
  if (text.front() == '-' || text.back() == '-') {
    return Fail(Errc::kInvalid, "'-' may not stand at its ends");
  }
  return {};
}

Result<> CheckDomain(std::string_view text) {
  if (text.size() > kMaxDomainBytes) {
    return Fail(Errc::kTooLarge, "it has {} letters, at most {} are allowed", text.size(),
                kMaxDomainBytes);
  }
  if (text.ends_with('.')) return Fail(Errc::kInvalid, "write it without the dot at its end");
  if (!text.contains('.')) return Fail(Errc::kInvalid, "at least two labels are expected");
  while (true) {
    size_t dot = text.find('.');
    Result<> label = CheckLabel(text.substr(0, dot));
    if (!label) {
      return Fail(label.error().code, "in label '{}', {}", text.substr(0, dot),
                  label.error().message);
    }
    if (dot == std::string_view::npos) return {};
    text.remove_prefix(dot + 1);
  }
}

}  // namespace meridian::site
