// Numbers as RESP commands and replies write them. Strict: one number has one spelling, so that
// what was stored as text and reads as a number is the same text when it is written again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace meridian::wire::resp {

// A 64-bit integer: no sign but '-', no leading zeros, no blanks, nothing behind it.
std::optional<int64_t> ParseInteger(std::string_view text);
// A finite number, decimal, with or without an exponent, or "inf", "+inf", "-inf" in any case.
// Neither blanks nor hexadecimal, and never NaN.
std::optional<double> ParseDouble(std::string_view text);

// Room for any text of the functions below.
struct NumberText {
  std::array<char, 32> digits;
  size_t size = 0;

  std::string_view text() const { return {digits.data(), size}; }
};
NumberText IntegerText(int64_t value);
// The shortest text that reads as the same double; "inf", "-inf" or "nan" for those.
NumberText DoubleText(double value);

// As INCRBYFLOAT writes its results: 17 significant digits, fixed point where the number is not
// huge, without zeros at the end. Empty when it has no such text (infinite, NaN).
struct FixedText {
  std::array<char, size_t{5} * 1024> digits;
  size_t size = 0;

  std::string_view text() const { return {digits.data(), size}; }
};
FixedText FixedDoubleText(long double value);
// A number for INCRBYFLOAT: as ParseDouble, at the precision in which it adds. Infinities too.
std::optional<long double> ParseLongDouble(std::string_view text);

}  // namespace meridian::wire::resp
