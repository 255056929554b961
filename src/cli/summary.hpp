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

// How this program is best called from the current folder: its name when the PATH finds it, else a
// path.
std::string HowToCall();

}  // namespace meridian::cli
