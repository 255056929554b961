// meridian queue mirrors, promote: the queue in several data centers.
#pragma once

#include "cli/command/command.hpp"

namespace meridian::cli {

void AddMirrors(Command& queue);
void AddPromote(Command& queue);

}  // namespace meridian::cli
