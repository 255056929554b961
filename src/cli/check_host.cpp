#include "cli/check_host.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "base/result.hpp"
#include "dns/config.hpp"
#include "dns/geo/country.hpp"
#include "dns/geo/geo_database.hpp"
#include "dns/steering.hpp"
#include "edge/config.hpp"
#include "io/net/tls.hpp"
#include "session/config.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

namespace fs = std::filesystem;

// The PATH of execvp(3) if the environment has none.
constexpr std::string_view kUsualPath = "/bin:/usr/bin";

bool IsProgram(const fs::path& file) {
  std::error_code error;
  return fs::is_regular_file(file, error) && access(file.c_str(), X_OK) == 0;
}

bool IsOnPath(const std::string& program) {
  const char* value = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): no other thread runs
  std::string_view rest = value == nullptr ? kUsualPath : value;
  while (!rest.empty()) {
    std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    if (IsProgram(fs::path(folder) / program)) return true;
  }
  return false;
}

// What `table` of site.toml says of a program.
std::optional<std::string> ProgramProblem(const std::string& table, const fs::path& directory,
                                          const std::string& program) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    return fmt::format("there is no directory {}. Make it, or correct directory of {}",
                       directory.string(), table);
  }
  bool is_path = program.find('/') != std::string::npos;
  if (is_path ? IsProgram(directory / program) : IsOnPath(program)) return std::nullopt;
  return fmt::format("there is no program {}{}. Install it, or correct command of {}", program,
                     !is_path                 ? " on the PATH"
                     : program.front() == '/' ? ""
                                              : " in " + directory.string(),
                     table);
}

void FindUnsetPasswords(const site::Site& site, std::vector<std::string>* problems) {
  if (site.externals.contains("session")) return;
  for (const auto& [user, variable] : site.sections.Get<session::Config>().password_variables) {
    const char* value = std::getenv(variable.c_str());  // NOLINT(concurrency-mt-unsafe)
    if (value != nullptr && *value != '\0') continue;
    problems->push_back(
        fmt::format("the environment variable {} is not set. [session] has the password of \"{}\" "
                    "in it: set it before starting Meridian",
                    variable, user));
  }
}

bool SteersByPlace(const site::Site& site) {
  return site.datacenters.size() > 1 &&
         site.sections.Get<dns::Config>().mode == dns::SteeringMode::kNearest;
}

std::optional<std::string> DatabaseProblem(const site::Site& site) {
  const auto& config = site.sections.Get<dns::Config>();
  if (!config.geo_database.empty()) {
    Result<dns::GeoDatabase> database = dns::GeoDatabase::Open(config.geo_database);
    if (database) return std::nullopt;
    return database.error().message + ". Correct geo_database of [dns], or leave it out";
  }
  if (!SteersByPlace(site)) return std::nullopt;
  fs::path by_country = dns::CountryDatabasePath();
  std::string problem = "the program has no share/meridian/country.mmdb beside it";
  if (!by_country.empty()) {
    Result<dns::GeoDatabase> database = dns::GeoDatabase::Open(by_country);
    if (database) return std::nullopt;
    problem = database.error().message;
  }
  if (!config.places.empty()) return std::nullopt;  // DescribeVisitorLocation describes this case
  return fmt::format(
      "no visitor can be located, and steering = \"nearest\" sends them anywhere: {}. Name a "
      "geo_database in [dns], add a [[dns.place]] for each network that matters, or build with "
      "./dev, which fetches the country database",
      problem);
}

}  // namespace

std::vector<std::string> HostProblems(const site::Site& site, const site::DataCenter* only) {
  bool edge_alone = only != nullptr && only->edge_only;
  std::vector<std::string> problems;
  auto add = [&](std::optional<std::string> problem) {
    if (problem) problems.push_back(*std::move(problem));
  };
  if (!edge_alone) {
    add(ProgramProblem("[app]", site.app.directory, site.app.command.front()));
    for (const site::Worker& worker : site.workers) {
      add(ProgramProblem("[worker." + worker.name + "]", worker.directory, worker.command.front()));
    }
  }
  for (const edge::Certificate& each : site.sections.Get<edge::Config>().certificates) {
    auto tls = io::TlsContext::ForServer(
        {.certificate_path = each.certificate_path, .key_path = each.key_path});
    if (!tls) problems.push_back(tls.error().message + " ([[edge.certificate]])");
  }
  if (!edge_alone) FindUnsetPasswords(site, &problems);
  add(DatabaseProblem(site));
  return problems;
}

std::string DescribeVisitorLocation(const site::Site& site) {
  if (!SteersByPlace(site)) return "";
  const auto& config = site.sections.Get<dns::Config>();
  bool named = !config.geo_database.empty();
  fs::path file = named ? config.geo_database : dns::CountryDatabasePath();
  Result<dns::GeoDatabase> database =
      file.empty() ? Fail(Errc::kNotFound, "no database") : dns::GeoDatabase::Open(file);
  std::string places =
      config.places.empty() ? "" : fmt::format("by {} [[dns.place]], then ", config.places.size());
  if (!database) {
    return places.empty() ? "" : "Visitors are located by [[dns.place]] alone; others go anywhere.";
  }
  return fmt::format("Visitors are located {}by {}, of {}{}.", places,
                     file.lexically_normal().string(), database->Date(),
                     named ? "" : ": by their country alone (see docs/dns.md)");
}

}  // namespace meridian::cli
