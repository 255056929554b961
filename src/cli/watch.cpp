// meridian watch scrape-config: what a Prometheus elsewhere needs to scrape the site.
#include <memory>
#include <string>

#include <fmt/core.h>

#include "agent/engines/engine_access.hpp"
#include "agent/engines/external_scrape.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "site/secret.hpp"
#include "site/site.hpp"
#include "site/trust/password.hpp"

namespace meridian::cli {
namespace {

struct Arguments {
  std::string data_center;
  std::string state_directory = ".meridian";
};

int PrintScrapeConfig(const Arguments& arguments) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  auto token = deployed->state.ReadToken();
  if (!token) return Complain(token.error());
  const site::Secret password = site::PasswordFor(*token, agent::kMetricsPurpose);
  agent::ExternalScrape scrape{.site = deployed->site,
                               .datacenters = {},
                               .password = password,
                               .authority = (deployed->state.ca() / "authority.pem").string()};
  for (const site::DataCenter& dc : deployed->site.datacenters) {
    if (arguments.data_center.empty() || dc.name == arguments.data_center) {
      scrape.datacenters.push_back(&dc);
    }
  }
  if (scrape.datacenters.empty()) return UnknownDataCenter(deployed->site, arguments.data_center);
  fmt::print("{}", agent::ExternalScrapeConfig(scrape));
  return kDone;
}

}  // namespace

void AddWatchCommands(Command& watch) {
  auto arguments = std::make_shared<Arguments>();
  watch.subcommands_given = {.min = 0, .max = 1};
  Command& command =
      watch.AddCommand("scrape-config", "What a Prometheus elsewhere needs to scrape the site");
  command.AddOption({.name = "--dc",
                     .value = &arguments->data_center,
                     .help = "Only of this data center",
                     .type = "NAME"});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] { return PrintScrapeConfig(*arguments); };
}

}  // namespace meridian::cli
