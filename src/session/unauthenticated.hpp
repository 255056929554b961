// UnauthenticatedConnections: the connections that have shown no password yet. Each has
// kAuthenticationTimeout; the oldest makes room for a new connection when max_clients is reached.
// So strangers cannot take the places of the application.
//
// Owned by the Server, outlives its connections; one thread: the loop's.
#pragma once

#include <compare>
#include <cstdint>
#include <map>

#include "base/clock.hpp"

namespace meridian::session {

class Connection;

class UnauthenticatedConnections {
 public:
  // Of two of the same time, the one that came first is older.
  struct Arrival {
    TimePoint since;
    uint64_t client_id = 0;

    auto operator<=>(const Arrival&) const = default;
  };

  void Add(Connection& connection, const Arrival& arrival) {
    waiting_.emplace(arrival, &connection);
  }
  void Remove(const Arrival& arrival) { waiting_.erase(arrival); }
  // Takes out the oldest that waits since `before` or longer. Null: there is none.
  Connection* TakeOldest(TimePoint before = kNever) {
    if (waiting_.empty() || waiting_.begin()->first.since > before) return nullptr;
    Connection* oldest = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    return oldest;
  }

 private:
  std::map<Arrival, Connection*> waiting_;
};

}  // namespace meridian::session
