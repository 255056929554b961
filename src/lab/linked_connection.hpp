// One connection that crosses a link: what the opener sends arrives at the data center on the other
// side as late, as slowly and in the same order as the link has it, and what that answers likewise.
//
// It begins as TCP does, with one way there and one way back before the opener's first byte leaves
// (the kernel has accepted the opener already: it may send sooner, and waits here). A cut drops
// nothing that was sent: it holds it, and what comes behind stays with the sender. An end, or a
// reset, travels behind the bytes that were sent before it. An opener that goes away while the cut
// holds its greeting is forgotten: the other side never hears of it.
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

// From where to where, and what both directions do. Ways outlive the connection.
struct LinkRoute {
  IpAddress from;  // the opener's data center, for which the relay speaks
  Endpoint to;
  LinkDirection& there;
  LinkDirection& back;
};

class LinkedConnection {
 public:
  LinkedConnection(io::Loop& loop, io::Network& network, Random& random, const LinkRoute& route,
                   std::unique_ptr<io::Stream> opener);

  // Until both ends are closed, or cancelled.
  io::Task<void> Run();
  // A link has changed.
  void OnChange() { stirred_.WakeAll(); }

 private:
  struct Direction {
    LinkDirection& way;
    DelayLine line{kLinkBufferBytes};
    bool delivered = false;  // its end
  };

  io::Task<bool> Open();
  io::Task<bool> Greet(LinkDirection& way);
  io::Task<bool> AwaitArrival(const LinkDirection& way, TimePoint arrives);
  io::Task<void> Send(io::Stream& source, Direction& direction);
  io::Task<void> Deliver(Direction& direction, Direction& opposite, io::Stream& into);
  bool DeliverEnd(Direction& direction, io::Stream& into);
  void Break();

  io::Loop& loop_;
  io::Network& network_;
  Random& random_;
  LinkRoute route_;
  std::unique_ptr<io::Stream> opener_;
  std::unique_ptr<io::Stream> other_;
  Direction there_;
  Direction back_;
  bool open_ = false;
  TimePoint opened_at_ = TimePoint::min();
  io::WaitQueue stirred_;  // something in this connection, or a link, has changed
  io::Scope fibers_;
};

}  // namespace meridian::lab
