// Parses and writes numbers of RESP commands and replies. Strict: one number has one spelling, so
// that a stored text that parses as a number is written back as the same text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace meridian::wire::resp {

// A 64-bit integer: no sign except '-', no leading zeros, no blanks, nothing after it.
std::optional<int64_t> ParseInteger(std::string_view text);
// A finite decimal number, with or without exponent, or "inf", "+inf", "-inf" in any case. Neither
// blanks nor hexadecimal, and never NaN.
std::optional<double> ParseDouble(std::string_view text);

// Space for any text of the functions below.
struct NumberText {
  std::array<char, 32> digits;
  size_t size = 0;

  std::string_view text() const { return {digits.data(), size}; }
};
NumberText IntegerText(int64_t value);
// The shortest text that parses to the same double; also "inf", "-inf" and "nan".
NumberText DoubleText(double value);

// A number in the format of INCRBYFLOAT's results: 17 significant digits, fixed point unless the
// number is huge, without trailing zeros. Empty for infinity and NaN.
struct FixedText {
  std::array<char, size_t{5} * 1024> digits;
  size_t size = 0;

  std::string_view text() const { return {digits.data(), size}; }
};
FixedText FixedDoubleText(long double value);
// As ParseDouble, in the precision of INCRBYFLOAT's addition. Accepts infinities too.
std::optional<long double> ParseLongDouble(std::string_view text);

}  // namespace meridian::wire::resp
