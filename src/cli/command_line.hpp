// What the subcommands share: how each adds itself to the command line, where it finds the site and
// the state directory, and how it ends. One file per subcommand; main.cpp lists them.
//
// Data goes to standard output, everything said beside it to standard error. Exit status: 0, 1 when
// the thing asked for did not happen, 2 when the command line or site.toml is wrong.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"
#include "site/tier_description.hpp"

namespace meridian::cli {

constexpr int kDone = 0;
constexpr int kFailed = 1;

void AddCa(Command& program);
void AddCheck(Command& program);
void AddCompletion(Command& program);
void AddUp(Command& program);
void AddDown(Command& program);
void AddRun(Command& program);
void AddSessionCommands(Command& session);
void AddSiteReference(Command& program);
void AddStatus(Command& program);
void AddDataCenter(Command& program);
void AddInstance(Command& program);
void AddLink(Command& program);
void AddPurge(Command& program);
void AddCdn(Command& program);
void AddVisit(Command& program);
void AddTiers(Command& program);

// --state, default .meridian. `directory` must outlive the command's action.
void AddStateOption(Command& command, std::string& directory);

// The tiers of this program: what site.toml may hold, and what a data center runs.
std::span<const site::TierDescription> AllTiers();

// Loads `path`, or prints every mistake in it to standard error.
std::expected<site::Site, int> LoadSite(const std::filesystem::path& path);

// For commands about a site that was brought up: the state directory, and the site whose it is.
// Prints what is wrong.
struct Deployed {
  site::StateDir state;
  site::Site site;
};
std::expected<Deployed, int> FindDeployed(const std::string& state_directory);
// Keeps in the state directory which site it is for, with the text of its file: what runs goes by
// that until the next `up` or `run`, whatever is edited meanwhile.
Result<void> RememberSite(const site::StateDir& state, const site::Site& site);

// Prints that the site has no data center or edge place of this name, and which it has; gives
// kMisused.
int UnknownDataCenter(const site::Site& site, const std::string& name);

// Of a command that is about the lab, where a data center runs without one.
Error RunsByItself(const std::string& data_center, pid_t pid);

// This program's own path.
std::string ProgramPath();

// Prints "meridian: …" to standard error; gives kFailed.
int Complain(const Error& error);

}  // namespace meridian::cli
