#include "cli/command_line.hpp"

#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <expected>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/check.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "io/file/file.hpp"
#include "site/limits.hpp"
#include "site/load/diagnostics.hpp"
#include "site/load/load.hpp"
#include "site/load/spelling.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"

namespace meridian::cli {
namespace {

// Files in the state directory: the path of the site.toml, and its text.
constexpr const char* kSitePathName = "site";
constexpr const char* kSiteTextName = "site.toml";

std::optional<std::string> FromEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// The site; prints its errors to standard error.
std::expected<site::Site, int> Loaded(std::expected<site::Site, site::Diagnostics> loaded) {
  if (loaded) return std::move(*loaded);
  fmt::print(stderr, "{}", loaded.error().Render({.color = site::WantsColor(STDERR_FILENO)}));
  return std::unexpected(kMisused);
}

}  // namespace

void AddStateOption(Command& command, std::string& directory) {
  command.AddOption({.name = "--state",
                     .value = &directory,
                     .help = "Where the site keeps its state",
                     .type = "DIR",
                     .default_text = ".meridian"});
}

std::expected<site::Site, int> LoadSite(const std::filesystem::path& path) {
  return Loaded(site::Load(path, AllTiers()));
}

Result<void> RememberSite(const site::StateDir& state, const site::Site& site) {
  Result<std::string> text = io::ReadFile(site.file, site::kMaxSiteFileBytes);
  if (!text) return Fail(text.error());
  Result<void> kept = io::WriteFileAtomically(state.root() / kSiteTextName, *text, 0600);
  if (!kept) return kept;
  return io::WriteFileAtomically(state.root() / kSitePathName, site.file.string() + "\n", 0600);
}

Result<std::filesystem::path> DeployedFile(const site::StateDir& state) {
  Result<std::string> file = io::ReadFile(state.root() / kSitePathName, site::kMaxSiteFileBytes);
  if (!file) return Fail(std::move(file.error()));
  if (file->empty()) return Fail(Errc::kNotFound, "no site has been brought up");
  file->pop_back();
  return *file;
}

std::expected<Deployed, int> FindDeployed(const std::string& state_directory) {
  auto state = site::StateDir::Open(state_directory);
  // The directory belongs to another user, or is open to others.
  if (!state && state.error().code == Errc::kPermission) {
    return std::unexpected(Complain(state.error()));
  }
  Result<std::filesystem::path> file = state ? DeployedFile(*state) : Fail(state.error());
  Result<std::string> text =
      state ? io::ReadFile(state->root() / kSiteTextName, site::kMaxSiteFileBytes)
            : Fail(state.error());
  if (!file || !text) {
    fmt::print(stderr,
               "meridian: no site has been brought up in {}. Bring one up with: meridian up "
               "site.toml --state {}\n",
               state_directory, state_directory);
    return std::unexpected(kFailed);
  }
  auto site = Loaded(site::Parse(
      {.text = *text, .shown_name = file->string(), .file = *file, .environment = FromEnvironment},
      AllTiers()));
  if (!site) return std::unexpected(site.error());
  return Deployed{std::move(*state), std::move(*site)};
}

int UnknownDataCenter(const site::Site& site, const std::string& name) {
  std::vector<std::string> known;
  for (const site::DataCenter& dc : site.datacenters) known.push_back(dc.name);
  std::optional<std::string> nearest = site::Nearest(name, known);
  fmt::print(stderr, "meridian: {} has no data center or edge place \"{}\"; it has {}.{}\n",
             site.file.string(), name, fmt::join(known, ", "),
             nearest ? " Did you mean " + *nearest + "?" : "");
  return kMisused;
}

Error RunsByItself(const std::string& data_center, pid_t pid) {
  return {Errc::kExists,
          fmt::format("{} runs here by itself: meridian run, process {}. End it with: kill {}",
                      data_center, pid, pid)};
}

std::string ProgramPath() {
  std::array<char, PATH_MAX> path{};
  ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  CHECK(size > 0);
  return {path.data(), static_cast<size_t>(size)};
}

Result<void> Print(std::string_view text) {
  bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return {};
  return Fail(Errc::kIo, "standard output cannot be written");
}

int Complain(const Error& error) {
  fmt::print(stderr, "meridian: {}\n", error.message);
  return kFailed;
}

}  // namespace meridian::cli
