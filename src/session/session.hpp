// The session tier: a Redis-protocol server whose keys outlive the process. This is the rim, which
// ties the Engine to the process, its sockets and its disk.
//
// One thread: the process's loop.
#pragma once

#include <memory>
#include <string>

#include "base/hybrid_clock.hpp"
#include "io/blocking.hpp"
#include "io/system_disk.hpp"
#include "session/disk_journal.hpp"
#include "session/engine.hpp"
#include "session/journal.hpp"
#include "session/server.hpp"
#include "site/tier_process.hpp"

namespace meridian::session {

class Session {
 public:
  explicit Session(site::TierProcess& process);
  ~Session();

  io::Task<Result<void>> Start();
  io::Task<void> Drain();

 private:
  io::Task<Result<void>> Open();
  io::Task<Result<void>> OpenJournal();
  std::string Folder() const;

  site::TierProcess& process_;
  HybridClock clock_;
  ServerMetrics metrics_;
  io::BlockingPool pool_;
  io::SystemDisk disk_{pool_};
  std::unique_ptr<DiskJournal> disk_journal_;  // with durability = "disk"
  MemoryJournal memory_journal_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Server> server_;
};

// Runs the tier's process; its exit status.
int Run(const site::Site& site, site::TierStart start);

}  // namespace meridian::session
