#include "cli/report/link_text.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/result.hpp"
#include "lab/link_status.hpp"

namespace meridian::cli {
namespace {

constexpr std::string_view kUnlimited = "unlimited";
constexpr std::array<std::pair<std::string_view, uint64_t>, 3> kUnits = {
    {{"gbit", 1'000'000'000}, {"mbit", 1'000'000}, {"kbit", 1'000}}};
constexpr uint64_t kMaxUnits = 1'000'000;  // cannot overflow

std::string BytesText(uint64_t bytes) {
  constexpr std::array<const char*, 4> kNames = {"B", "kB", "MB", "GB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1000 && unit + 1 < kNames.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.3g} {}", value, kNames[unit]);
}

std::string StateText(const lab::LinkStatus& link) {
  if (link.silent.empty()) return link.state;
  return fmt::format("{}: data from {} does not arrive", link.state, link.silent);
}

}  // namespace

Result<uint64_t> ParseRate(std::string_view text) {
  if (text == kUnlimited) return uint64_t{0};
  uint64_t number = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit = text.substr(static_cast<size_t>(rest - text.data()));
  for (const auto& [name, bits] : kUnits) {
    if (error == std::errc{} && unit == name && number > 0 && number <= kMaxUnits) {
      return number * bits;
    }
  }
  return Fail(Errc::kInvalid,
              "\"{}\" is no rate; a whole number and kbit, mbit or gbit, such as 100mbit, or {}",
              text, kUnlimited);
}

std::string RateText(uint64_t bits_per_second) {
  if (bits_per_second == 0) return std::string(kUnlimited);
  for (const auto& [name, bits] : kUnits) {
    if (bits_per_second < bits && bits != kUnits.back().second) continue;
    return fmt::format("{:g} {}/s",
                       static_cast<double>(bits_per_second) / static_cast<double>(bits), name);
  }
  return "";
}

std::string LinkTableText(const std::vector<lab::LinkStatus>& links) {
  std::string text = fmt::format("{:<28} {:<10} {:<10} {:<13} {:<10} {:<10} {}\n", "link",
                                 "latency", "jitter", "rate", "there", "back", "state");
  for (const lab::LinkStatus& link : links) {
    text +=
        fmt::format("{:<28} {:<10} {:<10} {:<13} {:<10} {:<10} {}\n", link.a + " " + link.b,
                    fmt::format("{:.4g} ms", link.latency_ms),
                    fmt::format("{:.4g} ms", link.jitter_ms), RateText(link.rate_bits),
                    BytesText(link.bytes_from_a), BytesText(link.bytes_from_b), StateText(link));
  }
  return text;
}

void KeepLinkBetween(std::string_view one, std::string_view other,
                     std::vector<lab::LinkStatus>* links) {
  std::erase_if(*links, [&](const lab::LinkStatus& link) {
    return !(link.a == one && link.b == other) && !(link.a == other && link.b == one);
  });
}

}  // namespace meridian::cli
