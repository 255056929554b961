// meridian ca: makes the authority and token by which the data centers of a site trust each other,
// in a state directory.
#include "site/trust/ca.hpp"

#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"

namespace meridian::cli {
namespace {

struct Arguments {
  std::string site_file = "site.toml";
  std::string state_directory = ".meridian";
};

int Make(const Arguments& arguments) {
  auto site = LoadSite(arguments.site_file);
  if (!site) return site.error();
  auto state = site::StateDir::Create(arguments.state_directory);
  if (!state) return Complain(state.error());
  auto token = state->EnsureToken();
  if (!token) return Complain(token.error());
  std::vector<std::string> names;
  for (const site::DataCenter& dc : site->datacenters) names.push_back(dc.name);
  auto ca = site::EnsureCa(*state, *site, names, SystemClock().Wall());
  if (!ca) return Complain(ca.error());
  fmt::print(
      "By these the data centers of {} trust each other. Copy both, with mode 0700 and 0600, to\n"
      "the state directory of every server before its first `meridian run`:\n"
      "  {}\n  {}\n"
      "authority.key may stay here alone; then call this once in a while and copy again, for\n"
      "certificates last a year and only it can sign new ones.\n",
      site->name, state->ca().string(), state->admin_token().string());
  return kDone;
}

}  // namespace

void AddCa(Command& program) {
  auto arguments = std::make_shared<Arguments>();
  Command& command = program.AddCommand(
      "ca",
      "Make the authority and token by which the site's servers trust each other, to be copied");
  command.AddOption({.name = "site",
                     .value = &arguments->site_file,
                     .help = "The site's file (site.toml)",
                     .type = "FILE"});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] { return Make(*arguments); };
}

}  // namespace meridian::cli
