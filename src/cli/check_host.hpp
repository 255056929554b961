// What of a site can be wrong though its site.toml is right: files, programs, variables and
// data that this machine does not have. Reads the disk.
#pragma once

#include <string>
#include <vector>

#include "site/site.hpp"

namespace meridian::cli {

// Each problem with what to do about it.
std::vector<std::string> HostProblems(const site::Site& site);

// How visitors are located, as one sentence; empty where it makes no difference.
std::string HowVisitorsAreLocated(const site::Site& site);

}  // namespace meridian::cli
