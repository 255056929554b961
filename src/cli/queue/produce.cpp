// meridian queue produce: publishes the lines of standard input.
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/random.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/limits.hpp"
#include "cli/queue/partitioner.hpp"
#include "cli/queue/queue_call.hpp"
#include "cli/queue/queue_commands.hpp"
#include "cli/queue/record_calls.hpp"
#include "io/task.hpp"
#include "wire/json/writer.hpp"
#include "wire/kafka/batch_writer.hpp"

namespace meridian::cli {
namespace {

struct Arguments : QueueOptions {
  std::string topic;
  std::string key;
};

// The lines of standard input, as many at a time as have come: at a terminal each at once.
class LineReader {
 public:
  // The next lines, without their newlines; nothing at the end. Blocks. kTooLarge: a line is longer
  // than kMaxLineBytes.
  Result<std::vector<std::string>> Next() {
    std::vector<std::string> lines;
    while (lines.empty() && !ended_) {
      std::vector<char> piece(kPieceBytes);
      ssize_t got = read(STDIN_FILENO, piece.data(), piece.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FailErrno(errno, "standard input");
      ended_ = got == 0;
      rest_.append(piece.data(), static_cast<size_t>(got));
      TakeLines(lines);
      if (rest_.size() > kMaxLineBytes) {
        return Fail(Errc::kTooLarge, "a line is longer than {} bytes", kMaxLineBytes);
      }
    }
    return lines;
  }

 private:
  static constexpr size_t kPieceBytes = size_t{256} * 1024;

  void TakeLines(std::vector<std::string>& lines) {
    size_t begin = 0;
    for (size_t end = rest_.find('\n'); end != rest_.npos; end = rest_.find('\n', begin)) {
      lines.push_back(rest_.substr(begin, end - begin));
      begin = end + 1;
    }
    rest_.erase(0, begin);
    if (ended_ && !rest_.empty()) lines.push_back(std::exchange(rest_, {}));
  }

  std::string rest_;
  bool ended_ = false;
};

// One run of the command.
class Publication {
 public:
  Publication(KafkaClient& client, const Arguments& arguments)
      : client_(client), arguments_(arguments) {}

  io::Task<Result<void>> Run() {
    auto leaders = co_await client_.FindLeaders(arguments_.topic);
    if (!leaders) co_return Fail(std::move(leaders.error()));
    const auto count = static_cast<int32_t>(leaders->size());
    // Messages without a key stay together, so that their order is kept.
    const int32_t index = arguments_.key.empty()
                              ? static_cast<int32_t>(EntropySeed() % leaders->size())
                              : PartitionOfKey(arguments_.key, count);
    partition_ = {arguments_.topic, index};
    auto leader = leaders->find(partition_);
    if (leader == leaders->end()) {
      co_return Fail(Errc::kUnavailable, "{} has no partition {} now", arguments_.topic, index);
    }
    leader_ = leader->second;
    Result<void> done = co_await PublishAll();
    if (!done && published_ > 0) {
      co_return Fail(done.error().code, "{} (the {} messages before it are published)",
                     done.error().message, published_);
    }
    if (!done) co_return done;
    co_return Print(Report());
  }

 private:
  io::Task<Result<void>> PublishAll() {
    LineReader reader;
    for (;;) {
      auto lines = reader.Next();
      if (!lines) co_return Fail(std::move(lines.error()));
      if (lines->empty()) co_return Result<void>{};
      for (size_t at = 0; at < lines->size();) {
        Result<size_t> sent = co_await PublishSome(*lines, at);
        if (!sent) co_return Fail(std::move(sent.error()));
        at += *sent;
      }
    }
  }

  // A batch of the lines from `at` on; how many they are.
  io::Task<Result<size_t>> PublishSome(const std::vector<std::string>& lines, size_t at) {
    const auto now = std::chrono::floor<std::chrono::milliseconds>(client_.loop().Wall());
    wire::kafka::BatchWriter writer({});
    std::optional<std::string_view> key;
    if (!arguments_.key.empty()) key = arguments_.key;
    size_t count = 0;
    while (at + count < lines.size() && writer.record_count() < kPublishBatchRecords) {
      const std::string& line = lines[at + count];
      if (count > 0 && writer.bytes() + line.size() > kPublishBatchBytes) break;
      writer.Add({.offset = static_cast<int64_t>(count),
                  .timestamp_ms = now.time_since_epoch().count(),
                  .key = key,
                  .value = line});
      ++count;
    }
    auto batch = writer.Finish();
    if (!batch) co_return Fail(std::move(batch.error()));
    auto offset = co_await Publish(client_, partition_, leader_, *batch);
    if (!offset) co_return Fail(std::move(offset.error()));
    if (published_ == 0) first_offset_ = *offset;
    last_offset_ = *offset + static_cast<int64_t>(count) - 1;
    published_ += count;
    co_return count;
  }

  std::string Report() const {
    if (!arguments_.json) {
      if (published_ == 0) return "Nothing was published: standard input is empty.\n";
      return fmt::format("{} message{} published to {} partition {}, offsets {} to {}\n",
                         published_, published_ == 1 ? "" : "s", arguments_.topic,
                         partition_.partition, first_offset_, last_offset_);
    }
    wire::json::Writer writer;
    writer.BeginObject();
    writer.Member("topic", arguments_.topic);
    writer.Member("partition", partition_.partition);
    writer.Member("messages", published_);
    if (published_ > 0) writer.Member("first_offset", first_offset_);
    if (published_ > 0) writer.Member("last_offset", last_offset_);
    writer.EndObject();
    return writer.Take() + "\n";
  }

  KafkaClient& client_;
  const Arguments& arguments_;
  PartitionKey partition_;
  int32_t leader_ = -1;
  size_t published_ = 0;
  int64_t first_offset_ = -1;
  int64_t last_offset_ = -1;
};

}  // namespace

void AddProduce(Command& queue) {
  auto arguments = std::make_shared<Arguments>();
  Command& command = queue.AddCommand(
      "produce", "Publish each line of standard input as a message, and wait until it is on disk");
  command.AddOption({.name = "topic",
                     .value = &arguments->topic,
                     .help = "The topic, which exists",
                     .type = "TOPIC",
                     .required = true});
  command.AddOption({.name = "--key",
                     .value = &arguments->key,
                     .help = "The key of all messages, which chooses their partition",
                     .type = "KEY"});
  AddQueueOptions(command, *arguments);
  command.action = [arguments] {
    return RunQueueCommand(*arguments, [&](KafkaClient& client) -> io::Task<Result<void>> {
      Publication publication(client, *arguments);
      co_return co_await publication.Run();
    });
  };
}

}  // namespace meridian::cli
