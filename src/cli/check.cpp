// meridian check: reads site.toml and prints its errors, problems of this machine, or a description
// of the site.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "cli/check_host.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/report/summary.hpp"
#include "queue/config.hpp"
#include "queue/site_topics.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

struct Arguments {
  std::string site_file = "site.toml";
  std::string data_center;  // empty: all of them, as `meridian up` runs them
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
  std::fflush(stdout);
  std::vector<std::string> problems = HostProblems(*site, only);
  for (const std::string& problem : problems) fmt::print(stderr, "{}: {}\n", path, problem);
  return problems.empty() ? kDone : kFailed;
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
  command.action = [arguments] { return Check(*arguments); };
}

}  // namespace meridian::cli
