#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "site/key_description.hpp"
#include "site/limits.hpp"
#include "site/load/load_parts.hpp"
#include "site/load/table_reader.hpp"
#include "site/site.hpp"

namespace meridian::site {
namespace {

static_assert(kMaxEnvironmentVariables == 128, "a description below says so");
constexpr KeyDescription kKeys[] = {
    {.table = "app", .sentence = "The application, as it runs in every data center."},
    {.table = "app",
     .key = "command",
     .sentence = "The program and its arguments; no shell reads them."},
    {.table = "app",
     .key = "directory",
     .sentence = "The working directory of the application, relative to site.toml."},
    {.table = "app",
     .key = "health",
     .sentence = "The path that an instance answers with 2xx or 3xx when it can serve.",
     .limits = "a percent-encoded path"},
    {.table = "app", .key = "instances", .sentence = "How many instances each data center runs."},
    {.table = "app",
     .key = "release",
     .sentence = "The name of the release, which instances find in `MERIDIAN_RELEASE`.",
     .limits = "letters, digits, `.`, `_` and `-`"},
    {.table = "app",
     .key = "start_timeout",
     .sentence = "The time from the start of an instance to its first healthy answer; an instance "
                 "that takes longer is started again."},
    {.table = "app",
     .key = "stop_timeout",
     .sentence = "The time from SIGTERM to SIGKILL when an instance is stopped."},
    {.table = "app",
     .key = "unhealthy_timeout",
     .sentence = "How long an instance may fail its health path before it is replaced."},
    {.table = "app.environment",
     .sentence = "Environment variables for the instances. Each instance also "
                 "inherits those of `meridian` and gets those that `meridian` sets."},
    {.table = "app.environment",
     .key = kAnyName,
     .sentence = "The value of the variable NAME.",
     .fallback = "none",
     .limits = "at most 128 variables, not `PORT` or `MERIDIAN_…`"},
    {.table = "agent", .sentence = "The agent, which runs a data center."},
    {.table = "agent",
     .key = "hung_timeout",
     .sentence = "How long a tier may leave the agent's probes unanswered before it is killed and "
                 "started again."},
    {.table = "agent",
     .key = "cores",
     .sentence = "The processor cores that the tiers of a data center use together: a tier has as "
                 "many threads, unless its own table says otherwise.",
     .fallback = "all cores of the machine; in the lab divided by the number of data centers"},
};

bool IsReleaseLetter(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) || letter == '.' || letter == '_' ||
         letter == '-';
}

bool IsVariableName(std::string_view name) {
  bool starts_well = !name.empty() && !std::isdigit(static_cast<unsigned char>(name.front()));
  return starts_well && std::ranges::all_of(name, [](char letter) {
           return std::isalnum(static_cast<unsigned char>(letter)) || letter == '_';
         });
}

std::string ReadHealthPath(TableReader& app) {
  std::string path = app.Text("health", {.max_bytes = kMaxHealthPathBytes, .fallback = "/"});
  bool is_path = path.starts_with('/') && std::ranges::all_of(path, [](char letter) {
                   return letter > ' ' && letter < '\x7f' && letter != '#';
                 });
  if (!is_path) {
    app.Reject("health", "\"health\" must be a path, percent-encoded",
               "expected one such as \"/health\"");
  }
  return path;
}

std::string ReadRelease(TableReader& app) {
  std::string release = app.Text("release", {.max_bytes = kMaxReleaseBytes, .fallback = "1"});
  if (!std::ranges::all_of(release, IsReleaseLetter)) {
    app.Reject("release", "\"release\" may hold letters, digits, '.', '_' and '-' only");
  }
  return release;
}

}  // namespace

std::span<const KeyDescription> AppKeys() { return kKeys; }

std::vector<std::string> ReadCommand(TableReader& table) {
  std::vector<std::string> command = table.Texts("command", {.min = 1, .max = kMaxCommandWords});
  if (!command.empty() && command.front().empty()) {
    table.Reject("command", "the first word of \"command\" is the program; it is empty");
  }
  return command;
}

std::map<std::string, std::string> ReadEnvironment(TableReader& owner) {
  TableReader table = owner.Table("environment");
  std::map<std::string, std::string> environment;
  std::vector<std::string> names = table.Names();
  if (names.size() > kMaxEnvironmentVariables) {
    owner.Reject("environment", fmt::format("{} variables are too many; at most {} are allowed",
                                            names.size(), kMaxEnvironmentVariables));
    return environment;
  }
  for (const std::string& name : names) {
    if (name == "PORT" || name.starts_with("MERIDIAN_")) {
      table.RejectKey(name, fmt::format("{} is set by Meridian for each process", name),
                      "leave it out");
    } else if (!IsVariableName(name)) {
      table.RejectKey(name, fmt::format("\"{}\" cannot name an environment variable", name),
                      "letters, digits and '_' only, no digit first");
    } else {
      environment[name] = table.Text(name, {.min_bytes = 0});
    }
  }
  return environment;
}

std::filesystem::path ReadDirectory(TableReader& table, const std::filesystem::path& directory) {
  std::string subdirectory = table.Text("directory", {.fallback = "."});
  std::filesystem::path path = (directory / subdirectory).lexically_normal();
  return path.has_filename() ? path : path.parent_path();  // "/a/b/"
}

Duration ReadStopTimeout(TableReader& table, Duration fallback) {
  using namespace std::chrono_literals;
  return table.Duration("stop_timeout",
                        {.min = 100ms, .max = kMaxStopTimeout, .fallback = fallback});
}

App ReadApp(TableReader& root, const std::filesystem::path& directory) {
  using namespace std::chrono_literals;
  TableReader table = root.Table("app");
  App app;
  app.command = ReadCommand(table);
  app.directory = ReadDirectory(table, directory);
  app.health_path = ReadHealthPath(table);
  app.instances = static_cast<uint32_t>(table.Integer(
      "instances", {.min = 1, .max = kMaxInstancesPerDataCenter, .fallback = app.instances}));
  app.release = ReadRelease(table);
  app.environment = ReadEnvironment(table);
  app.start_timeout = table.Duration(
      "start_timeout", {.min = 100ms, .max = kMaxStartTimeout, .fallback = app.start_timeout});
  app.stop_timeout = ReadStopTimeout(table, app.stop_timeout);
  app.unhealthy_timeout = table.Duration("unhealthy_timeout", {.min = kMinUnhealthyTimeout,
                                                               .max = kMaxUnhealthyTimeout,
                                                               .fallback = app.unhealthy_timeout});
  return app;
}

AgentSettings ReadAgent(TableReader& root) {
  AgentSettings agent;
  TableReader table = root.Table("agent");
  agent.hung_timeout = table.Duration(
      "hung_timeout",
      {.min = kMinHungTimeout, .max = kMaxHungTimeout, .fallback = agent.hung_timeout});
  if (table.Has("cores")) {
    agent.cores = static_cast<uint32_t>(table.Integer("cores", {.min = 1, .max = kMaxThreads}));
  }
  return agent;
}

}  // namespace meridian::site
