// meridian top: what every tier does now.
#pragma once

#include "cli/command/command.hpp"

namespace meridian::cli {

void AddTop(Command& program);

}  // namespace meridian::cli
