#include "site/load/load.hpp"

#include <algorithm>
#include <cstdlib>
#include <expected>
#include <filesystem>
#include <fstream>
#include <ios>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "base/check.hpp"
#include "base/result.hpp"
#include "site/dns_name.hpp"
#include "site/key_description.hpp"
#include "site/limits.hpp"
#include "site/load/diagnostics.hpp"
#include "site/load/document.hpp"
#include "site/load/load_parts.hpp"
#include "site/load/spelling.hpp"
#include "site/load/table_reader.hpp"
#include "site/section.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"

namespace meridian::site {
namespace {

constexpr KeyDescription kKeys[] = {
    {.table = "", .sentence = "What the site is called."},
    {.table = "",
     .key = "domain",
     .sentence = "The domain of the site's visitors, for which its DNS servers answer.",
     .limits = "a domain name"},
    {.table = "",
     .key = "name",
     .sentence = "The site's name, which its certificates bear.",
     .fallback = "the first label of `domain`",
     .limits = "one DNS label"},
};

std::unexpected<Diagnostics> FileProblem(const std::string& shown_name, std::string problem,
                                         std::string hint) {
  Diagnostics diagnostics(shown_name, "");
  diagnostics.Add({.where = {}, .problem = std::move(problem), .hint = std::move(hint)});
  return std::unexpected(std::move(diagnostics));
}

std::string ReadDomain(TableReader& root) {
  std::string domain = root.Text("domain", {.max_bytes = kMaxDomainBytes});
  if (domain.empty()) return domain;
  Result<> good = CheckDomain(domain);
  if (!good) {
    root.Reject("domain",
                fmt::format("\"{}\" is not a domain name: {}", domain, good.error().message),
                "expected one such as \"photos.example\"");
  }
  return domain;
}

std::string ReadName(TableReader& root, const std::string& domain) {
  std::string name = root.Text(
      "name", {.max_bytes = kMaxLabelBytes, .fallback = domain.substr(0, domain.find('.'))});
  Result<> good = CheckLabel(name);
  if (root.Has("name") && !name.empty() && !good) {
    root.Reject("name", fmt::format("\"{}\" cannot name a site: {}", name, good.error().message),
                "a name is one DNS label, such as \"photos\"");
  }
  return name;
}

void ReadSections(TableReader& root, std::span<const TierDescription> tiers, Site* site) {
  SectionValues values;
  std::set<std::string> tables = {"name", "domain", "datacenter", "app", "worker", "agent", "lab"};
  for (const TierDescription& tier : tiers) {
    CHECK(tables.insert(std::string(tier.name)).second);
    if (!tier.section) continue;
    TableReader reader = root.Table(tier.name);
    values.Parse(*tier.section, reader, *site);
  }
  site->sections = std::move(values);
}

}  // namespace

const DataCenter* Site::FindDataCenter(std::string_view data_center) const {
  auto found = std::ranges::find(datacenters, data_center, &DataCenter::name);
  return found == datacenters.end() ? nullptr : &*found;
}

std::string ReadDataCenterName(TableReader& reader, std::string_view key, const Site& site) {
  std::string name = reader.Text(key);
  if (name.empty() || site.FindDataCenter(name)) return name;
  std::vector<std::string> known;
  known.reserve(site.datacenters.size());
  for (const DataCenter& data_center : site.datacenters) known.push_back(data_center.name);
  std::optional<std::string> nearest = Nearest(name, known);
  reader.Reject(key, fmt::format("the site has no data center \"{}\"", name),
                nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                        : fmt::format("it has {}", fmt::join(known, ", ")));
  return "";
}

Site ReadSite(ParsePass& pass, const SiteText& source, std::span<const TierDescription> tiers) {
  TableReader root = pass.Root();
  Site site;
  site.file = source.file;
  site.domain = ReadDomain(root);
  site.name = ReadName(root, site.domain);
  site.datacenters = ReadDataCenters(root);
  ReadLab(root, &site);
  site.app = ReadApp(root, source.file.parent_path());
  site.workers = ReadWorkers(root, source.file.parent_path());
  site.agent = ReadAgent(root);
  for (const TierDescription& tier : tiers) {
    if (!tier.needs_table || root.Has(tier.name)) site.tiers.push_back(tier);
  }
  site.ports = ReadPorts(root, site.tiers);
  site.threads = ReadThreads(root, tiers);
  site.externals = ReadExternals(root, tiers, source.environment);
  ReadSections(root, tiers, &site);
  return site;
}

std::vector<std::span<const KeyDescription>> DescriptionParts() {
  return {kKeys, DataCenterKeys(), AppKeys(), WorkerKeys(), PortKeys(), LabKeys()};
}

std::expected<Site, Diagnostics> Parse(const SiteText& source,
                                       std::span<const TierDescription> tiers) {
  if (source.text.size() > kMaxSiteFileBytes) {
    return FileProblem(source.shown_name,
                       fmt::format("the file has more than {} bytes", kMaxSiteFileBytes), "");
  }
  Diagnostics diagnostics(source.shown_name, source.text);
  std::expected<Value, Diagnostic> document = ParseToml(source.text);
  if (!document) {
    diagnostics.Add(document.error());
    return std::unexpected(std::move(diagnostics));
  }
  ParsePass pass(*document, diagnostics);
  Site site = ReadSite(pass, source, tiers);
  pass.ReportUnknownKeys();
  if (!diagnostics.empty()) return std::unexpected(std::move(diagnostics));
  return site;
}

std::expected<Site, Diagnostics> Load(const std::filesystem::path& path,
                                      std::span<const TierDescription> tiers) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return FileProblem(path.string(), "it is a directory, not a file", "name the site.toml in it");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    bool exists = std::filesystem::exists(path, error);
    return FileProblem(path.string(), exists ? "cannot be read" : "there is no such file",
                       exists ? "check its permissions" : "name a site.toml, or make one here");
  }
  std::string text(kMaxSiteFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return FileProblem(path.string(), "cannot be read to its end", "");
  text.resize(static_cast<size_t>(file.gcount()));
  auto environment = [](const std::string& name) -> std::optional<std::string> {
    // No thread of ours sets the environment.
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
  return Parse({.text = std::move(text),
                .shown_name = path.string(),
                .file = std::filesystem::absolute(path, error).lexically_normal(),
                .environment = environment},
               tiers);
}

}  // namespace meridian::site
