// meridian cdn: the traffic of the edges, and its cost.
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/report/cdn_summary.hpp"
#include "edge/config.hpp"
#include "http/client/fetch.hpp"
#include "site/site.hpp"
#include "site/view/cdn_report.hpp"

namespace meridian::cli {
namespace {

struct Arguments {
  bool json = false;
  std::string state_directory = ".meridian";
};

CdnEdge EdgeOf(const site::DataCenter& dc, const Result<http::Fetched>& answer) {
  CdnEdge edge{.name = dc.name, .edge_only = dc.edge_only};
  if (!answer) {
    edge.problem = "its agent does not answer (" + answer.error().message + ")";
  } else if (answer->status != 200) {
    edge.problem = answer->body.substr(0, answer->body.find('\n'));
  } else {
    Result<site::CdnReport> report = site::ReadCdnReport(answer->body);
    if (report) edge.report = std::move(*report);
    if (!report) edge.problem = report.error().message;
  }
  return edge;
}

int Report(const Arguments& arguments) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  const std::string path(site::kCdnReportPath);
  const auto answers = CallAgents(*deployed, {.method = "GET", .path = path});
  std::vector<CdnEdge> edges;
  bool all = true;
  for (size_t i = 0; i < answers.size(); ++i) {
    edges.push_back(EdgeOf(deployed->site.datacenters[i], answers[i]));
    all = all && edges.back().report;
  }
  const edge::Prices& prices = deployed->site.sections.Get<edge::Config>().prices;
  const CdnSummary summary = SummarizeCdn(edges, prices);
  fmt::print("{}", (arguments.json ? CdnJson : CdnText)(summary, edges, prices));
  for (const CdnEdge& each : edges) {
    if (!each.report) fmt::print(stderr, "meridian: {} is not in this report\n", each.name);
  }
  return all ? kDone : kFailed;
}

}  // namespace

void AddCdn(Command& program) {
  Command& cdn = program.AddCommand("cdn", "What the CDN's edges do for visitors");
  cdn.subcommands_given = {.min = 1, .max = 1};
  auto arguments = std::make_shared<Arguments>();
  Command& report = cdn.AddCommand(
      "report",
      "Hit ratio, bytes and money saved, by content type; and the URLs whose headers waste most");
  report.AddOption({.name = "--json", .value = &arguments->json, .help = "As JSON"});
  AddStateOption(report, arguments->state_directory);
  report.footer =
      "All edges of the site are asked, and their numbers added up; each counts from when it was\n"
      "started. Prices are those of [edge.cost] in site.toml. Exit status: 1 when an edge has not\n"
      "answered; it is named, and the rest is shown.";
  report.action = [arguments] { return Report(*arguments); };
}

}  // namespace meridian::cli
