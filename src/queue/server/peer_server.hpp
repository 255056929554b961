// PeerServer: serves the connections of other data centers' queues, which follow the journal or
// send Kafka requests (Mirrors::CallerOf). Owned by the Queue; one thread: the main loop's. No
// connection may be open when it is destroyed.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/metrics.hpp"
#include "base/recurring_problem.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "queue/limits.hpp"
#include "queue/server/byte_budget.hpp"
#include "queue/server/server_metrics.hpp"

namespace meridian::queue {

class Broker;
class Mirrors;

class PeerServer {
 public:
  struct Parts {
    io::Loop& loop;
    Broker& broker;
    io::Scope& broker_scope;  // for calls of the broker
    Mirrors& mirrors;
  };
  explicit PeerServer(const Parts& parts) : parts_(parts), metrics_(not_shown_) {}

  // `allowed` says whether the peer's certificate is that of the data center that it claims to be.
  // Kafka requests claim none: they are served to every other data center with a queue.
  io::Task<void> Serve(std::unique_ptr<io::Stream> stream,
                       std::function<bool(std::string_view data_center)> allowed);

 private:
  Parts parts_;
  ByteBudget budget_{kMaxPeerRequestBytes};
  Metrics not_shown_;  // /metrics counts clients alone
  ServerMetrics metrics_;
  RecurringProblem refused_;
};

}  // namespace meridian::queue
