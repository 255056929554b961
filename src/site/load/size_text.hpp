// Sizes of memory and files in site.toml: a whole number and its unit, "512KiB",
// "256MiB", "4GiB".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace meridian::site {

// In bytes. kInvalid for any other spelling (no unit, "MB", a fraction, a sign, a space, more than
// six digits).
Result<uint64_t> ParseSize(std::string_view text);

// The shortest of these spellings; fractions of a KiB are cut off.
std::string SizeText(uint64_t bytes);

}  // namespace meridian::site
