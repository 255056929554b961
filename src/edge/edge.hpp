// The edge: where visitors arrive. What is in the cache is answered from there; the rest goes to an
// instance of the application here, or to the balancer of the nearest data center that can serve,
// or to the origin that an edge stands alone in front of.
//
// One thread: the process's loop. Invariants: a request crosses to another data center at most
// once; what is answered under /.meridian/ never reaches an application.
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
  // With `origin` it stands alone: in front of that, without HTTPS, and with an access log only
  // where `access_file` names one.
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
  // A visitor's request is over.
  void NoteEnd(const http::Exchange& exchange, VisitorRecord& record);
  void OpenAccessLog(const std::string& access_file);
  io::Task<void> RedirectToHttps(http::Exchange& exchange);
  io::Task<void> Refuse(http::Exchange& exchange, int status, std::string_view text);
  // A visitor's request that the cache had no part in.
  void CountHere(const http::Exchange& exchange);
  bool MayDebug(const http::Exchange& exchange) const;
  bool Ready() const;
  Result<void> ServeHttps();
  Result<void> FollowPurges();
  // Slice by slice, so that visitors are served between.
  io::Task<uint64_t> Purge(PurgeOrder order);
  io::Task<void> DropAll();
  // The site's own certificate, and those of site.toml by name.
  Result<std::shared_ptr<io::TlsContext>> VisitorTls() const;
  http::ServerLimits Limits() const;
  io::Task<void> ReportLoad();

  site::TierProcess& process_;
  const Config& config_;
  const std::string fallback_script_;
  http::ServerMetrics server_metrics_;
  const std::vector<std::string> data_centers_;  // of the site, in its order
  const uint16_t place_;                         // of this one among them
  VisitorMetrics visitors_;
  Random random_;
  std::unique_ptr<AccessLog> access_log_;     // null: nothing is logged
  std::unique_ptr<SiteUpstreams> upstreams_;  // null when it stands alone
  std::unique_ptr<OriginUpstream> origin_;    // null when it does not
  Forwarder forwarder_;
  CacheHandler cache_;
  Versions versions_;
  // Null when it stands alone.
  std::unique_ptr<PurgePuller> purges_;
  std::unique_ptr<PurgeMethod> purge_method_;
  http::Server http_;
  std::unique_ptr<http::Server> https_;
};

// The tier, for the composition root.
site::TierDescription Describe();

// An edge without a site, in front of one origin.
struct Alone {
  Endpoint listen;
  Endpoint origin;
  std::string host;        // for requests that come without one
  std::string access_log;  // a file for a line about each request; empty: there is none
  Config config;
};
int RunAlone(const Alone& alone);

}  // namespace meridian::edge
