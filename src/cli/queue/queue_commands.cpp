#include "cli/queue/queue_commands.hpp"

#include "cli/command/command.hpp"
#include "cli/queue/mirror_commands.hpp"

namespace meridian::cli {

void AddQueueCommands(Command& queue) {
  queue.subcommands_given = {.min = 0, .max = 1};
  AddShowCommands(queue);
  AddProduce(queue);
  AddConsume(queue);
  AddResetOffsets(queue);
  AddDeadLetter(queue);
  AddMirrors(queue);
  AddPromote(queue);
  AddFollowAnew(queue);
  AddRecover(queue);
}

}  // namespace meridian::cli
