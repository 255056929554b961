// Handshakes: the connections of a server that are in their TLS handshake, oldest first. A client
// that connects and then stays silent costs it nothing, so a server at its limit of connections
// evicts the oldest of these.
//
//   if (connections_.size() >= kMaxConnections && !handshakes_.EvictOldest()) return;  // refuse
//   connections_.Spawn(Serve(std::move(stream), handshakes_.Add()));
//   ...
//   auto tls = co_await handshakes_.Accept(std::move(entry), context, std::move(stream), deadline);
//
// Owned by the server. One thread: the loop's. Destroying it during a handshake is a bug: join the
// fibers first.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/net/stream.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"

namespace meridian::io {

class Handshakes {
 public:
  Handshakes() = default;
  Handshakes(const Handshakes&) = delete;
  Handshakes& operator=(const Handshakes&) = delete;
  ~Handshakes() { CHECK(first_ == nullptr); }

  class Entry {
   public:
    Entry(Handshakes& list, TimePoint since);
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() { Leave(); }

   private:
    friend class Handshakes;
    // Leaves the list; does nothing the second time.
    void Leave();

    Handshakes* list_;
    TimePoint since_;
    Fiber* fiber_ = nullptr;  // null until Accept
    bool evicted_ = false;
    Entry* previous_;
    Entry* next_ = nullptr;
  };

  // Lists an accepted connection whose fiber does not run yet: of a burst that arrives in one loop
  // iteration, the oldest can be evicted too. `since`: for oldest_since alone.
  std::unique_ptr<Entry> Add(TimePoint since = {}) { return std::make_unique<Entry>(*this, since); }

  // TlsAccept of a listed connection. kCancelled: it was evicted, or the fiber was cancelled; the
  // fiber must then end.
  Task<Result<std::unique_ptr<TlsConnection>>> Accept(std::unique_ptr<Entry> entry,
                                                      std::shared_ptr<TlsContext> context,
                                                      std::unique_ptr<Stream> stream,
                                                      TimePoint deadline);
  // The same, listed only from when the fiber runs.
  Task<Result<std::unique_ptr<TlsConnection>>> Accept(std::shared_ptr<TlsContext> context,
                                                      std::unique_ptr<Stream> stream,
                                                      TimePoint deadline) {
    return Accept(Add(), std::move(context), std::move(stream), deadline);
  }

  // Ends the oldest handshake: cancels its fiber, which closes the connection in the next loop
  // iteration. False: there is none.
  bool EvictOldest();

  size_t size() const { return size_; }
  // When the oldest was added; kNever: there is none.
  TimePoint oldest_since() const { return first_ == nullptr ? kNever : first_->since_; }

 private:
  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace meridian::io
