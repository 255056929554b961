// meridian queue topics, describe, groups, lag: what the queue has, and who has read how much.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/group_calls.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/queue_call.hpp"
#include "cli/queue/queue_commands.hpp"
#include "cli/queue/queue_text.hpp"
#include "cli/queue/topic_calls.hpp"
#include "io/task.hpp"

namespace meridian::cli {
namespace {

struct Arguments : QueueOptions {
  std::string name;  // of a topic or a group
};

io::Task<Result<void>> ShowTopics(KafkaClient& client, const Arguments& arguments) {
  auto leaders = co_await client.FindLeaders();
  if (!leaders) co_return Fail(std::move(leaders.error()));
  auto ranges = co_await FindRanges(client, *leaders);
  if (!ranges) co_return Fail(std::move(ranges.error()));
  co_return Print(arguments.json ? TopicsJson(*ranges) : TopicsText(*ranges));
}

io::Task<Result<void>> ShowTopic(KafkaClient& client, const Arguments& arguments) {
  auto leaders = co_await client.FindLeaders(arguments.name);
  if (!leaders) co_return Fail(std::move(leaders.error()));
  auto ranges = co_await FindRanges(client, *leaders);
  if (!ranges) co_return Fail(std::move(ranges.error()));
  auto configs = co_await FindConfigs(client, arguments.name);
  if (!configs) co_return Fail(std::move(configs.error()));
  co_return Print(arguments.json ? TopicJson(arguments.name, *ranges, *configs)
                                 : TopicText(arguments.name, *ranges, *configs));
}

// All groups, or the one of that name.
io::Task<Result<std::vector<GroupLag>>> FindLag(KafkaClient& client, const std::string& name) {
  auto leaders = co_await client.FindLeaders();
  if (!leaders) co_return Fail(std::move(leaders.error()));
  auto ranges = co_await FindRanges(client, *leaders);
  if (!ranges) co_return Fail(std::move(ranges.error()));
  std::vector<std::string> names = {name};
  if (name.empty()) {
    auto found = co_await FindGroups(client);
    if (!found) co_return Fail(std::move(found.error()));
    names = std::move(*found);
  }
  std::vector<GroupLag> groups;
  for (const std::string& each : names) {
    auto group = co_await DescribeGroup(client, each);
    if (!group) co_return Fail(std::move(group.error()));
    bool gone = group->state == "Dead" && group->committed.empty();
    if (gone && !name.empty()) {
      co_return Fail(Errc::kNotFound, "there is no group \"{}\"; see: meridian queue groups", name);
    }
    if (!gone) groups.push_back(LagOf(*group, *ranges));
  }
  co_return groups;
}

io::Task<Result<void>> ShowGroups(KafkaClient& client, const Arguments& arguments) {
  auto groups = co_await FindLag(client, "");
  if (!groups) co_return Fail(std::move(groups.error()));
  co_return Print(arguments.json ? GroupsJson(*groups) : GroupsText(*groups));
}

io::Task<Result<void>> ShowLag(KafkaClient& client, const Arguments& arguments) {
  auto groups = co_await FindLag(client, arguments.name);
  if (!groups) co_return Fail(std::move(groups.error()));
  co_return Print(arguments.json ? GroupsJson(*groups) : LagText(*groups));
}

struct Show {
  const char* name;
  const char* summary;
  io::Task<Result<void>> (*run)(KafkaClient& client, const Arguments& arguments);
};

std::shared_ptr<Arguments> Add(Command& queue, const Show& show, Command** added = nullptr) {
  auto arguments = std::make_shared<Arguments>();
  Command& command = queue.AddCommand(show.name, show.summary);
  AddQueueOptions(command, *arguments);
  command.action = [arguments, show] {
    return RunQueueCommand(*arguments,
                           [&](KafkaClient& client) { return show.run(client, *arguments); });
  };
  if (added != nullptr) *added = &command;
  return arguments;
}

}  // namespace

void AddShowCommands(Command& queue) {
  Add(queue, {"topics", "List the topics, with their partitions and messages", &ShowTopics});
  Command* describe = nullptr;
  auto topic =
      Add(queue, {"describe", "The partitions of a topic, and its configuration", &ShowTopic},
          &describe);
  describe->AddOption({.name = "topic",
                       .value = &topic->name,
                       .help = "The topic",
                       .type = "TOPIC",
                       .required = true});
  Add(queue, {"groups", "List the consumer groups, and how far they are behind", &ShowGroups});
  Command* lag = nullptr;
  auto group =
      Add(queue, {"lag", "How far a group, or each of them, is behind in each partition", &ShowLag},
          &lag);
  lag->AddOption(
      {.name = "group", .value = &group->name, .help = "The group (all of them)", .type = "GROUP"});
}

}  // namespace meridian::cli
