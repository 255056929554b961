// Server: accepts connections, and does the periodic work beside them: it sweeps expired keys,
// evicts from the cache, and updates the metrics. Owned by the Session; one thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/metrics.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/wait_queue.hpp"
#include "session/command_metrics.hpp"
#include "session/connection.hpp"
#include "session/engine/engine.hpp"
#include "session/limits.hpp"
#include "session/replication/log_interval.hpp"
#include "session/unauthenticated.hpp"

namespace meridian::session {

// What /metrics shows, from the Engine's own numbers.
class ServerMetrics {
 public:
  explicit ServerMetrics(Metrics& metrics);
  void Update(Engine& engine);
  CommandMetrics& commands() { return commands_by_family_; }

 private:
  // A counter that follows a number which never falls.
  struct Followed {
    Counter& counter;
    uint64_t last = 0;
    void Follow(uint64_t now);
  };

  Gauge& connections_;
  Gauge& keys_;
  Gauge& memory_bytes_;
  Gauge& tombstones_;
  Followed commands_;
  Followed failed_;
  Followed hits_;
  Followed misses_;
  Followed expired_;
  Followed evicted_;
  Followed accepted_;
  Followed refused_;
  Followed unauthenticated_;
  Followed http_;
  Followed cut_off_;
  Followed read_bytes_;
  Followed written_bytes_;
  CommandMetrics commands_by_family_;
};

class Server {
 public:
  Server(io::Loop& loop, Engine& engine, ServerMetrics* metrics);
  ~Server();

  void Serve(std::unique_ptr<io::Listener> listener);
  // Stops accepting. Closes each connection when the requests that have arrived are answered, and
  // those that go on asking after kDrainGrace.
  io::Task<void> Drain();
  size_t open_connections() const { return open_.size(); }

 private:
  io::Task<void> Accept(io::Listener& listener);
  void Admit(std::unique_ptr<io::Stream> stream);
  // Closes the oldest connection that has not authenticated. False: there is none.
  bool MakeRoom();
  void EndThoseOutOfTime();
  void EndUnauthenticated(Connection& connection, std::string_view error);
  io::Task<void> Run(std::unique_ptr<Connection> connection);
  io::Task<void> Refuse(std::unique_ptr<io::Stream> stream);
  io::Task<void> SweepRegularly();

  io::Loop& loop_;
  Engine& engine_;
  ServerMetrics* metrics_;  // may be null
  std::unique_ptr<uint8_t[]> shared_input_;
  UnauthenticatedConnections unauthenticated_;
  LogInterval unauthenticated_log_{kUnauthenticatedLogInterval};
  std::unordered_set<Connection*> open_;
  size_t admitted_ = 0;  // connections that count against max_clients
  size_t refusing_ = 0;
  bool draining_ = false;
  io::WaitQueue all_closed_;
  std::vector<std::unique_ptr<io::Listener>> listeners_;
  io::Scope background_;
  io::Scope connections_;
};

}  // namespace meridian::session
