// meridian check: reads site.toml and prints its errors, problems of this machine, or a description
// of the site.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "base/result.hpp"
#include "cli/check_host.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/broker_address.hpp"
#include "cli/queue/compare/running_topics.hpp"
#include "cli/queue/queue_call.hpp"
#include "cli/report/summary.hpp"
#include "queue/config.hpp"
#include "queue/site_topics.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

struct Arguments {
  std::string site_file = "site.toml";
  std::string data_center;  // empty: all of them, as `meridian up` runs them
  std::string state_directory = ".meridian";
  std::string brokers;  // empty: those of the site, if it runs here
};

void PrintWorkers(const site::Site& site) {
  for (const site::Worker& worker : site.workers) {
    std::string topic = worker.topic.empty() ? "" : ", topic " + worker.topic;
    if (worker.retries > 0) {
      topic += fmt::format(" with {} retr{}", worker.retries, worker.retries == 1 ? "y" : "ies");
    }
    fmt::print("  worker {:<9} {} process{} in each data center{}\n", worker.name, worker.instances,
               worker.instances == 1 ? "" : "es", topic);
  }
  auto external = site.externals.find("queue");
  if (external == site.externals.end()) return;
  std::vector<std::string> topics;
  for (const auto& topic : queue::TopicsOfSite(site.sections.Get<queue::Config>(), site.workers)) {
    topics.push_back(topic.name);
  }
  if (topics.empty()) return;
  fmt::print("The topics of this file are not made at {}; it must have them: {}\n",
             external->second.shown, fmt::join(topics, ", "));
}

// Prints how the topics that run differ from the file's.
int PrintTopics(const site::Site& site, const Arguments& arguments) {
  std::optional<QueueBrokers> running = FindRunningQueue(site, arguments.state_directory);
  if (!arguments.brokers.empty()) {
    auto brokers = ParseBrokers(arguments.brokers);
    if (!brokers) {
      Complain(Error{Errc::kInvalid, "--brokers: " + brokers.error().message});
      return kMisused;
    }
    running = QueueBrokers{std::move(*brokers), "the cluster of --brokers"};
  }
  if (!running) return kDone;
  auto differences = CompareTopics(site, *running);
  if (!differences) {
    fmt::print("The topics of this file were not compared with the running ones: {}\n",
               differences.error().message);
    return arguments.brokers.empty() ? kDone : kFailed;
  }
  if (differences->empty()) {
    fmt::print("The topics are as this file says in {}.\n", running->where);
    return kDone;
  }
  fmt::print("{} is not as this file says:\n", running->where);
  for (const std::string& each : *differences) fmt::print("  {}\n", each);
  return kDone;
}

int Check(const Arguments& arguments) {
  const std::string& path = arguments.site_file;
  auto site = LoadSite(path);
  if (!site) return site.error();
  const site::DataCenter* only = nullptr;
  if (!arguments.data_center.empty()) {
    only = site->FindDataCenter(arguments.data_center);
    if (only == nullptr) return UnknownDataCenter(*site, arguments.data_center);
  }
  fmt::print("{}: {} for {} in {}\n", path, site->name, site->domain, CountText(*site));
  for (const site::DataCenter& dc : site->datacenters) {
    std::string where =
        dc.city.empty() ? fmt::format("{:.2f}, {:.2f}", dc.location.latitude, dc.location.longitude)
                        : dc.city;
    fmt::print("  {:<16} {:<16} {}{}\n", dc.name, dc.address.ToString(), where,
               dc.edge_only ? ", dns and edge alone" : "");
  }
  PrintWorkers(*site);
  if (site->datacenters.size() > 1) {
    fmt::print("Failover that needs a vote is by hand: no witness is named ([coordinator]).\n");
  }
  if (std::string located = DescribeVisitorLocation(*site); !located.empty()) {
    fmt::print("{}\n", located);
  }
  const int compared = PrintTopics(*site, arguments);
  std::fflush(stdout);
  std::vector<std::string> problems = HostProblems(*site, only);
  for (const std::string& problem : problems) fmt::print(stderr, "{}: {}\n", path, problem);
  return problems.empty() ? compared : kFailed;
}

}  // namespace

void AddCheck(Command& program) {
  auto arguments = std::make_shared<Arguments>();
  Command& command = program.AddCommand(
      "check", "Print the errors of a site.toml, and the problems of this machine");
  command.AddOption({.name = "site",
                     .value = &arguments->site_file,
                     .help = "The site's file (site.toml)",
                     .type = "FILE"});
  command.AddOption({.name = "--dc",
                     .value = &arguments->data_center,
                     .help = "Check the needs of this data center or edge place only, not of all",
                     .type = "NAME"});
  command.AddOption({.name = "--brokers",
                     .value = &arguments->brokers,
                     .help =
                         "Compare the topics with those of the Kafka brokers at these addresses "
                         "(those of the site, if it runs here)",
                     .type = "HOST:PORT,…"});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] { return Check(*arguments); };
}

}  // namespace meridian::cli
