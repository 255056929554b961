// meridian queue reset-offsets: moves a consumer group to other offsets of a topic.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/group_calls.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/offset_target.hpp"
#include "cli/queue/queue_call.hpp"
#include "cli/queue/queue_commands.hpp"
#include "cli/queue/queue_text.hpp"
#include "cli/queue/topic_calls.hpp"
#include "io/task.hpp"

namespace meridian::cli {
namespace {

struct Arguments : QueueOptions {
  std::string group;
  std::string topic;
  std::string to;
  OffsetTarget target;  // what `to` says
  bool dry_run = false;
};

io::Task<Result<std::vector<OffsetChange>>> FindChanges(KafkaClient& client,
                                                        const Arguments& arguments,
                                                        const GroupReport& group) {
  auto leaders = co_await client.FindLeaders(arguments.topic);
  if (!leaders) co_return Fail(std::move(leaders.error()));
  auto ranges = co_await FindRanges(client, *leaders);
  if (!ranges) co_return Fail(std::move(ranges.error()));
  auto targets = co_await FindTargets(client, arguments.target, *leaders, *ranges);
  if (!targets) co_return Fail(std::move(targets.error()));
  std::vector<OffsetChange> changes;
  for (const auto& [partition, range] : *ranges) {
    OffsetChange& change = changes.emplace_back(
        OffsetChange{.partition = partition, .after = targets->at(partition), .end = range.end});
    auto before = group.committed.find(partition);
    if (before != group.committed.end()) change.before = before->second;
  }
  co_return changes;
}

io::Task<Result<void>> Reset(KafkaClient& client, const Arguments& arguments) {
  auto group = co_await DescribeGroup(client, arguments.group);
  if (!group) co_return Fail(std::move(group.error()));
  if (!group->members.empty()) {
    co_return Fail(Errc::kExists,
                   "group {} has {} members, which would go on where they are; stop its consumers "
                   "first",
                   arguments.group, group->members.size());
  }
  auto changes = co_await FindChanges(client, arguments, *group);
  if (!changes) co_return Fail(std::move(changes.error()));
  if (!arguments.dry_run) {
    Offsets offsets;
    for (const OffsetChange& change : *changes) offsets[change.partition] = change.after;
    // A member that has joined meanwhile makes the queue refuse this.
    Result<void> committed = co_await CommitFor(client, arguments.group, offsets);
    if (!committed) co_return committed;
  }
  if (arguments.json) {
    co_return Print(ChangesJson(arguments.group, *changes, arguments.dry_run));
  }
  std::string text = ChangesText(*changes);
  if (arguments.dry_run) text += "\nNothing was changed: --dry-run.\n";
  co_return Print(text);
}

int Run(Arguments& arguments) {
  auto target = ParseOffsetTarget(arguments.to, SystemClock().Wall());
  if (!target) {
    Complain({Errc::kInvalid, "--to: " + target.error().message});
    return kMisused;
  }
  arguments.target = *target;
  return RunQueueCommand(arguments, [&](KafkaClient& client) { return Reset(client, arguments); });
}

}  // namespace

void AddResetOffsets(Command& queue) {
  auto arguments = std::make_shared<Arguments>();
  Command& command =
      queue.AddCommand("reset-offsets", "Have a group without members go on elsewhere in a topic");
  command.AddOption({.name = "group",
                     .value = &arguments->group,
                     .help = "The consumer group",
                     .type = "GROUP",
                     .required = true});
  command.AddOption({.name = "topic",
                     .value = &arguments->topic,
                     .help = "The topic",
                     .type = "TOPIC",
                     .required = true});
  command.AddOption({.name = "--to",
                     .value = &arguments->to,
                     .help = "earliest, latest, an offset, a time (2026-11-30T10:00:00Z), or how "
                             "long ago (15m)",
                     .type = "WHERE",
                     .required = true});
  command.AddOption({.name = "--dry-run",
                     .value = &arguments->dry_run,
                     .help = "Show what would change, and change nothing"});
  AddQueueOptions(command, *arguments);
  command.action = [arguments] { return Run(*arguments); };
}

}  // namespace meridian::cli
