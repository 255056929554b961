// meridian alerts silence, silences, unsilence.
#pragma once

#include "cli/command/command.hpp"

namespace meridian::cli {

// Adds them to `meridian alerts`.
void AddSilenceCommands(Command& alerts);

}  // namespace meridian::cli
