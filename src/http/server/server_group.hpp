// ServerGroup: the servers of one loop that share a budget of connections, such as an edge's HTTP
// and HTTPS. At the limit a new connection at any of them evicts a connection that waits for its
// client, at any of them or at a group of another loop with the same budget.
//
// Owned by its servers and the tier; one thread: the loop's. A tier with several loops has a group
// per loop, and one budget. A connection that another loop was asked to make room for waits for the
// answer. The limit is exceeded only by connections that were evicted, until the next iteration of
// their loops.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/recurring_problem.hpp"
#include "http/server/connection_budget.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::http {

struct ServerContext;

class ServerGroup {
 public:
  // `name` is for the log: the tier's.
  ServerGroup(io::Loop& loop, std::shared_ptr<ConnectionBudget> budget, std::string name);
  ServerGroup(const ServerGroup&) = delete;
  ServerGroup& operator=(const ServerGroup&) = delete;
  ~ServerGroup();

  void Add(ServerContext& server) { servers_.push_back(&server); }
  void Remove(ServerContext& server) { std::erase(servers_, &server); }

  // What another loop was asked to evict. Used on the asking loop's thread.
  struct Eviction {
    io::WaitQueue answered;
    bool is_answered = false;
    bool evicted = false;
  };
  struct Admission {
    bool admitted = false;
    std::shared_ptr<Eviction> pending;  // AwaitRoom says whether it stays admitted; null: it does
  };
  // Counts a new connection. At the limit it first evicts another; where none can be evicted, the
  // new one must be refused.
  [[nodiscard]] Admission Admit();
  // False: no other loop could evict one. The connection must be refused, and Left be called.
  io::Task<bool> AwaitRoom(std::shared_ptr<Eviction> pending);
  // A connection that was admitted has ended.
  void Left();
  // Tells the other loops how many connections wait; to be called when that has changed.
  void Publish();
  // Closes a connection that waits for its client, in the next iteration of its loop; false: none
  // waits. The order: TLS handshakes while they are more than their share of all connections
  // (kHandshakeShare), idle connections, other handshakes, connections that wait for the rest of
  // their first head. Of each kind it closes the connection that has waited longest, on any loop.
  // If that is on another loop, it asks that loop to close it, and returns true.
  bool Evict() { return DoEvict().admitted; }

 private:
  using Groups = std::vector<std::shared_ptr<GroupConnections>>;

  Admission DoEvict();
  Admission EvictFrom(const Groups& groups, Waiting kind);
  bool EvictHere(Waiting kind);
  bool EvictForAnother(Waiting kind, TimePoint old);
  void OnFull(bool evicted);
  void OnRoom();

  io::Loop& loop_;
  std::shared_ptr<ConnectionBudget> budget_;
  const std::string name_;
  const std::shared_ptr<GroupConnections> own_;
  std::vector<ServerContext*> servers_;
  size_t open_ = 0;    // connections of these servers
  size_t ending_ = 0;  // of these, evicted ones that end in this loop iteration or the next
  RecurringProblem full_;
  TimePoint last_full_;  // while full_ lasts
};

}  // namespace meridian::http
