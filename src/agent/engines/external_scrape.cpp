#include "agent/engines/external_scrape.hpp"

#include <string>
#include <string_view>

#include "agent/children/tier_table.hpp"
#include "agent/engines/engine_access.hpp"
#include "agent/engines/engine_text.hpp"
#include "base/ip.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/trust/ca.hpp"
#include "wire/json/writer.hpp"

namespace meridian::agent {
namespace {

using wire::json::Writer;

constexpr std::string_view kComment =
    "For prometheus.yml. The credentials let their owner read metrics, and nothing else.";

void WriteTarget(Writer& writer, const Endpoint& at, const std::string& dc, const std::string& tier,
                 const std::string& path) {
  writer.BeginObject();
  writer.BeginArray("targets");
  writer.Element(at.ToString());
  writer.EndArray();
  writer.BeginObject("labels");
  writer.Member("__metrics_path__", path);
  writer.Member("dc", dc);
  writer.Member("job", tier);
  writer.Member("tier", tier);
  writer.EndObject();
  writer.EndObject();
}

void WriteDataCenter(Writer& writer, const ExternalScrape& scrape, const site::DataCenter& dc) {
  const Endpoint admin{site::PeerAddress(dc), scrape.site.ports.admin};
  writer.BeginObject();
  writer.Member("job_name", "meridian-" + scrape.site.name + "-" + dc.name);
  // The admin port is plain to clients on loopback alone.
  writer.Member("scheme", admin.address.is_loopback() ? "http" : "https");
  writer.BeginObject("authorization");
  writer.Member("type", "Bearer");
  writer.Member("credentials", scrape.password.Reveal());
  writer.EndObject();
  if (!admin.address.is_loopback()) {
    writer.BeginObject("tls_config");
    writer.Member("ca_file", scrape.authority);
    writer.Member("server_name", site::PeerName(dc.name, scrape.site));
    writer.EndObject();
  }
  writer.BeginArray("static_configs");
  WriteTarget(writer, admin, dc.name, "agent", "/metrics");
  for (const TierEntry& tier : TierTable(scrape.site, dc, site::Hosting::kServers)) {
    WriteTarget(writer, admin, dc.name, tier.name, std::string(kTierMetricsPath) + tier.name);
  }
  writer.EndArray();
  writer.EndObject();
}

}  // namespace

std::string ExternalScrapeConfig(const ExternalScrape& scrape) {
  Writer writer({.indent = kEngineTextIndent});
  writer.BeginObject();
  writer.BeginArray("scrape_configs");
  for (const site::DataCenter* dc : scrape.datacenters) WriteDataCenter(writer, scrape, *dc);
  writer.EndArray();
  writer.EndObject();
  return EngineText(kComment, writer.Take());
}

}  // namespace meridian::agent
