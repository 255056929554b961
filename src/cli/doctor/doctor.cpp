#include "cli/doctor/doctor.hpp"

#include <cstdio>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/core.h>
#include <unistd.h>

#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/doctor/doctor_text.hpp"
#include "cli/doctor/facts.hpp"
#include "cli/doctor/machine_facts.hpp"
#include "cli/doctor/site_facts.hpp"
#include "site/load/diagnostics.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"

namespace meridian::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string site_file;  // empty: that of the state directory, else site.toml if it is there
  std::string data_center;
  std::string state_directory = ".meridian";
  bool json = false;
};

// The site that is meant; nothing where there is none: then the machine alone is looked at.
std::expected<std::optional<site::Site>, int> FindSite(const Arguments& arguments,
                                                       const Result<site::StateDir>& state) {
  std::error_code error;
  std::string file = arguments.site_file;
  if (file.empty() && state && fs::exists(state->root() / "site.toml", error)) {
    auto deployed = FindDeployed(arguments.state_directory);
    if (!deployed) return std::unexpected(deployed.error());
    return std::move(deployed->site);
  }
  if (file.empty() && fs::exists("site.toml", error)) file = "site.toml";
  if (file.empty()) return std::nullopt;
  auto loaded = LoadSite(file);
  if (!loaded) return std::unexpected(loaded.error());
  return std::move(*loaded);
}

int Examine(const Arguments& arguments, const std::string& version) {
  // Fails for a directory that is open to others, too: its modes are a finding.
  Result<site::StateDir> state = site::StateDir::Open(arguments.state_directory);
  auto site = FindSite(arguments, state);
  if (!site) return site.error();
  const site::DataCenter* only = nullptr;
  if (!arguments.data_center.empty()) {
    if (!*site) {
      fmt::print(stderr, "meridian: --dc {} needs a site.toml: name it before the option\n",
                 arguments.data_center);
      return kMisused;
    }
    only = (*site)->FindDataCenter(arguments.data_center);
    if (only == nullptr) return UnknownDataCenter(**site, arguments.data_center);
  }
  std::error_code error;
  const fs::path directory = fs::absolute(arguments.state_directory, error).lexically_normal();
  DoctorFacts facts{.machine = ReadMachine(directory, *site ? &**site : nullptr)};
  if (*site) {
    SiteQuestion question{.site = **site, .only = only, .version = version};
    if (state) question.state = *state;
    facts.site = ReadSite(question);
  }
  const Diagnosis diagnosis = Diagnose(facts);
  fmt::print("{}", arguments.json ? DoctorJson(facts, diagnosis)
                                  : DoctorText(facts, diagnosis, site::WantsColor(STDOUT_FILENO)));
  return HasErrors(diagnosis) ? kFailed : kDone;
}

}  // namespace

void AddDoctor(Command& program) {
  auto arguments = std::make_shared<Arguments>();
  Command& command =
      program.AddCommand("doctor", "Find what is wrong with this machine or site, and its mend");
  command.AddOption({.name = "site",
                     .value = &arguments->site_file,
                     .help = "The site's file; without it that of the state directory, if any",
                     .type = "FILE"});
  command.AddOption({.name = "--dc",
                     .value = &arguments->data_center,
                     .help = "The data center or edge place that this machine runs",
                     .type = "NAME"});
  command.AddOption({.name = "--json", .value = &arguments->json, .help = "As JSON"});
  AddStateOption(command, arguments->state_directory);
  command.footer =
      "Exit status: 0 if there is no error (there may be warnings), 1 if there is one, 2 if the\n"
      "command line or site.toml is wrong.";
  command.action = [arguments, version = program.version] { return Examine(*arguments, version); };
}

}  // namespace meridian::cli
