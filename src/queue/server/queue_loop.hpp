// QueueLoop: the clients' connections of one loop of the queue's process. Owned by the Queue's
// PerLoop; one thread: the loop's. Await Drain before it is destroyed.
#pragma once

#include <cstddef>
#include <memory>
#include <unordered_set>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/byte_budget.hpp"
#include "queue/server/connection.hpp"
#include "queue/server/server_metrics.hpp"
#include "site/tier/tier_loop.hpp"

namespace meridian::queue {

class QueueLoop {
 public:
  struct Options {
    Broker& broker;  // of the main loop, as is its scope
    io::Scope& broker_scope;
    size_t max_connections = 0;    // of this loop
    size_t max_request_bytes = 0;  // in flight, of this loop
  };
  QueueLoop(const site::TierLoop& on, const Options& options,
            std::vector<std::unique_ptr<io::Listener>> listeners);
  ~QueueLoop();

  // Accepts no more, closes idle connections, and the others when their requests are answered;
  // after `grace` it closes the rest.
  io::Task<void> Drain(Duration grace);
  size_t connections() const { return open_.size(); }

 private:
  io::Task<void> Accept(io::Listener& listener);
  void Admit(std::unique_ptr<io::Stream> stream);
  io::Task<void> Run(std::unique_ptr<Connection> connection);
  // Closes the connection that has been idle longest. False: none is idle.
  bool EvictIdle();
  void CountOpen();

  io::Loop& loop_;
  const Options options_;
  ServerMetrics metrics_;
  ByteBudget budget_;
  Counter& accepted_;
  Counter& refused_;
  Counter& evicted_;
  Gauge& connections_open_;
  std::unordered_set<Connection*> open_;
  std::unordered_set<Connection*> evicting_;
  bool draining_ = false;
  io::WaitQueue all_closed_;
  std::vector<std::unique_ptr<io::Listener>> listeners_;
  io::Scope accepting_;
  io::Scope connections_;
};

}  // namespace meridian::queue
