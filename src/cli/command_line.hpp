// What the subcommands share: how each adds itself to the command line, where it finds the site and
// the state directory, and how it ends. One file per subcommand; main.cpp lists them.
//
// Data goes to standard output, everything said beside it to standard error. Exit status: 0, 1 when
// the thing asked for did not happen, 2 when the command line or site.toml is wrong.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "site/section.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"

namespace CLI {
class App;
}

namespace meridian::cli {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kMisused = 2;

// What runs in the end: set by the subcommand that was chosen.
using Action = std::function<int()>;

void AddCa(CLI::App& app, Action& action);
void AddCheck(CLI::App& app, Action& action);
void AddUp(CLI::App& app, Action& action);
void AddDown(CLI::App& app, Action& action);
void AddRun(CLI::App& app, Action& action);
void AddSessionCommands(CLI::App& session, Action& action);
void AddStatus(CLI::App& app, Action& action);
void AddDataCenter(CLI::App& app, Action& action);
void AddInstance(CLI::App& app, Action& action);
void AddLink(CLI::App& app, Action& action);
void AddPurge(CLI::App& app, Action& action);
void AddCdn(CLI::App& app, Action& action);
void AddVisit(CLI::App& app, Action& action);
void AddTiers(CLI::App& app, Action& action);

// --state, default .meridian. `directory` must outlive the parse.
void AddStateOption(CLI::App& command, std::string& directory);

// The sections of every tier: what site.toml may hold.
std::span<const site::Section> AllSections();

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

// This program's own path.
std::string ProgramPath();

// Prints "meridian: …" to standard error; gives kFailed.
int Complain(const Error& error);

}  // namespace meridian::cli
