// Follows the purge journal of every data center of the site: asks each agent for new entries (long
// polling), applies them to this edge's cache, and reports that to the agent.
//
// Owned by the edge; one thread: the process's loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "edge/purge/purge_position.hpp"
#include "http/client/client.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "site/tier/tier_process.hpp"
#include "site/view/purge.hpp"

namespace meridian::edge {

// The purge operations of the cache.
struct PurgeTarget {
  std::function<io::Task<uint64_t>(const site::PurgeOrder&)> purge;  // returns the objects purged
  std::function<io::Task<void>()> drop_all;
};

class PurgePuller {
 public:
  PurgePuller(site::TierProcess& process, const std::shared_ptr<io::TlsContext>& peer_tls,
              PurgeTarget target);

  // Runs until cancelled.
  io::Task<void> Run();
  // Whether the edge may miss orders: no other data center's journal has answered for
  // kIsolatedAfter. Always false for a site of one data center.
  bool isolated() const;

 private:
  struct Journal {
    std::string data_center;
    std::unique_ptr<http::Client> client;
    PurgePosition position;
    TimePoint heard{};             // the last answer
    bool logged_reachable = true;  // the state that was last logged
  };

  io::Task<void> Follow(Journal& journal);
  io::Task<Result<site::PurgePollAnswer>> Ask(Journal& journal);
  io::Task<void> Apply(Journal& journal, site::PurgePollAnswer news);

  site::TierProcess& process_;
  PurgeTarget target_;
  Counter& applied_;
  Counter& dropped_;
  std::vector<Journal> journals_;
};

}  // namespace meridian::edge
