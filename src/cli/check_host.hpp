// Finds problems of a site with a valid site.toml: files, programs, environment variables and data
// that are missing on this machine, and certificates and databases that cannot be parsed. Reads
// files and the environment: call it while the process has one thread.
#pragma once

#include <string>
#include <vector>

#include "site/site.hpp"

namespace meridian::cli {

// The problems of running `only`, a data center or edge place of the site, on this machine. If
// `only` is null: those of running the whole site here (`meridian up`). Each problem says what to
// do. An edge place needs neither the application nor the passwords of sessions.
std::vector<std::string> HostProblems(const site::Site& site, const site::DataCenter* only);

// A sentence about the source of visitors' locations. Empty if the site does not use them, or has
// no source (HostProblems says so).
std::string DescribeVisitorLocation(const site::Site& site);

}  // namespace meridian::cli
