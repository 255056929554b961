#include "session/command_metrics.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/metrics_text.hpp"
#include "session/engine/command.hpp"

namespace meridian::session {
namespace {

using std::chrono::microseconds;
using testing::HasSubstr;

std::string CountOf(const char* family, int count) {
  return "meridian_session_command_duration_seconds_count{family=\"" + std::string(family) +
         "\"} " + std::to_string(count) + "\n";
}

TEST(CommandMetrics, CountsWaitsByFamilyAndPipelinesByThemselves) {
  Metrics metrics;
  CommandMetrics commands(metrics);
  const std::string_view get = FindCommand("GET")->name;
  const std::string_view hset = FindCommand("hset")->name;
  for (int i = 0; i < 3; ++i) commands.Add(get, 1, microseconds{20});
  commands.Add(hset, 1, microseconds{20});
  commands.Add(get, 5, microseconds{20});
  commands.Add(get, 0, microseconds{20});  // half a request has come
  const std::string text = MetricsText(metrics);
  EXPECT_THAT(text, HasSubstr(CountOf("string", 3)));
  EXPECT_THAT(text, HasSubstr(CountOf("hash", 1)));
  EXPECT_THAT(text, HasSubstr(CountOf("pipeline", 1)));
}

TEST(CommandMetrics, EveryCommandHasAFamily) {
  Metrics metrics;
  CommandMetrics metrics_of_commands(metrics);
  int commands = 0;
  for (const CommandSpec& spec : Commands()) {
    metrics_of_commands.Add(spec.name, 1, microseconds{1});
    ++commands;
  }
  EXPECT_GT(commands, 0);
  EXPECT_THAT(MetricsText(metrics), HasSubstr(CountOf("pipeline", 0)));
}

}  // namespace
}  // namespace meridian::session
