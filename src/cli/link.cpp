// meridian link: the links between the data centers of a lab, and what happens to them.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command_line.hpp"
#include "cli/link_text.hpp"
#include "http/fetch.hpp"
#include "lab/limits.hpp"
#include "lab/link_status.hpp"
#include "lab/link_table.hpp"
#include "site/duration_text.hpp"
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

// Empty when both are data centers of the site.
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
      {.method = change ? "POST" : "GET", .path = path, .timeout = lab::kLongestShortCommand});
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

void AddLink(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("link", "List the lab's links between data centers, or change one");
  command->add_option("ends", arguments->ends, "The two data centers that it links")
      ->type_name("A B")
      ->expected(0, 2);
  auto* latency = command->add_option("--latency", arguments->latency,
                                      "Round trip, half of it each way, such as 70ms");
  auto* jitter = command->add_option("--jitter", arguments->jitter,
                                     "How much more or less a round trip takes, such as 5ms");
  auto* rate = command->add_option("--rate", arguments->rate,
                                   "What it carries each way, such as 100mbit, or unlimited");
  auto* cut = command->add_flag("--cut", arguments->cut,
                                "Nothing arrives at either end, and neither is told");
  auto* half_cut = command->add_flag("--half-cut", arguments->half_cut,
                                     "What A says does not arrive at B; what B says does at A");
  auto* heal = command->add_flag("--heal", arguments->heal,
                                 "As in the beginning: latency by distance, nothing cut");
  for (auto* alone : {cut, half_cut, heal}) {
    for (auto* other : {latency, jitter, rate, cut, half_cut, heal}) {
      if (other != alone) alone->excludes(other);
    }
  }
  command->add_flag("--json", arguments->json, "As JSON");
  AddStateOption(*command, arguments->state_directory);
  command->callback([arguments, &action] { action = [arguments] { return Run(*arguments); }; });
}

}  // namespace meridian::cli
