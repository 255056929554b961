// meridian purge: removes objects by URL, prefix or tag from the caches of all edges of the site.
#include "site/view/purge.hpp"

#include <chrono>
#include <memory>
#include <string>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/report/purge_text.hpp"
#include "http/client/fetch.hpp"
#include "site/load/duration_text.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

constexpr Duration kMaxWait = std::chrono::minutes{1};

struct Arguments {
  std::string url;
  std::string prefix;
  std::string tag;
  bool soft = false;
  std::string data_center;
  std::string wait = "5s";
  bool json = false;
  std::string state_directory = ".meridian";
};

Result<site::PurgeOrder> OrderOf(const Arguments& arguments) {
  site::PurgeOrder order{.value = arguments.url, .soft = arguments.soft};
  const char* name = "the URL";
  if (!arguments.prefix.empty()) {
    order.kind = site::PurgeKind::kPrefix;
    order.value = arguments.prefix;
    name = "--prefix";
  } else if (!arguments.tag.empty()) {
    order.kind = site::PurgeKind::kTag;
    order.value = arguments.tag;
    name = "--tag";
  }
  if (order.value.empty()) {
    return Fail(Errc::kInvalid, "give a URL, --prefix PREFIX or --tag TAG");
  }
  Result<void> good = site::CheckPurge(order);
  if (!good) return Fail(good.error().code, "{}: {}", name, good.error().message);
  return order;
}

int Misused(const std::string& problem) {
  fmt::print(stderr, "meridian: {}\n", problem);
  return kMisused;
}

// Sends the order to the agents in turn until one accepts it; any agent can.
Result<http::Fetched> Give(const Deployed& deployed, const site::DataCenter* only,
                           const AgentCall& call) {
  Result<http::Fetched> answer = Fail(Errc::kNotFound, "the site has no data center");
  for (const site::DataCenter& dc : deployed.site.datacenters) {
    if (only != nullptr && &dc != only) continue;
    answer = CallAgent(deployed, dc, call);
    if (answer) break;
    answer = Fail(answer.error().code, "{}: its agent does not answer ({})", dc.name,
                  answer.error().message);
  }
  return answer;
}

int Explain(const Arguments& arguments, const Result<http::Fetched>& answer) {
  if (!answer) return Complain(answer.error());
  if (answer->status != 200) {
    fmt::print(stderr, "meridian: {}", answer->body);
    return kFailed;
  }
  Result<site::PurgeReport> report = site::ReadPurgeReport(answer->body);
  if (!report) return Complain(report.error());
  fmt::print("{}", arguments.json ? answer->body + "\n" : PurgeText(*report, arguments.soft));
  return report->complete() ? kDone : kFailed;
}

int Run(const Arguments& arguments) {
  Result<site::PurgeOrder> order = OrderOf(arguments);
  if (!order) return Misused(order.error().message);
  Result<Duration> wait = site::ParseDuration(arguments.wait);
  if (!wait) return Misused("--wait: " + wait.error().message);
  if (*wait > kMaxWait) return Misused("--wait: at most 60s");
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  const site::DataCenter* only = nullptr;
  if (!arguments.data_center.empty()) {
    only = deployed->site.FindDataCenter(arguments.data_center);
    if (only == nullptr) {
      return Misused(fmt::format("there is no data center \"{}\"", arguments.data_center));
    }
  }
  auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(*wait).count();
  std::string path = fmt::format("/.meridian/purge?wait={}", milliseconds);
  std::string body = site::ToJson(*order);
  return Explain(arguments, Give(*deployed, only, {.path = path, .body = body, .timeout = *wait}));
}

}  // namespace

void AddPurge(Command& program) {
  auto arguments = std::make_shared<Arguments>();
  Command& command = program.AddCommand(
      "purge", "Remove the objects of a URL, prefix or tag from every edge's cache");
  Option& url =
      command.AddOption({.name = "url",
                         .value = &arguments->url,
                         .help = "The URL, or its path and query: every variant of it goes"});
  Option& prefix = command.AddOption({.name = "--prefix",
                                      .value = &arguments->prefix,
                                      .help = "All URLs that begin so",
                                      .excludes = {&url}});
  command.AddOption({.name = "--tag",
                     .value = &arguments->tag,
                     .help = "All that bears this key of Surrogate-Key or Cache-Tag",
                     .excludes = {&url, &prefix}});
  command.AddOption({.name = "--soft",
                     .value = &arguments->soft,
                     .help = "Make it stale: it is fetched again, and served while fetches fail"});
  command.AddOption({.name = "--dc",
                     .value = &arguments->data_center,
                     .help = "Whose agent to tell; any that answers, unless given"});
  command.AddOption({.name = "--wait",
                     .value = &arguments->wait,
                     .help = "How long to wait for the edges",
                     .default_text = "5s"});
  command.AddOption({.name = "--json", .value = &arguments->json, .help = "As JSON"});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] { return Run(*arguments); };
}

}  // namespace meridian::cli
