// Answers over TCP (RFC 7766): several queries on a connection, also pipelined, answered in order.
// Owned by the Server; one thread: the loop's, which also makes the snapshots.
//
// Connections are closed if the client does not send whole queries and read its answers in time.
// Their number is limited, per client too. An idle connection holds no buffer.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/metrics.hpp"
#include "dns/answer_counts.hpp"
#include "dns/limits.hpp"
#include "dns/published.hpp"
#include "dns/snapshot.hpp"
#include "io/fiber.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"

namespace meridian::dns {

struct TcpOptions {
  Duration idle_timeout = kTcpIdleTimeout;
  Duration write_timeout = kTcpWriteTimeout;
  size_t max_connections = kMaxTcpConnections;
  size_t max_connections_per_client = kMaxTcpConnectionsPerClient;
};

struct TcpMetrics {
  explicit TcpMetrics(Metrics& metrics);

  Gauge& connections;
  Counter& evicted;         // idle connections, closed to admit new ones
  Counter& refused_site;    // past max_connections, with no idle connection
  Counter& refused_client;  // past max_connections_per_client
};

class TcpServer {
 public:
  struct Parts {
    io::Loop& loop;
    const Published<Snapshot>& snapshots;
    AnswerMetrics& answers;
    TcpMetrics& metrics;
  };
  TcpServer(const Parts& parts, std::unique_ptr<io::Listener> listener, TcpOptions options = {});

  // Accepts and answers until Stop or cancellation; then ends every connection and returns.
  io::Task<void> Run();
  void Stop() { listener_->Close(); }

 private:
  class Admission;

  void Admit(std::unique_ptr<io::Stream> stream);
  // Ends the connection that has been idle for the longest time. False: none is idle.
  bool EvictLongestIdle();
  io::Task<void> Serve(std::unique_ptr<io::Stream> stream, std::unique_ptr<Admission> admission);
  io::Task<void> Linger(io::Stream& stream);

  Parts parts_;
  std::unique_ptr<io::Listener> listener_;
  TcpOptions options_;
  io::Scope connections_;
  std::map<IpAddress, size_t> by_client_;  // number of connections by client
  // The fibers of idle connections, the longest idle first.
  std::list<io::Fiber*> idle_;
  size_t evicted_ = 0;  // fibers in connections_ that were evicted and have not yet ended
};

}  // namespace meridian::dns
