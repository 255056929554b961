// meridian link: shows and changes the links between the data centers of a lab.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/report/link_text.hpp"
#include "http/client/fetch.hpp"
#include "lab/limits.hpp"
#include "lab/link_status.hpp"
#include "lab/link_table.hpp"
#include "site/load/duration_text.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

struct Arguments {
  std::vector<std::string> ends;
  std::string latency;
  std::string jitter;
  std::string rate;
  bool cut = false;
  bool half_cut = false;
  bool heal = false;
  bool json = false;
  std::string state_directory = ".meridian";
};

bool AsksForChange(const Arguments& arguments) {
  return arguments.cut || arguments.half_cut || arguments.heal || !arguments.latency.empty() ||
         !arguments.jitter.empty() || !arguments.rate.empty();
}

Result<lab::LinkOrder> OrderOf(const Arguments& arguments) {
  using Kind = lab::LinkOrder::Kind;
  lab::LinkOrder order{.kind = arguments.cut        ? Kind::kCut
                               : arguments.half_cut ? Kind::kHalfCut
                               : arguments.heal     ? Kind::kHeal
                                                    : Kind::kSet};
  if (!arguments.latency.empty()) {
    Result<Duration> read = site::ParseDuration(arguments.latency);
    if (!read) return Fail(Errc::kInvalid, "--latency: {}; write 70ms", read.error().message);
    order.round_trip = *read;
  }
  if (!arguments.jitter.empty()) {
    Result<Duration> read = site::ParseDuration(arguments.jitter);
    if (!read) return Fail(Errc::kInvalid, "--jitter: {}; write 5ms", read.error().message);
    order.jitter = *read;
  }
  if (!arguments.rate.empty()) {
    Result<uint64_t> read = ParseRate(arguments.rate);
    if (!read) return Fail(Errc::kInvalid, "--rate: {}", read.error().message);
    order.bits_per_second = *read;
  }
  return order;
}

int Misused(const std::string& problem) {
  fmt::print(stderr, "meridian: {}\n", problem);
  return kMisused;
}

// The error, or empty if both are data centers of the site.
std::string EndsProblem(const site::Site& site, const std::vector<std::string>& ends) {
  if (ends.size() != 2)
    return "name two data centers, such as: meridian link us-east us-west --cut";
  for (const std::string& end : ends) {
    if (site.FindDataCenter(end) != nullptr) continue;
    std::string known;
    for (const site::DataCenter& dc : site.datacenters) known += " " + dc.name;
    return fmt::format("there is no data center \"{}\"; there are:{}", end, known);
  }
  return ends[0] == ends[1] ? "a link has two different ends" : "";
}

int Run(const Arguments& arguments) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  bool change = AsksForChange(arguments);
  if (change || !arguments.ends.empty()) {
    std::string problem = EndsProblem(deployed->site, arguments.ends);
    if (!problem.empty()) return Misused(problem);
  }
  Result<lab::LinkOrder> order = OrderOf(arguments);
  if (!order) return Misused(order.error().message);
  std::string path =
      change ? lab::EncodeRequest(
                   {.from = arguments.ends[0], .to = arguments.ends[1], .order = *order})
             : "/links";
  auto answer = CallLab(
      deployed->state,
      {.method = change ? "POST" : "GET", .path = path, .timeout = lab::kMaxShortCommandTime});
  if (!answer) {
    return Complain({answer.error().code,
                     answer.error().code == Errc::kTimeout
                         ? answer.error().message
                         : "no lab runs for this state directory; start one: meridian up (" +
                               answer.error().message + ")"});
  }
  if (answer->status != 200) {
    fmt::print(stderr, "meridian: {}", answer->body);
    return kFailed;
  }
  auto links = lab::DecodeLinks(answer->body);
  if (!links) return Complain(links.error());
  if (!arguments.ends.empty()) KeepLinkBetween(arguments.ends[0], arguments.ends[1], &*links);
  fmt::print("{}", arguments.json ? lab::EncodeLinks(*links) : LinkTableText(*links));
  return kDone;
}

}  // namespace

void AddLink(Command& program) {
  auto arguments = std::make_shared<Arguments>();
  Command& command =
      program.AddCommand("link", "List the lab's links between data centers, or change one");
  command.AddOption({.name = "ends",
                     .value = &arguments->ends,
                     .help = "The two data centers that it links",
                     .type = "A B",
                     .count = Option::Count{.min = 0, .max = 2}});
  Option& latency = command.AddOption({.name = "--latency",
                                       .value = &arguments->latency,
                                       .help = "Round trip, half of it each way, such as 70ms"});
  Option& jitter =
      command.AddOption({.name = "--jitter",
                         .value = &arguments->jitter,
                         .help = "How much more or less a round trip takes, such as 5ms"});
  Option& rate =
      command.AddOption({.name = "--rate",
                         .value = &arguments->rate,
                         .help = "What it carries each way, such as 100mbit, or unlimited"});
  Option& cut = command.AddOption({.name = "--cut",
                                   .value = &arguments->cut,
                                   .help = "No data arrives at either end; connections stay open"});
  Option& half_cut =
      command.AddOption({.name = "--half-cut",
                         .value = &arguments->half_cut,
                         .help = "Data from A does not arrive at B; data from B does arrive at A"});
  Option& heal =
      command.AddOption({.name = "--heal",
                         .value = &arguments->heal,
                         .help = "As in the beginning: latency by distance, nothing cut"});
  cut.excludes = {&latency, &jitter, &rate, &half_cut, &heal};
  half_cut.excludes = {&latency, &jitter, &rate, &heal};
  heal.excludes = {&latency, &jitter, &rate};
  command.AddOption({.name = "--json", .value = &arguments->json, .help = "As JSON"});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] { return Run(*arguments); };
}

}  // namespace meridian::cli
