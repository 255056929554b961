// The edge: where visitors arrive. It answers from the cache, or forwards the request to an
// instance of the application in this data center, to the balancer of the nearest data center that
// can serve, or, as an edge without a site, to its one origin.
//
// One thread: the process's loop. Invariants: a request crosses to another data center at most
// once; a request under /.meridian/ never reaches an application.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "edge/config.hpp"
#include "edge/fetch/cache_handler.hpp"
#include "edge/fetch/forwarder.hpp"
#include "edge/fetch/upstreams.hpp"
#include "edge/fetch/versions.hpp"
#include "edge/purge/purge_method.hpp"
#include "edge/purge/purge_puller.hpp"
#include "edge/visitors/access_log.hpp"
#include "edge/visitors/visitor_metrics.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/client/client.hpp"
#include "http/server/server.hpp"
#include "io/net/tls.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"

namespace meridian::edge {

class Edge {
 public:
  // With `origin` the edge has no site and no HTTPS; it forwards to `origin`, and has an access log
  // only when `access_file` names a file.
  explicit Edge(site::TierProcess& process, std::optional<http::Upstream> origin = {},
                const std::string& access_file = {});
  ~Edge();

  io::Task<Result<void>> Start();
  void OnView();
  io::Task<void> Drain(Duration grace);

 private:
  io::Task<void> Handle(http::Exchange& exchange);
  io::Task<void> AnswerReserved(http::Exchange& exchange);
  io::Task<void> HandleVisitor(http::Exchange& exchange, VisitorRecord& record);
  // Counts and logs a visitor's request that is over.
  void RecordEnd(const http::Exchange& exchange, VisitorRecord& record);
  void OpenAccessLog(const std::string& access_file);
  io::Task<void> RedirectToHttps(http::Exchange& exchange);
  io::Task<void> Refuse(http::Exchange& exchange, int status, std::string_view text);
  // Counts an answer that the edge made without the cache.
  void CountHere(const http::Exchange& exchange);
  bool MayDebug(const http::Exchange& exchange) const;
  bool Ready() const;
  Result<void> ServeHttps();
  Result<void> FollowPurges();
  // In slices, between which the loop serves visitors.
  io::Task<uint64_t> Purge(PurgeOrder order);
  io::Task<void> DropAll();
  // The site's own certificate, and the certificates of site.toml by name.
  Result<std::shared_ptr<io::TlsContext>> VisitorTls() const;
  http::ServerOptions ServerOptions();
  io::Task<void> ReportLoad();

  site::TierProcess& process_;
  const Config& config_;
  const std::string fallback_script_;
  http::ServerMetrics server_metrics_;
  const std::vector<std::string> data_centers_;  // of the site, in its order
  const uint16_t place_;                         // index of this data center in data_centers_
  VisitorMetrics visitors_;
  Random random_;
  std::unique_ptr<AccessLog> access_log_;     // null: nothing is logged
  std::unique_ptr<SiteUpstreams> upstreams_;  // null without a site
  std::unique_ptr<OriginUpstream> origin_;    // null with a site
  Forwarder forwarder_;
  SharedCache shared_cache_;
  CacheHandler cache_;
  Versions versions_;
  // Null without a site.
  std::unique_ptr<PurgePuller> purges_;
  std::unique_ptr<PurgeMethod> purge_method_;
  std::shared_ptr<http::ServerGroup> visitor_servers_;  // http_ and https_
  http::Server http_;
  std::unique_ptr<http::Server> https_;
};

// The tier, for the composition root.
site::TierDescription Describe();

// An edge without a site, in front of one origin.
struct Alone {
  Endpoint listen;
  Endpoint origin;
  std::string host;        // of requests without Host
  std::string access_log;  // path of the access log; empty: no log
  Config config;
};
int RunAlone(const Alone& alone);

}  // namespace meridian::edge
