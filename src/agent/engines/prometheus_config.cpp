#include "agent/engines/prometheus_config.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "agent/children/application_target.hpp"
#include "agent/children/tier_table.hpp"
#include "agent/engines/engine_access.hpp"
#include "agent/engines/engine_text.hpp"
#include "agent/limits.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"
#include "site/trust/ca.hpp"
#include "watch/config.hpp"
#include "wire/json/writer.hpp"

namespace meridian::agent {
namespace {

using wire::json::Writer;

// Names that only Meridian and its recording rules may use.
constexpr std::string_view kReservedNames =
    "meridian_.*|.*:.*|ALERTS|ALERTS_FOR_STATE|up|scrape_.*|prometheus_.*|alertmanager_.*";

std::string InSeconds(Duration duration) {
  return fmt::format("{}s", std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

using Labels = std::vector<std::pair<std::string_view, std::string>>;

void WriteTarget(Writer& writer, const Endpoint& at, const Labels& labels) {
  writer.BeginObject();
  writer.BeginArray("targets");
  writer.Element(at.ToString());
  writer.EndArray();
  writer.BeginObject("labels");
  for (const auto& [name, value] : labels) writer.Member(name, value);
  writer.EndObject();
  writer.EndObject();
}

void WritePasswordFile(Writer& writer, const std::filesystem::path& file) {
  writer.BeginObject("basic_auth");
  writer.Member("username", kEngineUser);
  writer.Member("password_file", file.string());
  writer.EndObject();
}

void BeginJob(Writer& writer, std::string_view name) {
  writer.BeginObject();
  writer.Member("job_name", name);
  writer.Member("body_size_limit", fmt::format("{}B", kMaxScrapeBytes));
  writer.Member("sample_limit", kMaxScrapeSamples);
}

void WriteTiers(Writer& writer, const EnginePlace& place, const std::set<std::string>& roles) {
  BeginJob(writer, "tiers");
  writer.BeginArray("static_configs");
  for (const TierEntry& tier : TierTable(place.site, place.here, place.hosting)) {
    if (!roles.empty() && !roles.contains(tier.name)) continue;
    const Endpoint ops = site::OpsEndpoint(place.site, place.here, place.hosting, tier.port);
    WriteTarget(writer, ops, {{"dc", place.here.name}, {"job", tier.name}, {"tier", tier.name}});
  }
  writer.EndArray();
  writer.EndObject();
}

// The agent's admin port is plain to loopback clients alone.
void WriteAdminAccess(Writer& writer, const EnginePlace& place) {
  writer.BeginObject("authorization");
  writer.Member("type", "Bearer");
  writer.Member("credentials_file", place.files.metrics_password().string());
  writer.EndObject();
  writer.Member("follow_redirects", false);
  if (site::PeerAddress(place.here).is_loopback()) return;
  const std::filesystem::path state = place.files.root().parent_path();
  writer.Member("scheme", "https");
  writer.BeginObject("tls_config");
  writer.Member("ca_file", (state / "ca/authority.pem").string());
  writer.Member("server_name", site::PeerName(place.here.name, place.site));
  writer.EndObject();
}

Endpoint AdminEndpoint(const EnginePlace& place) {
  return {site::PeerAddress(place.here), place.site.ports.admin};
}

void WriteAgent(Writer& writer, const EnginePlace& place) {
  BeginJob(writer, "agent");
  WriteAdminAccess(writer, place);
  writer.BeginArray("static_configs");
  WriteTarget(writer, AdminEndpoint(place), {{"dc", place.here.name}, {"tier", "agent"}});
  writer.EndArray();
  writer.EndObject();
}

void WriteEngine(Writer& writer, const EnginePlace& place, std::string_view name,
                 const Endpoint& at) {
  BeginJob(writer, name);
  writer.Member("metrics_path", fmt::format("/{}/metrics", name));
  WritePasswordFile(writer, place.files.password(std::string(name)));
  writer.BeginArray("static_configs");
  WriteTarget(writer, at, {{"dc", place.here.name}, {"tier", std::string(name)}});
  writer.EndArray();
  writer.EndObject();
}

// Times are those of the scrape: the other data center's clock may differ, and a series of a data
// center that is lost ends at once.
void WritePeers(Writer& writer, const EnginePlace& place) {
  BeginJob(writer, "peers");
  writer.Member("honor_labels", true);
  writer.Member("honor_timestamps", false);
  writer.Member("metrics_path", kPeerAggregatesPath);
  WriteAdminAccess(writer, place);
  writer.BeginArray("static_configs");
  for (const site::DataCenter& other : place.site.datacenters) {
    if (other.edge_only || other.name == place.here.name) continue;
    WriteTarget(writer, AdminEndpoint(place), {{"__param_dc", other.name}, {"dc", other.name}});
  }
  writer.EndArray();
  // Under names of their own: no rule here records or alerts about another data center as its own.
  writer.BeginArray("metric_relabel_configs");
  writer.BeginObject();
  writer.BeginArray("source_labels");
  writer.Element("__name__");
  writer.EndArray();
  writer.Member("target_label", "__name__");
  writer.Member("replacement", "peer:$1");
  writer.EndObject();
  writer.BeginObject();
  writer.Member("action", "labeldrop");
  writer.Member("regex", "instance|job");
  writer.EndObject();
  writer.EndArray();
  writer.EndObject();
}

void WriteApplication(Writer& writer, const EnginePlace& place) {
  writer.BeginObject();
  writer.Member("job_name", "app");
  writer.Member("scrape_interval", InSeconds(kAppScrapeInterval));
  writer.Member("honor_timestamps", false);
  writer.Member("follow_redirects", false);
  writer.Member("body_size_limit", fmt::format("{}B", kMaxAppScrapeBytes));
  writer.Member("sample_limit", kMaxAppSamples);
  writer.Member("label_limit", kMaxAppLabels);
  writer.Member("label_name_length_limit", kMaxAppLabelNameBytes);
  writer.Member("label_value_length_limit", kMaxAppLabelValueBytes);
  writer.BeginArray("file_sd_configs");
  writer.BeginObject();
  writer.BeginArray("files");
  // A pattern, whose folder is also watched for changes: relative, so that the folder's name means
  // nothing.
  writer.Element(place.files.targets().filename().string());
  writer.EndArray();
  writer.EndObject();
  writer.EndArray();
  writer.BeginArray("metric_relabel_configs");
  writer.BeginObject();
  writer.Member("action", "drop");
  writer.BeginArray("source_labels");
  writer.Element("__name__");
  writer.EndArray();
  writer.Member("regex", kReservedNames);
  writer.EndObject();
  writer.EndArray();
  writer.EndObject();
}

void WriteAlertmanager(Writer& writer, const EnginePlace& place) {
  writer.BeginObject();
  writer.Member("path_prefix", kAlertmanagerPath);
  writer.Member("timeout", InSeconds(kScrapeTimeout));
  WritePasswordFile(writer, place.files.password("alertmanager"));
  writer.BeginArray("static_configs");
  writer.BeginObject();
  writer.BeginArray("targets");
  writer.Element(AlertmanagerEndpoint(place).ToString());
  writer.EndArray();
  writer.EndObject();
  writer.EndArray();
  writer.EndObject();
}

void WriteAlerting(Writer& writer, const EnginePlace& place, const PrometheusSettings& settings) {
  writer.BeginObject("alerting");
  // Recorded series have their data center; what else fires is of this one.
  writer.BeginArray("alert_relabel_configs");
  writer.BeginObject();
  writer.BeginArray("source_labels");
  writer.Element("dc");
  writer.EndArray();
  writer.Member("regex", "");
  writer.Member("target_label", "dc");
  writer.Member("replacement", place.here.name);
  writer.EndObject();
  writer.BeginObject();
  writer.Member("target_label", "site");
  writer.Member("replacement", place.site.name);
  writer.EndObject();
  writer.EndArray();
  writer.BeginArray("alertmanagers");
  if (settings.alertmanager_is_ready) WriteAlertmanager(writer, place);
  writer.EndArray();
  writer.EndObject();
}

// The pattern that matches `path` alone, for Go's filepath.Glob. (Prometheus refuses a folder with
// a
// '*' in its name all the same, and says so.)
std::string GlobEscaped(const std::filesystem::path& path) {
  std::string escaped;
  for (char letter : path.string()) {
    if (std::string_view("*?[\\").contains(letter)) escaped += '\\';
    escaped += letter;
  }
  return escaped;
}

}  // namespace

bool HasEngines(const site::Site& site, const site::DataCenter& here) {
  const bool has_tier =
      std::ranges::find(site.tiers, "watch", &site::TierDescription::name) != site.tiers.end();
  return has_tier && !here.edge_only && !site.externals.contains("watch");
}

Endpoint PrometheusEndpoint(const EnginePlace& place) {
  const uint16_t port = place.site.ports.prometheus;
  return {site::OpsEndpoint(place.site, place.here, place.hosting, port).address, port};
}

Endpoint AlertmanagerEndpoint(const EnginePlace& place) {
  const uint16_t port = place.site.ports.alertmanager;
  return {site::OpsEndpoint(place.site, place.here, place.hosting, port).address, port};
}

std::string EngineUrl(const EnginePlace& place, std::string_view path) {
  const bool plain = site::PeerAddress(place.here).is_loopback();
  return fmt::format("{}://{}{}", plain ? "http" : "https", AdminEndpoint(place).ToString(), path);
}

std::string PrometheusConfig(const EnginePlace& place, const PrometheusSettings& settings) {
  Writer writer({.indent = kEngineTextIndent});
  writer.BeginObject();
  writer.BeginObject("global");
  writer.Member("scrape_interval", InSeconds(kScrapeInterval));
  writer.Member("scrape_timeout", InSeconds(kScrapeTimeout));
  writer.Member("evaluation_interval", InSeconds(kScrapeInterval));
  writer.EndObject();
  writer.BeginArray("rule_files");
  if (!settings.rules.empty()) writer.Element(GlobEscaped(settings.rules) + "/*.yml");
  writer.EndArray();
  WriteAlerting(writer, place, settings);
  writer.BeginArray("scrape_configs");
  WriteTiers(writer, place, settings.roles);
  WriteAgent(writer, place);
  WriteEngine(writer, place, "prometheus", PrometheusEndpoint(place));
  if (settings.alertmanager_is_ready) {
    WriteEngine(writer, place, "alertmanager", AlertmanagerEndpoint(place));
  }
  WritePeers(writer, place);
  WriteApplication(writer, place);
  writer.EndArray();
  writer.EndObject();
  return EngineText(kEngineComment, writer.Take());
}

// Neither the admin API nor the lifecycle API is on by itself. The configuration is named without
// its folder, which is the working directory.
std::vector<std::string> PrometheusArguments(const EnginePlace& place) {
  const auto& config = place.site.sections.Get<watch::Config>();
  return {"--config.file=" + place.files.config("prometheus").filename().string(),
          "--storage.tsdb.path=" + place.files.data("prometheus").string(),
          "--storage.tsdb.retention.time=" + InSeconds(config.metrics_retention),
          fmt::format("--storage.tsdb.retention.size={}B", config.metrics_bytes),
          "--web.listen-address=" + PrometheusEndpoint(place).ToString(),
          "--web.config.file=" + place.files.web_config("prometheus").string(),
          "--web.external-url=" + EngineUrl(place, kPrometheusPath),
          fmt::format("--web.route-prefix={}", kPrometheusPath),
          "--web.read-timeout=30s",
          "--web.cors.origin=none",
          "--query.timeout=" + InSeconds(kEngineQueryTimeout),
          "--log.format=json"};
}

std::string TargetsFile(const site::DataCenter& here,
                        const std::vector<ApplicationTarget>& targets) {
  Writer writer({.indent = kEngineTextIndent});
  writer.BeginArray();
  for (const ApplicationTarget& target : targets) {
    Labels labels = {{"dc", here.name},
                     {"tier", target.tier},
                     {"instance", target.instance},
                     {"release", target.release}};
    labels.emplace_back("__metrics_path__", target.metrics_path);
    if (!target.worker.empty()) labels.emplace_back("worker", target.worker);
    WriteTarget(writer, target.at, labels);
  }
  writer.EndArray();
  return EngineText("", writer.Take());
}

}  // namespace meridian::agent
