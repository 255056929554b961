// meridian queue recover: shows the messages of a file that a returned home has set aside, or
// publishes them again.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/mirror_commands.hpp"
#include "cli/queue/queue_call.hpp"
#include "cli/queue/queue_text.hpp"
#include "cli/queue/republish/batch_file.hpp"
#include "cli/queue/republish/message_batches.hpp"
#include "io/task.hpp"
#include "queue/engine/set_aside.hpp"
#include "wire/json/writer.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_reader.hpp"

namespace meridian::cli {
namespace {

namespace kafka = wire::kafka;

struct Arguments : QueueOptions {
  std::string file;
  std::string topic;  // in place of that of the file
  uint64_t from = 0;  // an offset
  bool publish = false;
};

// The messages of a file, a batch at a time.
class SetAsideMessages {
 public:
  SetAsideMessages(BatchFile file, int64_t from) : file_(std::move(file)), from_(from) {}

  // Gives `on_record` the messages of the next batch from the offset on. False: there is none left.
  template <class OnRecord>
  Result<bool> Next(OnRecord on_record) {
    auto batch = file_.Next();
    if (!batch) return Fail(std::move(batch.error()));
    if (batch->empty()) return false;
    auto reader = kafka::RecordReader::Open(*batch);
    if (!reader) {
      return Fail(Errc::kInvalid, "the messages at byte {} cannot be read: {}", file_.position(),
                  reader.error().message);
    }
    kafka::Record record;
    while (!reader->header().control() && reader->Next(&record)) {
      if (record.offset >= from_) on_record(record);
    }
    return true;
  }

 private:
  BatchFile file_;
  const int64_t from_;
};

Result<SetAsideMessages> OpenMessages(const Arguments& arguments) {
  auto file = BatchFile::Open(arguments.file);
  if (!file) return Fail(std::move(file.error()));
  return SetAsideMessages(std::move(*file), static_cast<int64_t>(arguments.from));
}

int Show(const Arguments& arguments, const PartitionKey& partition) {
  auto messages = OpenMessages(arguments);
  if (!messages) return Complain(messages.error());
  for (;;) {
    std::string text;
    auto more = messages->Next([&](const kafka::Record& record) {
      text += arguments.json ? RecordJson(partition, record) : MessageLine(record);
    });
    if (!more) return Complain(more.error());
    if (auto printed = Print(text); !printed) return Complain(printed.error());
    if (!*more) return kDone;
  }
}

// Publishes to the partition with the number of the file's, as the producer's client chose it.
class Publication {
 public:
  Publication(KafkaClient& client, const Arguments& arguments, PartitionKey target)
      : client_(client), arguments_(arguments), target_(std::move(target)) {}

  io::Task<Result<void>> Run() {
    auto messages = OpenMessages(arguments_);
    if (!messages) co_return Fail(std::move(messages.error()));
    Result<void> done = co_await FindLeader();
    while (done) {
      MessageBatches batches;
      auto more = messages->Next([&](const kafka::Record& record) { batches.Add(record); });
      if (!more) done = Fail(std::move(more.error()));
      if (!more || !*more) break;
      done = co_await batches.Publish(client_, target_, leader_);
      published_ += batches.published();
      unsure_from_ = batches.unsure_from();
    }
    if (done) co_return Print(Report());
    co_return Fail(done.error().code, "{}{}", done.error().message, HowToGoOn());
  }

 private:
  io::Task<Result<void>> FindLeader() {
    auto leaders = co_await client_.FindLeaders(target_.topic);
    if (!leaders) co_return Fail(std::move(leaders.error()));
    auto leader = leaders->find(target_);
    if (leader == leaders->end()) {
      co_return Fail(Errc::kUnavailable, "{} has no partition {} now", target_.topic,
                     target_.partition);
    }
    leader_ = leader->second;
    co_return Result<void>{};
  }

  std::string HowToGoOn() const {
    if (unsure_from_) {
      return fmt::format(
          "; {} messages are published, and those from offset {} of the file on may be or not: go "
          "on with --from {}",
          published_, *unsure_from_, *unsure_from_);
    }
    if (published_ == 0) return "; nothing was published";
    return fmt::format("; the {} messages before are published", published_);
  }

  std::string Report() const {
    if (!arguments_.json) {
      return fmt::format(
          "{} message{} published to {} partition {}. What producers have sent again themselves, "
          "consumers now get twice.\n",
          published_, published_ == 1 ? "" : "s", target_.topic, target_.partition);
    }
    wire::json::Writer writer;
    writer.BeginObject();
    writer.Member("topic", target_.topic);
    writer.Member("partition", target_.partition);
    writer.Member("published", published_);
    writer.EndObject();
    return writer.Take() + "\n";
  }

  KafkaClient& client_;
  const Arguments& arguments_;
  const PartitionKey target_;
  int32_t leader_ = 0;
  size_t published_ = 0;
  std::optional<int64_t> unsure_from_;  // an offset of the file
};

int Run(const Arguments& arguments) {
  const std::string name = std::filesystem::path(arguments.file).filename();
  const auto known = queue::ParseSetAsideFileName(name);
  if (!known) {
    fmt::print(stderr,
               "meridian: {} is no file of messages that were set aside: those are named like "
               "orders-0-from-42-before-epoch-66.batches\n",
               arguments.file);
    return kMisused;
  }
  PartitionKey partition{known->topic, static_cast<int32_t>(known->partition)};
  if (!arguments.publish) return Show(arguments, partition);
  if (!arguments.topic.empty()) partition.topic = arguments.topic;
  return RunQueueCommand(arguments, [&](KafkaClient& client) -> io::Task<Result<void>> {
    Publication publication(client, arguments, partition);
    co_return co_await publication.Run();
  });
}

}  // namespace

void AddRecover(Command& queue) {
  auto arguments = std::make_shared<Arguments>();
  Command& command = queue.AddCommand(
      "recover", "Show messages that were set aside when a home moved, or publish them again");
  command.AddOption({.name = "file",
                     .value = &arguments->file,
                     .help = "The file, as log and status of the data center name it",
                     .type = "FILE",
                     .required = true});
  command.AddOption({.name = "--publish",
                     .value = &arguments->publish,
                     .help = "Publish them to their topic again, with partition, key, headers and "
                             "timestamp"});
  command.AddOption({.name = "--topic",
                     .value = &arguments->topic,
                     .help = "With --publish: to another topic",
                     .type = "TOPIC"});
  command.AddOption({.name = "--from",
                     .value = &arguments->from,
                     .help = "Only messages from this offset of the file on",
                     .type = "OFFSET",
                     .range = Option::Range{0, INT64_MAX}});
  AddQueueOptions(command, *arguments);
  command.action = [arguments] { return Run(*arguments); };
}

}  // namespace meridian::cli
