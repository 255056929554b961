// Handshakes: the connections of a server that are in their TLS handshake, oldest first. A client
// that connects and then stays silent costs it nothing, so a server at its limit of connections
// evicts the oldest of these.
//
//   auto tls = co_await handshakes_.Accept(context, std::move(stream), deadline);
//   ...
//   if (connections_.size() >= kMaxConnections && !handshakes_.EvictOldest()) return;  // refuse
//
// Owned by the server. One thread: the loop's. Destroying it during a handshake is a bug: join the
// fibers first.
#pragma once

#include <cstddef>
#include <memory>

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

  // TlsAccept, evictable while it lasts. kCancelled: it was evicted, or the fiber was cancelled;
  // the fiber must then end.
  Task<Result<std::unique_ptr<TlsConnection>>> Accept(std::shared_ptr<TlsContext> context,
                                                      std::unique_ptr<Stream> stream,
                                                      TimePoint deadline);

  // Cancels the fiber of the oldest handshake, which closes its connection in the next loop
  // iteration. False: there is no handshake.
  bool EvictOldest();

  size_t size() const { return size_; }

 private:
  class Entry {
   public:
    Entry(Handshakes& list, Fiber& fiber);
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() { Leave(); }
    // Leaves the list; does nothing the second time.
    void Leave();
    Fiber& fiber() const { return fiber_; }

   private:
    Handshakes* list_;
    Fiber& fiber_;
    Entry* previous_;
    Entry* next_ = nullptr;
  };

  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace meridian::io
