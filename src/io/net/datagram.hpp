// Datagrams: a UDP socket as a fiber sees it, for the odd question and answer (the dns server uses
// io/net/datagram_batch.hpp). Part of the seam that the simulated network fills.
// One thread: the loop's. One fiber receives at a time.
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
    size_t bytes;  // as many as fitted; the rest of the datagram is gone
    Endpoint from;
  };

  virtual ~Datagrams() = default;
  virtual Endpoint local() const = 0;

  // Sends one datagram, or drops it when the system has no room, as the network may.
  virtual Result<void> Send(Bytes datagram, Endpoint to) = 0;

  // Waits for one datagram. kRefused: an earlier one met a closed port.
  Task<Result<Received>> Receive(MutableBytes into, TimePoint deadline = kNever);

 protected:
  // Nothing when there is none.
  virtual std::optional<Result<Received>> TryReceive(MutableBytes into) = 0;
  void NotifyReadable() { arrivals_.WakeAll(); }

 private:
  WaitQueue arrivals_;
};

}  // namespace meridian::io
