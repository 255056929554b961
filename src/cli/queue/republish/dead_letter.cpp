// meridian queue dead-letter list, replay: the messages that a worker gave up on.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/limits.hpp"
#include "cli/queue/queue_call.hpp"
#include "cli/queue/queue_commands.hpp"
#include "cli/queue/queue_text.hpp"
#include "cli/queue/record_calls.hpp"
#include "cli/queue/republish/message_batches.hpp"
#include "cli/queue/topic_calls.hpp"
#include "cli/report/text_table.hpp"
#include "io/task.hpp"
#include "queue/site_topics.hpp"
#include "site/load/spelling.hpp"
#include "site/site.hpp"
#include "wire/json/writer.hpp"
#include "wire/kafka/record.hpp"

namespace meridian::cli {
namespace {

struct Arguments : QueueOptions {
  std::string worker;
  uint64_t count = 0;  // 0: all
};

// The worker of this name; prints why it has no dead letters.
std::optional<site::Worker> FindWorker(const site::Site& site, const std::string& name) {
  std::vector<std::string> known;
  for (const site::Worker& worker : site.workers) {
    if (worker.name == name && worker.retries > 0) return worker;
    if (worker.name == name) {
      fmt::print(stderr,
                 "meridian: worker \"{}\" has no dead letters: [worker.{}] has no retries\n", name,
                 name);
      return std::nullopt;
    }
    known.push_back(worker.name);
  }
  std::optional<std::string> nearest = site::Nearest(name, known);
  fmt::print(stderr, "meridian: {} has no worker \"{}\"; it has {}.{}\n", site.file.string(), name,
             known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")),
             nearest ? " Did you mean " + *nearest + "?" : "");
  return std::nullopt;
}

// The dead letters of a worker, up to the ends as they are at the start.
class DeadLetters {
 public:
  DeadLetters(KafkaClient& client, std::string topic, uint64_t count)
      : client_(client), topic_(std::move(topic)), count_(count) {}

  io::Task<Result<void>> Open() {
    auto leaders = co_await client_.FindLeaders(topic_);
    if (!leaders) co_return Fail(std::move(leaders.error()));
    leaders_ = std::move(*leaders);
    auto ranges = co_await FindRanges(client_, leaders_);
    if (!ranges) co_return Fail(std::move(ranges.error()));
    ranges_ = std::move(*ranges);
    for (const auto& [partition, range] : ranges_) positions_[partition] = range.begin;
    co_return Result<void>{};
  }

  // Gives `on_record` some further letters. False: there are none.
  io::Task<Result<bool>> Next(const OnRecord& on_record) {
    TimePoint deadline = client_.loop().After(kFetchProgressTimeout);
    while (!AtEnd()) {
      const Offsets before = positions_;
      auto fetched =
          co_await FetchOnce(client_, leaders_, positions_,
                             [&](const PartitionKey& partition, const wire::kafka::Record& record) {
                               if (Enough() || record.offset >= ranges_.at(partition).end)
                                 return false;
                               ++given_;
                               return on_record(partition, record);
                             });
      if (!fetched) co_return Fail(std::move(fetched.error()));
      if (*fetched > 0) co_return true;
      if (positions_ == before && client_.loop().Now() >= deadline) {
        co_return Fail(Errc::kTimeout, "no message came for {:g} s, before the end of {}",
                       Seconds(kFetchProgressTimeout), topic_);
      }
    }
    co_return false;
  }

  const Offsets& positions() const { return positions_; }
  const Leaders& leaders() const { return leaders_; }
  uint64_t given() const { return given_; }

 private:
  bool Enough() const { return count_ > 0 && given_ >= count_; }
  bool AtEnd() const {
    return Enough() || std::ranges::all_of(ranges_, [this](const auto& each) {
             return positions_.at(each.first) >= each.second.end;
           });
  }

  KafkaClient& client_;
  const std::string topic_;
  const uint64_t count_;
  Leaders leaders_;
  Ranges ranges_;
  Offsets positions_;
  uint64_t given_ = 0;
};

io::Task<Result<void>> List(KafkaClient& client, const Arguments& arguments,
                            const site::Worker& worker) {
  const std::string topic = queue::DeadLetterTopic(worker);
  DeadLetters letters(client, topic, arguments.count);
  Result<void> opened = co_await letters.Open();
  if (!opened) co_return opened;
  TextTable table({{"PARTITION", true}, {"OFFSET", true}, {"TIME"}, {"KEY"}, {"VALUE"}});
  for (;;) {
    std::string lines;
    auto more = co_await letters.Next(
        [&](const PartitionKey& partition, const wire::kafka::Record& record) {
          if (arguments.json) lines += RecordJson(partition, record);
          if (!arguments.json) table.Add(LetterCells(partition, record));
          return true;
        });
    if (!more) co_return Fail(std::move(more.error()));
    Result<void> printed = Print(lines);
    if (!printed) co_return printed;
    if (!*more) break;
  }
  if (arguments.json) co_return Result<void>{};
  if (table.empty()) co_return Print(fmt::format("{} has no dead letters.\n", worker.name));
  co_return Print(table.Text());
}

// Re-publishes dead letters to the topic that the worker consumes, each in the partition with the
// number of its own, which the worker's client chose by the key. A letter that is on disk there is
// removed here, so that it is not published twice.
class Replay {
 public:
  Replay(KafkaClient& client, const Arguments& arguments, const site::Worker& worker)
      : client_(client),
        worker_(worker),
        letters_(client, queue::DeadLetterTopic(worker), arguments.count),
        json_(arguments.json) {}

  io::Task<Result<void>> Run() {
    auto targets = co_await client_.FindLeaders(worker_.topic);
    if (!targets) co_return Fail(std::move(targets.error()));
    targets_ = std::move(*targets);
    if (targets_.empty()) {
      co_return Fail(Errc::kUnavailable, "{} has no partitions now", worker_.topic);
    }
    Result<void> done = co_await letters_.Open();
    while (done) {
      batches_.clear();
      auto more = co_await letters_.Next(
          [&](const PartitionKey& partition, const wire::kafka::Record& record) {
            batches_[partition].Add(record);
            return true;
          });
      if (!more) done = Fail(std::move(more.error()));
      if (!more || !*more) break;
      done = co_await PublishAll();
    }
    if (!done) {
      co_return Fail(done.error().code, "{} ({} dead letters are replayed)", done.error().message,
                     replayed_);
    }
    co_return Print(Report());
  }

 private:
  io::Task<Result<void>> PublishAll() {
    for (auto& [partition, batches] : batches_) {
      const PartitionKey target{worker_.topic,
                                partition.partition % static_cast<int32_t>(targets_.size())};
      auto leader = targets_.find(target);
      if (leader == targets_.end()) {
        co_return Fail(Errc::kUnavailable, "{} has no partition {} now", target.topic,
                       target.partition);
      }
      Result<void> published = co_await batches.Publish(client_, target, leader->second);
      replayed_ += batches.published();
      if (!published) co_return published;
      Result<void> removed = co_await DeleteBefore(
          client_, partition, letters_.leaders().at(partition), letters_.positions().at(partition));
      if (!removed) co_return removed;
    }
    co_return Result<void>{};
  }

  std::string Report() const {
    if (!json_) {
      return fmt::format("{} dead letter{} of {} published to {} again\n", replayed_,
                         replayed_ == 1 ? "" : "s", worker_.name, worker_.topic);
    }
    wire::json::Writer writer;
    writer.BeginObject();
    writer.Member("worker", worker_.name);
    writer.Member("topic", worker_.topic);
    writer.Member("replayed", replayed_);
    writer.EndObject();
    return writer.Take() + "\n";
  }

  KafkaClient& client_;
  const site::Worker& worker_;
  DeadLetters letters_;
  const bool json_;
  Leaders targets_;
  std::map<PartitionKey, MessageBatches> batches_;
  uint64_t replayed_ = 0;
};

using WithWorker = io::Task<Result<void>> (*)(KafkaClient&, const Arguments&, const site::Worker&);

io::Task<Result<void>> ReplayAll(KafkaClient& client, const Arguments& arguments,
                                 const site::Worker& worker) {
  Replay replay(client, arguments, worker);
  co_return co_await replay.Run();
}

int Run(const Arguments& arguments, WithWorker run) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  std::optional<site::Worker> worker = FindWorker(deployed->site, arguments.worker);
  if (!worker) return kMisused;
  return RunQueueCommand(arguments,
                         [&](KafkaClient& client) { return run(client, arguments, *worker); });
}

void Add(Command& group, const char* name, const char* summary, WithWorker run) {
  auto arguments = std::make_shared<Arguments>();
  Command& command = group.AddCommand(name, summary);
  command.AddOption({.name = "worker",
                     .value = &arguments->worker,
                     .help = "The worker, as [worker.NAME] of site.toml names it",
                     .type = "WORKER",
                     .required = true});
  command.AddOption({.name = "--count",
                     .value = &arguments->count,
                     .help = "At most so many, the oldest of each partition first",
                     .type = "N",
                     .range = Option::Range{1, UINT64_MAX}});
  AddQueueOptions(command, *arguments);
  command.action = [arguments, run] { return Run(*arguments, run); };
}

}  // namespace

void AddDeadLetter(Command& queue) {
  Command& group =
      queue.AddCommand("dead-letter", "Show or publish again what a worker gave up on");
  group.subcommands_given = {.min = 1, .max = 1};
  Add(group, "list", "Print the dead letters of a worker", &List);
  Add(group, "replay", "Publish the dead letters of a worker to its topic again", &ReplayAll);
}

}  // namespace meridian::cli
