#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/result.hpp"
#include "site/dns_name.hpp"
#include "site/key_description.hpp"
#include "site/limits.hpp"
#include "site/load/load_parts.hpp"
#include "site/load/table_reader.hpp"
#include "site/site.hpp"

namespace meridian::site {
namespace {

static_assert(kMaxWorkers == 64 && kMaxEnvironmentVariables == 128, "descriptions below say so");
constexpr KeyDescription kKeys[] = {
    {.table = "worker",
     .sentence = "Processes of the application that serve no requests: consumers of a topic, say. "
                 "Each has a table with its name, one DNS label, and runs in every data center.",
     .limits = "at most 64 workers"},
    {.table = "worker.NAME", .sentence = "A worker: a process without a port."},
    {.table = "worker.NAME",
     .key = "command",
     .sentence = "The program and its arguments; no shell reads them."},
    {.table = "worker.NAME",
     .key = "directory",
     .sentence = "The working directory of the worker, relative to site.toml."},
    {.table = "worker.NAME",
     .key = "instances",
     .sentence = "How many processes of the worker each data center runs."},
    {.table = "worker.NAME",
     .key = "topic",
     .sentence =
         "The topic that the worker consumes, which it finds in `MERIDIAN_TOPIC`. The queue "
         "makes the topic if there is none.",
     .fallback = "none"},
    {.table = "worker.NAME",
     .key = "group",
     .sentence = "The worker's consumer group, which it finds in `MERIDIAN_GROUP`.",
     .fallback = "the name of the worker"},
    {.table = "worker.NAME",
     .key = "retries",
     .sentence = "How many retry topics the queue makes for messages that the worker could not "
                 "handle; with any, also a topic of dead letters."},
    {.table = "worker.NAME",
     .key = "stop_timeout",
     .sentence = "The time from SIGTERM to SIGKILL when a process is stopped."},
    {.table = "worker.NAME.environment",
     .sentence = "Environment variables for the worker. Each process also "
                 "inherits those of `meridian` and gets those that `meridian` sets."},
    {.table = "worker.NAME.environment",
     .key = kAnyName,
     .sentence = "The value of the variable NAME.",
     .fallback = "none",
     .limits = "at most 128 variables, not `PORT` or `MERIDIAN_…`"},
};

Worker ReadWorker(const std::string& name, TableReader& table,
                  const std::filesystem::path& directory) {
  Worker worker{.name = name};
  worker.command = ReadCommand(table);
  worker.directory = ReadDirectory(table, directory);
  worker.instances = static_cast<uint32_t>(table.Integer(
      "instances", {.min = 1, .max = kMaxInstancesPerDataCenter, .fallback = worker.instances}));
  if (table.Has("topic")) worker.topic = table.Text("topic");
  worker.group = table.Text("group", {.max_bytes = kMaxWorkerGroupBytes, .fallback = name});
  worker.retries = static_cast<uint32_t>(
      table.Integer("retries", {.min = 0, .max = kMaxWorkerRetries, .fallback = worker.retries}));
  if (worker.retries > 0 && !table.Has("topic")) {
    table.Reject("retries", "\"retries\" needs \"topic\", whose messages are tried again",
                 "name the topic that the worker consumes");
  }
  worker.environment = ReadEnvironment(table);
  worker.stop_timeout = ReadStopTimeout(table, worker.stop_timeout);
  return worker;
}

}  // namespace

std::span<const KeyDescription> WorkerKeys() { return kKeys; }

std::vector<Worker> ReadWorkers(TableReader& root, const std::filesystem::path& directory) {
  TableReader tables = root.Table("worker");
  std::vector<NamedTable> named = tables.NamedTables();
  std::vector<Worker> workers;
  if (named.size() > kMaxWorkers) {
    root.Reject("worker", fmt::format("{} workers are too many; at most {} are allowed",
                                      named.size(), kMaxWorkers));
    return workers;
  }
  for (auto& [name, table] : named) {
    if (Result<> good = CheckLabel(name); !good) {
      tables.RejectKey(name,
                       fmt::format("\"{}\" cannot name a worker: {}", name, good.error().message),
                       "a name is one DNS label, such as \"thumbnail\"");
    }
    workers.push_back(ReadWorker(name, table, directory));
  }
  return workers;
}

}  // namespace meridian::site
