// What `meridian purge` says of a purge. Pure.
#pragma once

#include <string>

#include "site/view/purge.hpp"

namespace meridian::cli {

// A line for each edge: how many objects went there, after how long; or that it has not answered,
// and what becomes of that.
std::string PurgeText(const site::PurgeReport& report, bool soft);

}  // namespace meridian::cli
