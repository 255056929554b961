// meridian doctor: what is wrong with this machine or site, and how to mend it.
#pragma once

#include "cli/command/command.hpp"

namespace meridian::cli {

void AddDoctor(Command& program);

}  // namespace meridian::cli
