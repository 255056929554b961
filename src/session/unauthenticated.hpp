// UnauthenticatedConnections: the connections that have shown no password yet. Each has
// kAuthenticationTimeout; the oldest makes room for a new connection when max_clients is reached.
// So strangers cannot take the places of the application.
//
// Owned by the Server, outlives its connections; one thread: the loop's.
#pragma once

#include <set>
#include <utility>

#include "base/clock.hpp"

namespace meridian::session {

class Connection;

class UnauthenticatedConnections {
 public:
  void Add(Connection& connection, TimePoint since) { waiting_.emplace(since, &connection); }
  void Remove(Connection& connection, TimePoint since) { waiting_.erase({since, &connection}); }
  // Takes out the oldest that waits since `before` or longer. Null: there is none.
  Connection* TakeOldest(TimePoint before = kNever) {
    if (waiting_.empty() || waiting_.begin()->first > before) return nullptr;
    Connection* oldest = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    return oldest;
  }

 private:
  std::set<std::pair<TimePoint, Connection*>> waiting_;
};

}  // namespace meridian::session
