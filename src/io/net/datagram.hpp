// Datagrams: a UDP socket for fibers, for few requests at a time (the dns server uses
// io/net/datagram_batch.hpp). Implemented by the machine's sockets and by the simulated network.
// One thread: the loop's. One fiber at a time receives.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io {

class Datagrams {
 public:
  struct Received {
    size_t bytes;  // the part that fitted; the rest of the datagram is lost
    Endpoint from;
  };

  virtual ~Datagrams() = default;
  virtual Endpoint local() const = 0;

  // Sends one datagram. It is dropped when the system has no room, as the network may drop it.
  virtual Result<void> Send(Bytes datagram, Endpoint to) = 0;

  // Waits for one datagram. kRefused: a datagram sent before reached a closed port.
  Task<Result<Received>> Receive(MutableBytes into, TimePoint deadline = kNever);

 protected:
  // Nothing when no datagram is queued.
  virtual std::optional<Result<Received>> TryReceive(MutableBytes into) = 0;
  void NotifyReadable() { arrivals_.WakeAll(); }

 private:
  WaitQueue arrivals_;
};

}  // namespace meridian::io
