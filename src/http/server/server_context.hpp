// The state that the connections of one server share. Private to http/. One thread: the server's
// loop.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "http/exchange.hpp"
#include "http/free_list.hpp"
#include "http/incoming_body.hpp"
#include "http/limits.hpp"
#include "http/server/server_group.hpp"
#include "http/server/server_metrics.hpp"
#include "io/loop.hpp"
#include "io/net/handshakes.hpp"
#include "io/net/tls.hpp"
#include "wire/http/fields/date.hpp"
#include "wire/http/head_parser.hpp"

namespace meridian::http {

using Handler = std::function<io::Task<void>(Exchange&)>;

// The memory that a connection needs only during a request. An idle connection gives it back.
struct RequestMemory {
  explicit RequestMemory(const ServerLimits& limits)
      : in(IncomingLimit(limits.head.max_head_bytes)),
        out(kMaxWrittenHeadBytes),
        parser(limits.head) {}

  // Moves the head out of `in`, which can then take the bytes after it.
  void DetachHead();
  // Drops the rest of the exchange; `in` then begins with the next request.
  void EndExchange();
  // Drops everything.
  void Clear();

  Buffer in;
  Buffer out;
  std::string head_text;
  std::string authority;  // the head's authority, if it was not sent in its canonical form
  size_t head_bytes = 0;  // size of the head, while it is at the front of `in`
  wire::http::RequestHeadParser parser;
  wire::http::RequestHead head;
  IncomingBody body;
};

// The Date field's value, updated once per second.
class DateCache {
 public:
  explicit DateCache(io::Loop& loop) : loop_(loop) {}

  std::string_view Now() {
    if (loop_.Now() >= stale_at_) Renew();
    return date_.text();
  }

 private:
  void Renew() {
    WallTime now = loop_.Wall();
    date_ = wire::http::FormatDate(now);
    auto second = std::chrono::floor<std::chrono::seconds>(now);
    stale_at_ = loop_.Now() + (second + std::chrono::seconds{1} - now);
  }

  io::Loop& loop_;
  wire::http::HttpDate date_{};
  TimePoint stale_at_ = TimePoint::min();
};

class ServerConnection;

// Connections that wait for their client, longest waiting first. A connection is in at most one
// such list.
class WaitingConnections {
 public:
  size_t size() const { return size_; }
  // Since when the first one waits; kNever: none does.
  TimePoint oldest_since() const;
  void Add(ServerConnection& connection);
  void Remove(ServerConnection& connection);  // does nothing if it is in no list
  // Closes the connection that has waited longest and has no new bytes; false when there is none.
  // The connection ends in the next loop iteration.
  bool EvictOldest();
  void CloseAll() {
    while (EvictOldest()) {
    }
  }

 private:
  size_t size_ = 0;
  ServerConnection* first_ = nullptr;
  ServerConnection* last_ = nullptr;
};

struct ServerContext {
  ServerContext(io::Loop& server_loop, Handler server_handler, const ServerLimits& server_limits)
      : loop(server_loop),
        handler(std::move(server_handler)),
        limits(server_limits),
        date(server_loop) {}

  std::unique_ptr<RequestMemory> TakeMemory() {
    return memories.Take([this] { return std::make_unique<RequestMemory>(limits); });
  }
  // `memory` may be null.
  void GiveMemory(std::unique_ptr<RequestMemory> memory) {
    if (memory == nullptr) return;
    memory->Clear();
    memories.Give(std::move(memory));
  }

  io::Loop& loop;
  Handler handler;
  ServerLimits limits;
  std::shared_ptr<io::TlsContext> tls;  // null: plain HTTP
  ServerMetrics* metrics = nullptr;     // may be null
  bool retiring = false;                // answers announce the end of their connections
  bool draining = false;                // connections that wait for a request are closed
  DateCache date;
  WaitingConnections idle;        // wait for their next request
  WaitingConnections half_heads;  // wait for the rest of their first head
  io::Handshakes handshakes;
  std::shared_ptr<ServerGroup> group;

  FreeList<RequestMemory> memories{kMaxSpareMemories};
};

}  // namespace meridian::http
