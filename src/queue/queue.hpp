// The queue tier of a data center: it connects the engine, the consumer groups and the clients'
// connections to the process, its loops and its sockets.
//
// One thread: the process's main loop, where the engine and the groups are; each loop has a
// QueueLoop with the connections that it serves.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "io/blocking.hpp"
#include "io/file/system_disk.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/threads/per_loop.hpp"
#include "queue/config.hpp"
#include "queue/lag_metrics.hpp"
#include "queue/metrics.hpp"
#include "queue/server/queue_loop.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"

namespace meridian::site {
class PeerListener;
}  // namespace meridian::site

namespace meridian::queue {

class Broker;
class Engine;
class GroupService;
class Mirrors;
class PeerServer;
class TopicHomes;
class TopicSetup;
struct BrokerIdentity;

class Queue {
 public:
  explicit Queue(site::TierProcess& process);
  ~Queue();

  // Runs the process with this queue. Returns the exit status.
  int Run();

 private:
  io::Task<Result<void>> Start();
  io::Task<Result<void>> OpenEngine();
  io::Task<Result<void>> OpenMirrors();
  io::Task<Result<void>> OpenLoops();
  BrokerIdentity Identity() const;
  io::Task<void> Inspect(http::Exchange& exchange);
  io::Task<void> Drain(Duration grace);
  io::Task<void> EndCallsAfter(Duration grace);
  io::Task<void> SetUpTopics();
  io::Task<void> TakeHomes(std::vector<std::string> topics);
  io::Task<void> Report();
  std::string Problem() const;

  site::TierProcess& process_;
  const Config& config_;
  HybridClock clock_;
  const size_t max_segment_files_;
  io::BlockingPool pool_;
  io::SystemDisk disk_{pool_};
  io::BlockingPool heavy_pool_{1};  // decompresses batches
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TopicSetup> topics_;
  std::unique_ptr<TopicHomes> homes_;
  bool taking_homes_ = false;
  bool topics_set_up_ = false;  // since this data center has become the controller
  std::unique_ptr<GroupService> groups_;
  std::unique_ptr<site::PeerListener> peer_listener_;  // null: there is no other data center
  std::unique_ptr<Mirrors> mirrors_;                   // likewise
  std::unique_ptr<PeerServer> peer_server_;            // likewise
  std::unique_ptr<Broker> broker_;
  EngineMetrics metrics_;
  LagMetrics lag_metrics_;
  io::Scope calls_;  // of connections, on the main loop
  io::Scope reporting_;
  io::PerLoop<QueueLoop> loops_;
};

// The tier, for the composition root.
site::TierDescription Describe();

}  // namespace meridian::queue
