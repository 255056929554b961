// EdgeLoop: the edge on one loop of its process: HTTP and HTTPS servers, the cache's handler, the
// connections to upstreams, and the buffers of metrics and access log. Made, used and destroyed on
// the loop's thread; owned by the Edge. It shares with the other loops the SharedCache, the roster
// of instances behind its dispatcher, and constants; all of these outlive it.
//
// Invariants: a request crosses to another data center at most once; a request under /.meridian/
// never reaches an application.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/random.hpp"
#include "dispatch/dispatcher.hpp"
#include "edge/config.hpp"
#include "edge/costs/costs.hpp"
#include "edge/fetch/cache_handler.hpp"
#include "edge/fetch/forwarder.hpp"
#include "edge/fetch/shared_cache.hpp"
#include "edge/fetch/upstreams.hpp"
#include "edge/fetch/versions.hpp"
#include "edge/purge/purge_method.hpp"
#include "edge/upstream_problems.hpp"
#include "edge/visitors/access_log.hpp"
#include "edge/visitors/access_rule.hpp"
#include "edge/visitors/visitor_metrics.hpp"
#include "edge/visitors/visitor_record.hpp"
#include "http/client/client.hpp"
#include "http/server/connection_budget.hpp"
#include "http/server/server.hpp"
#include "http/server/server_group.hpp"
#include "io/net/stream.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "site/site.hpp"
#include "site/tier/tier_loop.hpp"
#include "site/view/view.hpp"

namespace meridian::edge {

// What the main loop tells the others.
struct EdgeView {
  std::shared_ptr<const site::SiteView> view;
  bool own_balancer_answers = true;
};

class EdgeLoop {
 public:
  // What all loops have in common.
  struct Options {
    const site::Site& site;
    const site::DataCenter& here;
    const Config& config;
    const std::string& fallback_script;
    const std::vector<std::string>& data_centers;  // of the site, in its order
    uint16_t place;                                // index of this data center in data_centers
    SharedCache& cache;
    UpstreamProblems& upstream_problems;
    std::shared_ptr<http::ConnectionBudget> connections;  // of all loops
    std::optional<http::Upstream> origin;                 // of an edge without a site
    std::string loop_id;                                  // of an edge without a site
    AccessRule access_rule;
    AccessSink access_sink;  // empty: nothing is logged
    // A problem of the access log; called on the loop's thread.
    std::function<void(size_t loop, std::string problem)> on_log_problem;
  };
  // What the main loop has opened for one loop.
  struct Own {
    EdgeView view;
    std::vector<std::unique_ptr<io::Listener>> http;
    std::vector<std::unique_ptr<io::Listener>> https;
    std::shared_ptr<io::TlsContext> tls = nullptr;  // null without HTTPS
    Balancers balancers = {};
    std::optional<http::Upstream> agent = {};                    // for PURGE; none without a site
    std::unique_ptr<dispatch::Dispatcher> dispatcher = nullptr;  // made on the loop; may be null
  };

  EdgeLoop(const site::TierLoop& on, const Options& options, Own own);
  ~EdgeLoop();

  void OnView(const EdgeView& view);
  // To be awaited before it is destroyed.
  io::Task<void> Drain(Duration grace);
  // Sets the metrics of the shared cache; one loop does so.
  void ReportCacheSize() { cache_.ReportSize(); }

  // For the main loop: counters that this loop alone writes.
  const VisitorMetrics& visitors() const { return visitors_; }
  const Costs& costs() const { return cache_.costs(); }

 private:
  io::Task<void> Handle(http::Exchange& exchange);
  io::Task<void> AnswerReserved(http::Exchange& exchange);
  io::Task<void> HandleVisitor(http::Exchange& exchange, VisitorRecord& record);
  // Counts and logs a visitor's request that is over.
  void RecordEnd(const http::Exchange& exchange, VisitorRecord& record);
  io::Task<void> RedirectToHttps(http::Exchange& exchange);
  io::Task<void> Refuse(http::Exchange& exchange, int status, std::string_view text);
  // Counts an answer that the edge made without the cache.
  void CountHere(const http::Exchange& exchange);
  bool MayDebug(const http::Exchange& exchange) const;
  bool Ready() const;
  void ServeHttps(Own& own);
  void OpenAccessLog(const Options& options);
  http::ServerOptions ServerOptions();

  const site::TierLoop on_;
  const site::Site& site_;
  const site::DataCenter& here_;
  const Config& config_;
  const std::string& fallback_script_;
  const std::vector<std::string>& data_centers_;
  const uint16_t place_;
  std::shared_ptr<const site::SiteView> view_;
  http::ServerMetrics server_metrics_;
  VisitorMetrics visitors_;
  Random random_;
  std::unique_ptr<AccessLog> access_log_;     // null: nothing is logged
  std::unique_ptr<SiteUpstreams> upstreams_;  // null without a site
  std::unique_ptr<OriginUpstream> origin_;    // null with a site
  Forwarder forwarder_;
  CacheHandler cache_;
  Versions versions_;
  std::unique_ptr<PurgeMethod> purge_method_;           // null without a site
  std::shared_ptr<http::ServerGroup> visitor_servers_;  // http_ and https_
  http::Server http_;
  std::unique_ptr<http::Server> https_;
};

}  // namespace meridian::edge
