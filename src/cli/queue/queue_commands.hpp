// meridian queue topics, describe, groups, lag, produce, consume, reset-offsets and dead-letter.
#pragma once

#include "cli/command/command.hpp"

namespace meridian::cli {

// Adds the subcommands to `meridian queue`.
void AddQueueCommands(Command& queue);

// Parts of it, by what they do.
void AddShowCommands(Command& queue);
void AddProduce(Command& queue);
void AddConsume(Command& queue);
void AddResetOffsets(Command& queue);
void AddDeadLetter(Command& queue);

}  // namespace meridian::cli
