// What of a site can be wrong though its site.toml is right: files, programs, variables and
// data that this machine does not have. Reads the disk.
#pragma once

#include <string>
#include <vector>

#include "site/site.hpp"

namespace meridian::cli {

// What this machine lacks to run `only`, a data center or edge place of the site; null: to run all
// of them (`meridian up`). An edge place needs neither the application nor the passwords of
// sessions. Each problem with what to do about it.
std::vector<std::string> HostProblems(const site::Site& site, const site::DataCenter* only);

// How visitors are located, as one sentence; empty where it makes no difference.
std::string HowVisitorsAreLocated(const site::Site& site);

}  // namespace meridian::cli
