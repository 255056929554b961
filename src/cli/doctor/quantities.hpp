// Quantities in words, for findings. Pure.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/core.h>

namespace meridian::cli {

// "1.5 GiB"; below a mebibyte in KiB.
inline std::string ByteText(uint64_t bytes) {
  constexpr double kKibibyte = 1024;
  const double kibibytes = static_cast<double>(bytes) / kKibibyte;
  if (kibibytes < kKibibyte) return fmt::format("{:.0f} KiB", kibibytes);
  if (kibibytes < kKibibyte * kKibibyte) return fmt::format("{:.0f} MiB", kibibytes / kKibibyte);
  return fmt::format("{:.1f} GiB", kibibytes / kKibibyte / kKibibyte);
}

inline std::string DayText(int64_t days) {
  return days == 1 ? "1 day" : fmt::format("{} days", days);
}

}  // namespace meridian::cli
