// Shared by the subcommands: functions to add each to the command line, to find the site and the
// state directory, and to print errors. Each subcommand has its own file; main.cpp lists them.
//
// Data goes to standard output, other messages to standard error. Exit status: 0; 1 if the command
// failed; 2 if the command line or site.toml is wrong.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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
void AddLogs(Command& program);
void AddPurge(Command& program);
void AddCdn(Command& program);
void AddVisit(Command& program);
void AddTiers(Command& program);

// --state, default .meridian. `directory` must outlive the command's action.
void AddStateOption(Command& command, std::string& directory);

// The tiers of this program, which define the tables of site.toml and the processes of a data
// center.
std::span<const site::TierDescription> AllTiers();

// Loads `path`, or prints every error in it to standard error.
std::expected<site::Site, int> LoadSite(const std::filesystem::path& path);

// The state directory, and its site, for commands about a running site.
struct Deployed {
  site::StateDir state;
  site::Site site;
};
std::expected<Deployed, int> FindDeployed(const std::string& state_directory);
// The path of its site.toml. kNotFound: no site has been brought up.
Result<std::filesystem::path> DeployedFile(const site::StateDir& state);
// Stores the site's path and text in the state directory. Processes use this text until the next
// `up` or `run`, even if the file changes.
Result<void> RememberSite(const site::StateDir& state, const site::Site& site);

// Prints that the site has no data center or edge place of this name, with the names that it has;
// returns kMisused.
int UnknownDataCenter(const site::Site& site, const std::string& name);

// The error of a command for the lab if a data center runs here without a lab.
Error RunsByItself(const std::string& data_center, pid_t pid);

// This program's own path.
std::string ProgramPath();

// Prints "meridian: …" to standard error; returns kFailed.
int Complain(const Error& error);

// Writes to standard output. kIo: it cannot be written, because its reader has gone for one.
Result<void> Print(std::string_view text);

}  // namespace meridian::cli
