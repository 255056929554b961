// meridian check: reads site.toml and says what is wrong with it, or what it describes.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "cli/command_line.hpp"
#include "cli/summary.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

int Check(const std::string& path) {
  auto site = LoadSite(path);
  if (!site) return site.error();
  fmt::print("{}: {} for {} in {}\n", path, site->name, site->domain, CountText(*site));
  for (const site::DataCenter& dc : site->datacenters) {
    std::string where =
        dc.city.empty() ? fmt::format("{:.2f}, {:.2f}", dc.location.latitude, dc.location.longitude)
                        : dc.city;
    fmt::print("  {:<16} {:<16} {}{}\n", dc.name, dc.address.ToString(), where,
               dc.edge_only ? ", dns and edge alone" : "");
  }
  if (site->datacenters.size() > 1) {
    fmt::print("Failover that needs a vote is by hand: no witness is named ([coordinator]).\n");
  }
  return kDone;
}

}  // namespace

void AddCheck(CLI::App& app, Action& action) {
  auto path = std::make_shared<std::string>("site.toml");
  CLI::App* command = app.add_subcommand("check", "Say what is wrong with a site.toml");
  command->add_option("site", *path, "The site's file (site.toml)")->type_name("FILE");
  command->callback([path, &action] { action = [path] { return Check(*path); }; });
}

}  // namespace meridian::cli
