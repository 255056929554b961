// The output of `meridian up` when the site is up: addresses, and commands to paste.
#pragma once

#include <string>

#include "site/site.hpp"

namespace meridian::cli {

struct SummaryOptions {
  const site::Site& site;
  std::string state_directory;  // as the user gave it
  bool detached = false;
};

std::string Summary(const SummaryOptions& options);

// "2 data centers", "2 data centers and 1 edge place".
std::string CountText(const site::Site& site);

// The shortest command for this program in the current folder: its name if PATH finds it, else a
// path.
std::string HowToCall();

}  // namespace meridian::cli
