// Answers over TCP (RFC 7766): several queries on a connection, also one behind the other without
// waiting; answered in their order. Owned by the Server; one thread: the loop's, which also makes
// the snapshots.
//
// A client holds a connection only while it sends whole queries and takes its answers in time, and
// only so many at once. A connection that waits holds no buffer.
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
  Counter& evicted;         // idle ones, that made room for new ones
  Counter& refused_site;    // past max_connections, and none was idle
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
  // Ends the connection that has waited longest for a query. False: none waits.
  bool EvictLongestIdle();
  io::Task<void> Serve(std::unique_ptr<io::Stream> stream, std::unique_ptr<Admission> admission);
  io::Task<void> Linger(io::Stream& stream);

  Parts parts_;
  std::unique_ptr<io::Listener> listener_;
  TcpOptions options_;
  io::Scope connections_;
  std::map<IpAddress, size_t> by_client_;  // blocks with connections
  // Of connections that wait for a query: the one that was answered longest ago is the first.
  std::list<io::Fiber*> idle_;
  size_t evicted_ = 0;  // of connections_: those that end to make room
};

}  // namespace meridian::dns
