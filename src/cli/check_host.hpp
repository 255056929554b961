// Finds problems of a site with a valid site.toml: files, programs, environment variables and data
// that are missing on this machine. Reads the disk.
#pragma once

#include <string>
#include <vector>

#include "site/site.hpp"

namespace meridian::cli {

// The problems of running `only`, a data center or edge place of the site, on this machine; null:
// of running all of them (`meridian up`). Each problem says what to do. An edge place needs neither
// the application nor the passwords of sessions.
std::vector<std::string> HostProblems(const site::Site& site, const site::DataCenter* only);

// A sentence about the source of visitors' locations; empty if the site does not use them.
std::string HowVisitorsAreLocated(const site::Site& site);

}  // namespace meridian::cli
