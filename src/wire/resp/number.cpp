#include "wire/resp/number.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "wire/resp/limits.hpp"

namespace meridian::wire::resp {
namespace {

// FixedDoubleText writes a long double in at most 4,951 bytes.
constexpr size_t kMaxDoubleBytes = size_t{5} * 1024;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::optional<double> Infinity(std::string_view text) {
  double sign = 1;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  std::string lower(text);
  for (char& c : lower) c = Lower(c);
  if (lower != "inf" && lower != "infinity") return std::nullopt;
  return sign * std::numeric_limits<double>::infinity();
}

// Whether `text` is [+-]digits[.digits][e[+-]digits], with a digit before or after the point.
bool IsDecimal(std::string_view text) {
  size_t at = 0;
  auto digits = [&] {
    size_t first = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - first;
  };
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  size_t mantissa = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    mantissa += digits();
  }
  if (mantissa == 0) return false;
  if (at < text.size() && Lower(text[at]) == 'e') {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

template <class Number>
std::optional<Number> ParseDecimal(std::string_view text) {
  if (text.empty() || text.size() > kMaxDoubleBytes) return std::nullopt;
  if (!IsDecimal(text)) {
    std::optional<double> infinity = Infinity(text);
    if (!infinity) return std::nullopt;
    return static_cast<Number>(*infinity);
  }
  if (text[0] == '+') text.remove_prefix(1);
  Number value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<int64_t> ParseInteger(std::string_view text) {
  if (text.empty() || text.size() > kMaxCountDigits) return std::nullopt;
  std::string_view digits = text[0] == '-' ? text.substr(1) : text;
  if (digits.empty() || digits[0] < '0' || digits[0] > '9') return std::nullopt;
  if (digits[0] == '0' && text.size() > 1) return std::nullopt;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseDouble(std::string_view text) { return ParseDecimal<double>(text); }

std::optional<long double> ParseLongDouble(std::string_view text) {
  return ParseDecimal<long double>(text);
}

NumberText IntegerText(int64_t value) {
  NumberText text;  // NOLINT: filled below
  auto [end, error] =
      std::to_chars(text.digits.data(), text.digits.data() + text.digits.size(), value);
  text.size = static_cast<size_t>(end - text.digits.data());
  return text;
}

NumberText DoubleText(double value) {
  NumberText text;  // NOLINT: filled below
  auto [end, error] =
      std::to_chars(text.digits.data(), text.digits.data() + text.digits.size(), value);
  text.size = static_cast<size_t>(end - text.digits.data());
  return text;
}

FixedText FixedDoubleText(long double value) {
  FixedText text;  // NOLINT: filled below
  if (!std::isfinite(value)) return text;
  constexpr int kDigitsAfterPoint = 17;
  auto [end, error] = std::to_chars(text.digits.data(), text.digits.data() + text.digits.size(),
                                    value, std::chars_format::fixed, kDigitsAfterPoint);
  if (error != std::errc()) return text;
  text.size = static_cast<size_t>(end - text.digits.data());
  while (text.digits[text.size - 1] == '0') --text.size;
  if (text.digits[text.size - 1] == '.') --text.size;
  if (text.text() == "-0") return FixedDoubleText(0);
  return text;
}

}  // namespace meridian::wire::resp
