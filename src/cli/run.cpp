// meridian run: runs a data center on this host. This process becomes the guard, and starts the
// program again as the agent.
#include "agent/run.hpp"

#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>
#include <sys/types.h>

#include "agent/guard.hpp"
#include "agent/report/startup_report.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/log/log_copy.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "dns/config.hpp"
#include "dns/limits.hpp"
#include "io/file/file_lock.hpp"
#include "queue/config.hpp"
#include "queue/site_topics.hpp"
#include "session/access.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"
#include "site/tier_description.hpp"
#include "site/trust/ca.hpp"

namespace meridian::cli {
namespace {

struct RunArguments {
  std::string site_file = "site.toml";
  std::string data_center;
  std::string state_directory = ".meridian";
  std::vector<std::string> roles;
  int report_fd = -1;
  bool lab = false;
};

// Checks that no other process runs this data center in this state directory.
Result<io::FileLock> LockDataCenter(const site::StateDir& state, const std::string& data_center) {
  auto lock = state.LockRun(data_center);
  if (!lock && lock.error().code == Errc::kExists) {
    return Fail(Errc::kExists,
                "{0} already runs in {1} (process {2}). See: meridian status --state {1}; end it: "
                "kill {2}",
                data_center, state.root().string(), state.RunHolder(data_center));
  }
  if (pid_t lab = io::FileLock::Holder(state.lock()); lock && lab != 0) {
    return Fail(Errc::kExists,
                "{0} holds a lab that runs already (process {1}), with every data center. End it: "
                "meridian down --state {0}; or give another directory with --state",
                state.root().string(), lab);
  }
  return lock;
}

// Made before any process starts; the lock is held as long as the data center runs.
Result<io::FileLock> PrepareState(const site::Site& site, const RunArguments& arguments) {
  auto state = site::StateDir::Create(arguments.state_directory);
  if (!state) return Fail(state.error());
  auto lock = LockDataCenter(*state, arguments.data_center);
  if (!lock) return lock;
  std::error_code error;
  std::filesystem::create_directories(state->logs() / arguments.data_center, error);
  if (error) return Fail(Errc::kIo, "{}: {}", state->logs().string(), error.message());
  auto token = state->EnsureToken();
  if (!token) return Fail(token.error());
  auto ca = site::EnsureCa(*state, site, {arguments.data_center}, SystemClock().Wall());
  if (!ca) return Fail(ca.error());
  Result<void> remembered = RememberSite(*state, site);
  if (!remembered) return Fail(remembered.error());
  return lock;
}

// In the lab the site is in the state directory; otherwise it comes from the command line.
std::expected<site::Site, int> SiteFor(const RunArguments& arguments) {
  if (!arguments.lab) return LoadSite(arguments.site_file);
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return std::unexpected(deployed.error());
  return std::move(deployed->site);
}

// True if this server has the site's authority and token, or is the site's only data center. If
// each server made its own, they would refuse each other for ever. Prints what to do.
bool IsTrusted(const site::Site& site, const RunArguments& arguments) {
  if (site.datacenters.size() < 2) return true;
  auto state = site::StateDir::Open(arguments.state_directory);
  std::error_code error;
  if (state && std::filesystem::exists(state->ca() / "authority.pem", error) &&
      std::filesystem::exists(state->admin_token(), error)) {
    return true;
  }
  fmt::print(stderr,
             "meridian: {} holds no authority that the other data centers of {} trust (ca/ and "
             "admin.token). On one machine make them with: meridian ca {} --state DIR; then copy "
             "DIR/ca and DIR/admin.token into the state directory of every server\n",
             arguments.state_directory, site.name, arguments.site_file);
  return false;
}

std::string LogPath(const RunArguments& arguments) {
  return std::filesystem::path(arguments.state_directory) / "logs" / arguments.data_center /
         "agent.log";
}

// In the lab guard and agent write their log to a file; on a server to standard error.
void OpenLog(const RunArguments& arguments, const char* process) {
  ConfigureLog({.file = {.path = arguments.lab ? LogPath(arguments) : "", .redirect_stdio = true},
                .process = process,
                .dc = arguments.data_center});
}

// On a server, from here on to the file too, for the watch tier. The folder must exist.
void CopyLog(const RunArguments& arguments) {
  if (arguments.lab) return;
  Result<void> copied = CopyLogTo({.path = LogPath(arguments)});
  if (!copied) {
    LOG_WARNING("the log file cannot be opened", {"problem", copied.error().message});
  }
}

int RunGuard(const RunArguments& arguments) {
  auto site = SiteFor(arguments);
  if (!site) return site.error();
  if (site->FindDataCenter(arguments.data_center) == nullptr) {
    return UnknownDataCenter(*site, arguments.data_center);
  }
  OpenLog(arguments, "guard");
  if (!arguments.lab && !IsTrusted(*site, arguments)) return kMisused;
  // In the lab these files are made once, before the data centers start.
  std::optional<Result<io::FileLock>> prepared;
  if (!arguments.lab) prepared = PrepareState(*site, arguments);
  if (prepared && !*prepared) return Complain(prepared->error());
  CopyLog(arguments);
  agent::GuardOptions options{
      .agent_command = {ProgramPath(), "agent", site->file.string(), "--dc", arguments.data_center,
                        "--state", std::filesystem::absolute(arguments.state_directory).string()},
      .descriptors = {},
      .pid_file =
          std::filesystem::absolute(arguments.state_directory) / "pids" / arguments.data_center};
  for (const std::string& role : arguments.roles) {
    options.agent_command.insert(options.agent_command.end(), {"--roles", role});
  }
  if (arguments.lab) options.agent_command.emplace_back("--lab");
  if (arguments.report_fd >= 0) {
    options.agent_command.insert(options.agent_command.end(),
                                 {"--report-fd", fmt::format("{}", agent::kReportFd)});
    options.descriptors.emplace_back(agent::kReportFd, arguments.report_fd);
  }
  Result<int> status = agent::RunGuard(options);
  return status ? *status : Complain(status.error());
}

using Variables = std::vector<std::pair<std::string, std::string>>;

// The environment variables of instances. An edge place has no instances, so it needs no password.
Result<Variables> VariablesFor(const site::Site& site, const site::DataCenter& here,
                               site::Hosting hosting, const std::filesystem::path& state) {
  if (here.edge_only) return Variables{};
  Result<Variables> variables = session::ApplicationVariables(site, here, hosting, state);
  if (!variables) return variables;
  for (auto& variable : queue::ApplicationVariables(site, here, hosting)) {
    variables->push_back(std::move(variable));
  }
  return variables;
}

int RunAgent(const RunArguments& arguments) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  const site::Site* site = &deployed->site;
  const site::DataCenter* here = site->FindDataCenter(arguments.data_center);
  if (here == nullptr) return UnknownDataCenter(*site, arguments.data_center);
  OpenLog(arguments, "agent");
  CopyLog(arguments);
  auto state = site::StateDir::Open(arguments.state_directory);
  auto token = state ? state->ReadToken() : Fail(state.error());
  if (!token) return Complain(token.error());
  site::Hosting hosting = arguments.lab ? site::Hosting::kLab : site::Hosting::kServers;
  Result<Variables> variables = VariablesFor(*site, *here, hosting, state->root());
  if (!variables) return Complain(variables.error());
  Duration ttl = arguments.lab ? dns::kLabTtl : dns::kDefaultTtl;
  return agent::RunAgent(*site, {.data_center = arguments.data_center,
                                 .state_directory = state->root(),
                                 .program = ProgramPath(),
                                 .roles = {arguments.roles.begin(), arguments.roles.end()},
                                 .answer_ttl = site->sections.Get<dns::Config>().ttl.value_or(ttl),
                                 .token = std::move(*token),
                                 .report_fd = arguments.report_fd,
                                 .hosting = hosting,
                                 .service_variables = std::move(*variables),
                                 .worker_variables = queue::WorkerVariables(site->workers)});
}

void AddArguments(Command& command, RunArguments& arguments) {
  command.AddOption({.name = "site",
                     .value = &arguments.site_file,
                     .help = "The site's file (site.toml)",
                     .type = "FILE"});
  command.AddOption({.name = "--dc",
                     .value = &arguments.data_center,
                     .help = "The data center to run",
                     .type = "NAME",
                     .required = true});
  std::vector<std::string> roles;
  for (const site::TierDescription& tier : std::views::reverse(AllTiers()))
    roles.emplace_back(tier.name);
  roles.emplace_back("app");
  roles.emplace_back("worker");
  command.AddOption({.name = "--roles",
                     .value = &arguments.roles,
                     .help = fmt::format("Run these only: {}", fmt::join(roles, ", ")),
                     .type = "ROLE,…",
                     .separator = ',',
                     .one_of = roles});
  AddStateOption(command, arguments.state_directory);
  // Options that only Meridian's processes use.
  command.AddOption({.name = "--report-fd", .value = &arguments.report_fd, .hidden = true});
  command.AddOption({.name = "--lab", .value = &arguments.lab, .hidden = true});
}

}  // namespace

void AddRun(Command& program) {
  auto arguments = std::make_shared<RunArguments>();
  Command& run = program.AddCommand("run", "Run one data center on this host");
  AddArguments(run, *arguments);
  run.action = [arguments] { return RunGuard(*arguments); };
  Command& agent = program.AddCommand("agent", "The agent of a data center, as `run` starts it");
  agent.hidden = true;
  AddArguments(agent, *arguments);
  agent.action = [arguments] { return RunAgent(*arguments); };
}

}  // namespace meridian::cli
