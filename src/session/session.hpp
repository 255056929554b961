// The session tier: a Redis-protocol server whose keys outlive the process. This is the rim, which
// ties the Engine to the process, its sockets and its disk.
//
// One thread: the process's loop.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "http/exchange.hpp"
#include "io/blocking.hpp"
#include "io/file/system_disk.hpp"
#include "session/access.hpp"
#include "session/engine/engine.hpp"
#include "session/replication/change_journal.hpp"
#include "session/replication/disk_journal.hpp"
#include "session/replication/replication.hpp"
#include "session/server.hpp"
#include "site/tier/peer_listener.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"

namespace meridian::session {

class Session {
 public:
  explicit Session(site::TierProcess& process);
  ~Session();

  io::Task<Result<void>> Start();
  io::Task<void> Drain();
  io::Task<void> Inspect(http::Exchange& exchange);

 private:
  io::Task<Result<void>> Open();
  io::Task<Result<void>> OpenDisk(EngineOptions options);
  io::Task<Result<void>> OpenReplication(std::string folder);
  // Reports problems for people in `status`, once a second.
  io::Task<void> ReportStatus();
  std::string StatusText() const;
  EngineOptions MakeEngineOptions(Passwords passwords) const;

  site::TierProcess& process_;
  std::vector<std::string> replicas_;
  size_t here_;  // among them
  HybridClock clock_;
  ServerMetrics metrics_;
  io::BlockingPool pool_;
  io::SystemDisk disk_{pool_};
  MemoryJournal memory_journal_;
  // With durability = "disk".
  std::unique_ptr<DiskJournal> journal_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<site::PeerListener> peer_listener_;  // where there are other data centers
  std::unique_ptr<Replication> replication_;
  std::unique_ptr<Server> server_;
};

// The tier, for the composition root.
site::TierDescription Describe();

}  // namespace meridian::session
