// meridian queue mirrors, promote, follow-anew, recover: the queue in several data centers.
#pragma once

#include "cli/command/command.hpp"

namespace meridian::cli {

void AddMirrors(Command& queue);
void AddPromote(Command& queue);
void AddFollowAnew(Command& queue);
void AddRecover(Command& queue);

}  // namespace meridian::cli
