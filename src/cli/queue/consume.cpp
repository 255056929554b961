// meridian queue consume: prints the messages of a topic.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/group_calls.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/limits.hpp"
#include "cli/queue/offset_target.hpp"
#include "cli/queue/queue_call.hpp"
#include "cli/queue/queue_commands.hpp"
#include "cli/queue/queue_text.hpp"
#include "cli/queue/record_calls.hpp"
#include "cli/queue/topic_calls.hpp"
#include "io/task.hpp"
#include "wire/kafka/record.hpp"

namespace meridian::cli {
namespace {

struct Arguments : QueueOptions {
  std::string topic;
  std::string group;
  std::string from;
  OffsetTarget begin;  // what `from` says
  uint64_t count = 0;  // 0: without limit
  bool follow = false;
};

// Where a group goes on: at its committed offsets, and in partitions without one at the beginning.
io::Task<Result<Offsets>> PositionsOfGroup(KafkaClient& client, const std::string& name,
                                           const Ranges& ranges) {
  auto group = co_await DescribeGroup(client, name);
  if (!group) co_return Fail(std::move(group.error()));
  if (!group->members.empty()) {
    co_return Fail(Errc::kExists,
                   "group {} has members, which would get the same messages; leave --group out, or "
                   "stop its consumers",
                   name);
  }
  Offsets positions;
  for (const auto& [partition, range] : ranges) {
    auto committed = group->committed.find(partition);
    const int64_t at = committed == group->committed.end() ? range.begin : committed->second;
    positions[partition] = std::max(at, range.begin);
  }
  co_return positions;
}

// One run of the command.
class Consumption {
 public:
  Consumption(KafkaClient& client, const Arguments& arguments)
      : client_(client), arguments_(arguments) {}

  io::Task<Result<void>> Run() {
    auto leaders = co_await client_.FindLeaders(arguments_.topic);
    if (!leaders) co_return Fail(std::move(leaders.error()));
    leaders_ = std::move(*leaders);
    auto ranges = co_await FindRanges(client_, leaders_);
    if (!ranges) co_return Fail(std::move(ranges.error()));
    ranges_ = std::move(*ranges);
    Result<Offsets> positions;
    if (arguments_.group.empty()) {
      positions = co_await FindTargets(client_, arguments_.begin, leaders_, ranges_);
    } else {
      positions = co_await PositionsOfGroup(client_, arguments_.group, ranges_);
    }
    if (!positions) co_return Fail(std::move(positions.error()));
    positions_ = std::move(*positions);
    co_return co_await PrintAll();
  }

 private:
  bool AtEnd() const {
    if (arguments_.count > 0 && printed_ >= arguments_.count) return true;
    if (arguments_.follow) return false;
    return std::ranges::all_of(
        ranges_, [this](const auto& each) { return positions_.at(each.first) >= each.second.end; });
  }

  io::Task<Result<void>> PrintAll() {
    TimePoint deadline = client_.loop().After(kFetchProgressTimeout);
    while (!AtEnd()) {
      std::string text;
      const Offsets before = positions_;
      auto fetched =
          co_await FetchOnce(client_, leaders_, positions_,
                             [&](const PartitionKey& partition, const wire::kafka::Record& record) {
                               return OnRecord(partition, record, text);
                             });
      if (!fetched) co_return Fail(std::move(fetched.error()));
      Result<void> done = Print(text);
      if (done && !arguments_.group.empty() && positions_ != before) {
        done = co_await CommitFor(client_, arguments_.group, positions_);
      }
      if (!done) co_return done;
      if (positions_ != before) deadline = client_.loop().After(kFetchProgressTimeout);
      if (!arguments_.follow && client_.loop().Now() >= deadline) {
        co_return Fail(Errc::kTimeout, "no message came for {:g} s, before the end of {}",
                       Seconds(kFetchProgressTimeout), arguments_.topic);
      }
    }
    co_return Result<void>{};
  }

  // False: enough is printed.
  bool OnRecord(const PartitionKey& partition, const wire::kafka::Record& record,
                std::string& text) {
    if (arguments_.count > 0 && printed_ >= arguments_.count) return false;
    // Without --follow, messages that came after the start are left to the next run.
    if (!arguments_.follow && record.offset >= ranges_.at(partition).end) return false;
    ++printed_;
    text += arguments_.json ? RecordJson(partition, record)
                            : std::string(record.value.value_or("")) + "\n";
    return true;
  }

  KafkaClient& client_;
  const Arguments& arguments_;
  Leaders leaders_;
  Ranges ranges_;
  Offsets positions_;
  uint64_t printed_ = 0;
};

int Run(Arguments& arguments) {
  if (!arguments.from.empty()) {
    auto begin = ParseOffsetTarget(arguments.from, SystemClock().Wall());
    if (!begin) {
      Complain({Errc::kInvalid, "--from: " + begin.error().message});
      return kMisused;
    }
    arguments.begin = *begin;
  } else if (arguments.follow) {
    arguments.begin.kind = OffsetTarget::Kind::kEnd;
  }
  return RunQueueCommand(arguments, [&](KafkaClient& client) -> io::Task<Result<void>> {
    Consumption consumption(client, arguments);
    co_return co_await consumption.Run();
  });
}

}  // namespace

void AddConsume(Command& queue) {
  auto arguments = std::make_shared<Arguments>();
  Command& command =
      queue.AddCommand("consume", "Print the messages of a topic, a line for each value");
  command.AddOption({.name = "topic",
                     .value = &arguments->topic,
                     .help = "The topic",
                     .type = "TOPIC",
                     .required = true});
  Option& group = command.AddOption(
      {.name = "--group",
       .value = &arguments->group,
       .help = "Go on where this group is, and commit what was printed; it may have no members",
       .type = "GROUP"});
  command.AddOption({.name = "--from",
                     .value = &arguments->from,
                     .help = "beginning, end, an offset, a time (2026-11-30T10:00:00Z), or how "
                             "long ago (15m); else the beginning, with --follow the end",
                     .type = "WHERE",
                     .excludes = {&group}});
  command.AddOption({.name = "--count",
                     .value = &arguments->count,
                     .help = "End after so many messages",
                     .type = "N",
                     .range = Option::Range{1, UINT64_MAX}});
  command.AddOption({.name = "--follow",
                     .value = &arguments->follow,
                     .help = "Go on with messages as they come, until Ctrl-C"});
  AddQueueOptions(command, *arguments);
  command.action = [arguments] { return Run(*arguments); };
}

}  // namespace meridian::cli
