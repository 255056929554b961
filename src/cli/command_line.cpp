#include "cli/command_line.hpp"

#include <array>
#include <climits>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "balancer/config.hpp"
#include "dns/config.hpp"
#include "edge/config.hpp"
#include "io/file.hpp"
#include "site/load.hpp"

namespace meridian::cli {
namespace {

// In the state directory: the path of the site.toml that it is for.
constexpr const char* kSiteFileName = "site";

}  // namespace

void AddStateOption(CLI::App& command, std::string& directory) {
  command.add_option("--state", directory, "Where the site keeps its state (.meridian)")
      ->type_name("DIR")
      ->capture_default_str();
}

std::span<const site::Section> AllSections() {
  static const std::vector<site::Section> sections = {dns::ConfigSection(), edge::ConfigSection(),
                                                      balancer::ConfigSection()};
  return sections;
}

std::expected<site::Site, int> LoadSite(const std::filesystem::path& path) {
  auto loaded = site::Load(path, AllSections());
  if (loaded) return std::move(*loaded);
  fmt::print(stderr, "{}", loaded.error().Render({.color = site::WantsColor(STDERR_FILENO)}));
  return std::unexpected(kMisused);
}

Result<void> RememberSite(const site::StateDir& state, const site::Site& site) {
  return io::WriteFileAtomically(state.root() / kSiteFileName, site.file.string() + "\n", 0600);
}

std::expected<Deployed, int> FindDeployed(const std::string& state_directory) {
  auto state = site::StateDir::Open(state_directory);
  Result<std::string> file =
      state ? io::ReadFile(state->root() / kSiteFileName, PATH_MAX) : Fail(state.error());
  if (!file || file->empty()) {
    fmt::print(stderr,
               "meridian: no site has been brought up in {}. Bring one up with: meridian up "
               "site.toml --state {}\n",
               state_directory, state_directory);
    return std::unexpected(kFailed);
  }
  file->pop_back();
  auto site = LoadSite(*file);
  if (!site) return std::unexpected(site.error());
  return Deployed{std::move(*state), std::move(*site)};
}

std::string ProgramPath() {
  std::array<char, PATH_MAX> path{};
  ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  CHECK(size > 0);
  return {path.data(), static_cast<size_t>(size)};
}

int Complain(const Error& error) {
  fmt::print(stderr, "meridian: {}\n", error.message);
  return kFailed;
}

}  // namespace meridian::cli
