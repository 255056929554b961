#include "cli/report/summary.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/core.h>

#include "base/ip.hpp"
#include "cli/command_line.hpp"
#include "dns/config.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

namespace fs = std::filesystem;

bool IsOnPath(const fs::path& program) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): no other thread runs
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    std::error_code error;
    if (fs::equivalent(fs::path(folder) / program.filename(), program, error)) return true;
  }
  return false;
}

// `text` as one word of a shell's command line.
std::string Quoted(const std::string& text) {
  constexpr std::string_view kSpecial = " \t\n'\"\\$`&|;<>()*?[]{}~#!";
  if (text.find_first_of(kSpecial) == text.npos) return text;
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

std::string HowToTrust(const SummaryOptions& options) {
  const site::Site& site = options.site;
  std::error_code error;
  fs::path authority = fs::path(options.state_directory) / "ca/authority.pem";
  fs::path absolute = fs::absolute(authority, error);
  if (!error) authority = absolute.lexically_normal();
  std::string url = fmt::format("{}:{}", site.domain, site.ports.edge_https);
  std::string at = site.datacenters.front().address.ToString();
  if (!site.datacenters.front().address.is_v4()) at = "[" + at + "]";
  return fmt::format(
      "\nHTTPS is by a certificate authority of this site's own, which no client trusts unless "
      "told:\n"
      "  curl --cacert {} --resolve {} https://{}/\n"
      "A browser imports that file among its authorities, for as long as you use the site.\n",
      Quoted(authority.string()), Quoted(url + ":" + at), url);
}

}  // namespace

std::string HowToCall() {
  fs::path program = ProgramPath();
  if (IsOnPath(program)) return program.filename();
  std::error_code error;
  fs::path relative = fs::relative(program, fs::current_path(error), error);
  bool below = !error && !relative.empty() && *relative.begin() != "..";
  return (below ? relative : program).string();
}

std::string CountText(const site::Site& site) {
  auto places = std::ranges::count_if(site.datacenters, &site::DataCenter::edge_only);
  auto all = std::ssize(site.datacenters) - places;
  std::string text = fmt::format("{} data center{}", all, all == 1 ? "" : "s");
  if (places > 0) text += fmt::format(" and {} edge place{}", places, places == 1 ? "" : "s");
  return text;
}

std::string Summary(const SummaryOptions& options) {
  const site::Site& site = options.site;
  const site::DataCenter& first = site.datacenters.front();
  const site::Ports& ports = site.ports;
  const auto& places = site.sections.Get<dns::Config>().places;
  std::string call = HowToCall();
  std::string state;
  if (options.state_directory != ".meridian") state = " --state " + options.state_directory;

  std::string text = fmt::format("{} is up at {}:\n\n", site.name, CountText(site));
  for (const site::DataCenter& dc : site.datacenters) {
    text += fmt::format("  {:<12} http://{}/  https://{}/  dns {}\n", dc.name,
                        Endpoint{dc.address, ports.edge}.ToString(),
                        Endpoint{dc.address, ports.edge_https}.ToString(),
                        Endpoint{dc.address, ports.dns}.ToString());
  }
  text += "\nTry:\n";
  std::string from = places.empty() ? "" : " --from " + places.front().name;
  text += fmt::format("  {} visit{} http://{}/{}\n", call, from, site.domain, state);
  std::string subnet = places.empty() ? "" : " +subnet=" + places.front().prefix.ToString();
  text += fmt::format("  dig @{} -p {} {} +short{}\n", first.address.ToString(), ports.dns,
                      site.domain, subnet);
  text += fmt::format("  curl http://{}/\n", Endpoint{first.address, ports.edge}.ToString());
  text += fmt::format("  {} status{}\n", call, state);
  if (site.datacenters.size() > 1) {
    text += fmt::format("  {} dc kill {}{}\n", call, first.name, state);
    text += fmt::format("  {} dc start {}{}\n", call, first.name, state);
  }
  text += HowToTrust(options);
  text += options.detached ? fmt::format("\nEnd it with: {} down{}\n", call, state)
                           : std::string("\nEnd it with Ctrl-C.\n");
  return text;
}

}  // namespace meridian::cli
