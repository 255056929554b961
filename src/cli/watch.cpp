// meridian watch scrape-config: what a Prometheus elsewhere needs to scrape the site.
// meridian watch grafana: dashboards for Grafana.
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <fmt/core.h>
#include <sys/types.h>

#include "agent/engines/engine_access.hpp"
#include "agent/engines/external_scrape.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/grafana/dashboard.hpp"
#include "io/file/file.hpp"
#include "site/secret.hpp"
#include "site/site.hpp"
#include "site/trust/password.hpp"

namespace meridian::cli {
namespace {

constexpr mode_t kDashboardMode = 0644;  // Grafana is another user

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
  Result<void> printed = Print(agent::ExternalScrapeConfig(scrape));
  return printed ? kDone : Complain(printed.error());
}

int WriteDashboards(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Complain({Errc::kIo, fmt::format("{}: {}", folder, error.message())});
  std::string names;
  for (const Dashboard& each : AllDashboards()) {
    const std::filesystem::path file =
        std::filesystem::path(folder) / fmt::format("meridian-{}.json", each.name);
    Result<void> written = io::WriteFileAtomically(file, ToJson(each), kDashboardMode);
    if (!written) return Complain(written.error());
    names += file.string() + "\n";
  }
  Result<void> printed = Print(names);
  if (!printed) return Complain(printed.error());
  fmt::print(stderr, "meridian: their data source is the Prometheus with the uid \"{}\"\n",
             kDatasourceUid);
  return kDone;
}

void AddGrafana(Command& watch) {
  auto folder = std::make_shared<std::string>();
  Command& command =
      watch.AddCommand("grafana", "Write dashboards for Grafana, a file each, into a folder");
  command.AddOption({.name = "folder",
                     .value = folder.get(),
                     .help = "Where they are written; older ones there are replaced",
                     .type = "FOLDER",
                     .required = true});
  command.action = [folder] { return WriteDashboards(*folder); };
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
  AddGrafana(watch);
}

}  // namespace meridian::cli
