// Parses and prints settings of links. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "lab/link_status.hpp"

namespace meridian::cli {

// Parses a whole number and its unit, "64kbit", "100mbit", "1gbit" (decimal, a second), or
// "unlimited" (0). kInvalid for any other spelling.
Result<uint64_t> ParseRate(std::string_view text);
// Prints a rate: "100 mbit/s", "1.5 mbit/s", "unlimited".
std::string RateText(uint64_t bits_per_second);

// A header, and a line for each link.
std::string LinkTableText(const std::vector<lab::LinkStatus>& links);

// Removes all other links.
void KeepLinkBetween(std::string_view one, std::string_view other,
                     std::vector<lab::LinkStatus>* links);

}  // namespace meridian::cli
