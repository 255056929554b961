// The edge: where visitors arrive. It answers from the cache, or forwards the request to an
// instance of the application in this data center, to the balancer of the nearest data center that
// can serve, or, as an edge without a site, to its one origin.
//
// It connects its loops, of which each has an EdgeLoop, to the process: sockets, certificates, the
// agent's view, purges, reports. One thread: the process's main loop; the members say what the
// other loops use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "dispatch/tier_dispatcher.hpp"
#include "edge/cache/purge.hpp"
#include "edge/cache/storage/memory_store.hpp"
#include "edge/config.hpp"
#include "edge/edge_loop.hpp"
#include "edge/fetch/shared_cache.hpp"
#include "edge/purge/purge_puller.hpp"
#include "edge/upstream_problems.hpp"
#include "edge/visitors/access_log.hpp"
#include "edge/visitors/access_rule.hpp"
#include "http/client/client.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "io/threads/per_loop.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"

namespace meridian::site {
class CertificateExpiries;
}

namespace meridian::edge {

class Edge {
 public:
  // With `origin` the edge has no site and no HTTPS; it forwards to `origin`, and has an access log
  // only when `access_file` names a file.
  explicit Edge(site::TierProcess& process, std::optional<http::Upstream> origin = {},
                const std::string& access_file = {});
  ~Edge();

  // Runs the process with this edge. Returns the exit status.
  int Run();

 private:
  io::Task<Result<void>> Start();
  io::Task<void> MakeLoops(std::vector<EdgeLoop::Own> own);
  void OnView();
  io::Task<void> Drain(Duration grace);
  io::Task<void> End();
  Result<std::vector<EdgeLoop::Own>> OpenForLoops();
  Result<void> OpenHttps(std::vector<EdgeLoop::Own>* own);
  Result<void> ConnectLoops(std::vector<EdgeLoop::Own>* own);
  // The site's own certificate, and the certificates of site.toml by name.
  Result<std::shared_ptr<io::TlsContext>> VisitorTls() const;
  // Shows when these expire.
  void WatchCertificates();
  EdgeLoop::Options LoopOptions();
  void OpenAccessFile(const std::string& path);
  void OnLogProblem(size_t loop, std::string problem);
  Result<void> FollowPurges();
  io::Task<void> WatchBalancer();
  // In slices, between which the loop serves visitors. When it ends, it is done for all loops.
  io::Task<uint64_t> Sweep(MemoryStore::Sweep sweep);
  // Each second: the load, the cache's size, isolation.
  io::Task<void> Report();

  site::TierProcess& process_;
  const std::optional<http::Upstream> origin_;
  // Constants, which all loops read.
  const Config& config_;
  const std::string fallback_script_;
  const std::vector<std::string> data_centers_;  // of the site, in its order
  const uint16_t place_;                         // index of this data center in data_centers_
  AccessRule access_rule_;
  AccessSink access_sink_;  // any thread

  SharedCache cache_;                                    // any thread
  UpstreamProblems upstream_problems_;                   // any thread
  std::unique_ptr<dispatch::TierDispatcher> instances_;  // null without a site or a share
  std::unique_ptr<PurgePuller> purges_;                  // null without a site
  std::unique_ptr<site::CertificateExpiries> certificate_expiries_;  // null without a site
  bool own_balancer_answers_ = true;
  std::vector<std::string> log_problems_;  // by loop
  io::PerLoop<EdgeLoop> loops_;
  std::vector<const EdgeLoop*> counted_;  // the loops' objects, while there are any
};

// The tier, for the composition root.
site::TierDescription Describe();

// An edge without a site, in front of one origin.
struct Alone {
  Endpoint listen;
  Endpoint origin;
  std::string host;                      // of requests without Host
  std::string access_log;                // path of the access log; empty: no log
  std::optional<uint32_t> threads = {};  // absent: one for each core
  Config config;
};
int RunAlone(const Alone& alone);

}  // namespace meridian::edge
