#include "cli/top/top.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/terminal.hpp"
#include "cli/top/top_reader.hpp"
#include "cli/top/top_text.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/load/diagnostics.hpp"

namespace meridian::cli {
namespace {

constexpr uint64_t kUsualInterval = 2;  // seconds
constexpr uint64_t kMaxInterval = 3600;
constexpr uint64_t kMaxCount = 1'000'000;

struct Arguments {
  uint64_t interval_seconds = kUsualInterval;
  uint64_t count = 0;  // 0: on a terminal until Ctrl-C, elsewhere one
  bool json = false;
  std::string state_directory = ".meridian";
};

Result<void> Show(const std::vector<TopDataCenter>& read, const Arguments& arguments) {
  if (arguments.json) return Print(TopJson(read, Seconds(SystemClock().Wall().time_since_epoch())));
  const size_t columns = TerminalColumns();
  const std::string text = TopText(read, columns, site::WantsColor(STDOUT_FILENO));
  // From the top left corner of an empty screen.
  return Print(columns > 0 ? "\x1b[H\x1b[2J" + text : text);
}

io::Task<int> Watch(TopReader& reader, const Arguments& arguments) {
  const bool until_interrupted = arguments.count == 0 && TerminalColumns() > 0;
  const uint64_t count = arguments.count == 0 ? 1 : arguments.count;
  const Duration interval = std::chrono::seconds{arguments.interval_seconds};
  std::vector<TopDataCenter> read = co_await reader.Read();
  for (uint64_t shown = 0; until_interrupted || shown < count; ++shown) {
    if (!co_await io::Sleep(interval)) co_return kFailed;
    read = co_await reader.Read();
    if (!Show(read, arguments)) co_return kFailed;
  }
  for (const TopDataCenter& each : read) {
    if (!each.tiers.empty()) co_return kDone;
  }
  co_return kFailed;
}

int Run(const Arguments& arguments) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::SystemNetwork network(driver);
  TopReader reader(loop, network, *deployed);
  return loop.RunToEnd(Watch(reader, arguments));
}

}  // namespace

void AddTop(Command& program) {
  auto arguments = std::make_shared<Arguments>();
  Command& command = program.AddCommand("top", "What every tier does now: rates, errors, lag");
  command.AddOption({.name = "--interval",
                     .value = &arguments->interval_seconds,
                     .help = "Seconds that a table is about",
                     .type = "SECONDS",
                     .default_text = fmt::format("{}", kUsualInterval),
                     .range = Option::Range{.min = 1, .max = kMaxInterval}});
  command.AddOption({.name = "--count",
                     .value = &arguments->count,
                     .help = "End after so many tables",
                     .type = "NUMBER",
                     .default_text = "on a terminal until Ctrl-C, elsewhere 1",
                     .range = Option::Range{.min = 1, .max = kMaxCount}});
  command.AddOption(
      {.name = "--json", .value = &arguments->json, .help = "As JSON, an object for each table"});
  AddStateOption(command, arguments->state_directory);
  command.footer =
      "Requests are queries of dns, responses to visitors of edge and balancer, commands of "
      "session,\n"
      "requests of queue, log entries of watch. Lag is that of the copy of another data center "
      "that\n"
      "is furthest behind. What a tier does not measure is shown as \"-\". Exit status: 1 when no "
      "data\n"
      "center answered at last.";
  command.action = [arguments] { return Run(*arguments); };
}

}  // namespace meridian::cli
