// The load of `./dev bench queue` (bench/queue_tier.py):
//
//   queue_load kafka|rabbitmq|nats|redis HOST PORT NAME PARTITIONS BYTES PRODUCERS WINDOW SECONDS
//       Producers send messages for so long, each with at most WINDOW unacknowledged ones, then
//       wait for the acknowledgements that are missing.
//   queue_load disk FILE BYTES SECONDS
//       Writes chunks to the end of a new file, each with an fdatasync of its own.
//
// Prints one JSON object: messages (or chunks), seconds until the last acknowledgement, and, where
// one is sent at a time, the median and the 99th percentile of how long each took, in ms.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "bench/queue_load/producer.hpp"

namespace meridian::bench {

void Die(const std::string& message) {
  std::fprintf(stderr, "queue_load: %s\n", message.c_str());
  std::_Exit(1);
}

namespace {

using Clock = std::chrono::steady_clock;

template <class T>
T Number(std::string_view text) {
  T number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    Die("no number: " + std::string(text));
  }
  return number;
}

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// Not compressible.
std::string RandomText(size_t bytes) {
  std::mt19937_64 random(bytes);
  std::string text(bytes, '\0');
  for (char& letter : text) letter = static_cast<char>(random());
  return text;
}

struct Outcome {
  uint64_t count = 0;
  std::vector<double> latencies_ms = {};  // where one is sent at a time
};

void Print(Outcome all, Clock::duration taken) {
  std::printf(R"({"messages": %llu, "seconds": %.6f)", static_cast<unsigned long long>(all.count),
              std::chrono::duration<double>(taken).count());
  if (std::vector<double>& each = all.latencies_ms; !each.empty()) {
    std::ranges::sort(each);
    std::printf(R"(, "p50_ms": %.4f, "p99_ms": %.4f)", each[each.size() / 2],
                each[each.size() * 99 / 100]);
  }
  std::puts("}");
}

// Until `end`, beginning when all are connected.
Outcome Produce(Producer& producer, size_t window, Clock::time_point end) {
  Outcome outcome;
  for (Clock::time_point now = Clock::now(); now < end;) {
    producer.Send();
    ++outcome.count;
    const Clock::time_point after = Clock::now();
    if (window == 1) outcome.latencies_ms.push_back(Milliseconds(after - now));
    now = after;
  }
  producer.Finish();
  return outcome;
}

void RunProducers(const std::vector<std::string_view>& arguments) {
  const std::string_view system = arguments[0];
  auto* const connect = system == "kafka"      ? ConnectKafka
                        : system == "rabbitmq" ? ConnectRabbitMq
                        : system == "nats"     ? ConnectNats
                        : system == "redis"    ? ConnectRedis
                                               : nullptr;
  if (connect == nullptr) Die("no such system: " + std::string(system));
  const Target target = {.host = std::string(arguments[1]),
                         .port = Number<uint16_t>(arguments[2]),
                         .name = std::string(arguments[3]),
                         .partitions = Number<int>(arguments[4])};
  const Messages messages = {.value = RandomText(Number<size_t>(arguments[5])),
                             .window = Number<size_t>(arguments[7])};
  const auto count = Number<size_t>(arguments[6]);
  if (target.partitions < 1 || messages.window < 1 || count < 1) Die("nothing to send");
  std::vector<std::unique_ptr<Producer>> producers;
  for (size_t i = 0; i < count; ++i) producers.push_back(connect(target, messages));

  std::vector<Outcome> outcomes(count);
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end = begin + std::chrono::seconds(Number<int>(arguments[8]));
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < count; ++i) {
      threads.emplace_back([&, i] { outcomes[i] = Produce(*producers[i], messages.window, end); });
    }
  }
  const Clock::duration taken = Clock::now() - begin;
  Outcome all;
  for (const Outcome& each : outcomes) {
    all.count += each.count;
    all.latencies_ms.insert(all.latencies_ms.end(), each.latencies_ms.begin(),
                            each.latencies_ms.end());
  }
  Print(std::move(all), taken);
}

void RunDisk(const std::vector<std::string_view>& arguments) {
  const std::string path(arguments[1]);
  const std::string chunk = RandomText(Number<size_t>(arguments[2]));
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) Die(path + ": " + std::strerror(errno));
  Outcome outcome;
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end = begin + std::chrono::seconds(Number<int>(arguments[3]));
  Clock::time_point now = begin;
  while (now < end) {
    for (size_t done = 0; done < chunk.size();) {
      const ssize_t written = write(file, chunk.data() + done, chunk.size() - done);
      if (written < 0) Die(path + ": " + std::strerror(errno));
      done += static_cast<size_t>(written);
    }
    if (fdatasync(file) != 0) Die(path + ": " + std::strerror(errno));
    ++outcome.count;
    const Clock::time_point after = Clock::now();
    outcome.latencies_ms.push_back(Milliseconds(after - now));
    now = after;
  }
  close(file);
  Print(std::move(outcome), now - begin);
}

}  // namespace
}  // namespace meridian::bench

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  if (arguments.size() == 4 && arguments[0] == "disk") {
    meridian::bench::RunDisk(arguments);
  } else if (arguments.size() == 9) {
    meridian::bench::RunProducers(arguments);
  } else {
    meridian::bench::Die("see the comment in bench/queue_load/main.cpp");
  }
  return 0;
}
