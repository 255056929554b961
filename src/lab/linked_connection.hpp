// A connection that crosses a link. Both directions deliver data in order, with the link's latency
// and rate.
//
// It begins as TCP does, with a round trip before the opener's first byte leaves (the kernel has
// accepted the opener already, so it may send earlier; its data waits here). A cut drops no data:
// it holds data in flight, and later data stays with the sender. An end or a reset travels behind
// the bytes that were sent before it. If the opener closes while a cut delays the handshake, the
// other side gets no connection.
//
// Owned by the relay; one thread: its loop.
#pragma once

#include <memory>

#include "base/ip.hpp"
#include "base/random.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "lab/delay_line.hpp"
#include "lab/limits.hpp"
#include "lab/link_table.hpp"

namespace meridian::lab {

// The addresses and directions of a connection. The directions outlive it.
struct LinkRoute {
  IpAddress from;  // address of the opener's data center, the source of the relay's connection
  Endpoint to;
  LinkDirection& forward;
  LinkDirection& backward;
};

class LinkedConnection {
 public:
  LinkedConnection(io::Loop& loop, io::Network& network, Random& random, const LinkRoute& route,
                   std::unique_ptr<io::Stream> opener);

  // Runs until both ends are closed, or cancelled.
  io::Task<void> Run();
  // Call after a change of a link.
  void OnChange() { changed_.WakeAll(); }

 private:
  struct HalfConnection {
    LinkDirection& link;
    DelayLine line{kLinkBufferBytes};
    bool delivered = false;  // the end or reset
  };

  io::Task<bool> Open();
  io::Task<bool> AwaitHandshake(LinkDirection& link);
  io::Task<bool> AwaitArrival(const LinkDirection& link, TimePoint arrives);
  io::Task<void> Send(io::Stream& source, HalfConnection& half);
  io::Task<void> Deliver(HalfConnection& half, HalfConnection& opposite, io::Stream& into);
  bool DeliverEnd(HalfConnection& half, io::Stream& into);
  void Abort();

  io::Loop& loop_;
  io::Network& network_;
  Random& random_;
  LinkRoute route_;
  std::unique_ptr<io::Stream> opener_;
  std::unique_ptr<io::Stream> other_;
  HalfConnection forward_;
  HalfConnection backward_;
  bool open_ = false;
  TimePoint opened_at_ = TimePoint::min();
  io::WaitQueue changed_;  // woken by changes of this connection or a link
  io::Scope fibers_;
};

}  // namespace meridian::lab
