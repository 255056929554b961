// What `meridian up` prints when the site is up: where everything is, and commands to paste.
#pragma once

#include <string>

#include "site/site.hpp"

namespace meridian::cli {

struct SummaryOptions {
  const site::Site& site;
  std::string state_directory;  // as it was given
  bool detached = false;
};

std::string Summary(const SummaryOptions& options);

// "2 data centers", "2 data centers and 1 edge place".
std::string CountText(const site::Site& site);

// How this program is best called from the current folder: its name when the PATH finds it, else a
// path.
std::string HowToCall();

}  // namespace meridian::cli
