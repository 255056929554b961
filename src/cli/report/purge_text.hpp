// The output of `meridian purge`. Pure.
#pragma once

#include <string>

#include "site/view/purge.hpp"

namespace meridian::cli {

// A line for each edge: its number of purged objects and its time; or that it has not confirmed the
// order, and what happens then.
std::string PurgeText(const site::PurgeReport& report, bool soft);

}  // namespace meridian::cli
