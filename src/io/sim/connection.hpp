// Connection: what is between the two ends of a simulated TCP connection: segments on the way, in
// order, and the window that bounds them. It outlives its ends: what was sent before a close still
// arrives. Shared by the ends and by events on the way; one thread.
//
// TCP as seen from outside (RFC 9293): a lost segment comes later, a cut direction is silent and
// its segments come after it heals, data for a closed end is answered with a reset, and a reset
// takes unread data with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "io/sim/fabric.hpp"

namespace meridian::io::sim {

class SimStream;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // The ends: 0 connected, 1 accepted.
  using Side = size_t;
  struct End {
    HostId host = 0;
    Endpoint endpoint;
    SimStream* stream = nullptr;  // null: closed, crashed, or not there yet
  };

  Connection(Fabric& fabric, End from, End to) : fabric_(fabric), ends_{from, to} {}

  const End& end(Side side) const { return ends_[side]; }
  void Attach(Side side, SimStream* stream) { ends_[side].stream = stream; }

  // Begins from side 0: the listener at the other end is found when the first segment arrives.
  void Connect();
  // Sends from `side`: bytes (at most Window), or the end of its direction.
  void Send(Side side, std::string bytes);
  void SendEnd(Side side);
  void SendReset(Side side);
  // Bytes that `side` may send now.
  size_t Window(Side side) const;
  // `side` would send more: it is told when it may.
  void WantWindow(Side side) { directions_[side].sender_waits = true; }
  // `side` has read so many bytes.
  void Credit(Side side, size_t bytes);

  bool Joins(HostId a, HostId b) const;
  void ResetBothEnds();
  void CloseEndsAt(HostId host);
  void SeverEndsAt(HostId host);

 private:
  struct Segment {
    std::string bytes;
    bool end = false;
  };
  // What `side` sends.
  struct Direction {
    std::deque<Segment> on_the_way;
    size_t overdue = 0;  // of these, segments that met a cut
    bool stalled = false;
    TimePoint last_arrival{};
    size_t unread = 0;  // bytes that were sent and not acknowledged as read
    size_t read = 0;    // of these, read, but the sender has not heard of it
    bool credit_on_the_way = false;
    bool sender_waits = false;
  };

  static Side Other(Side side) { return 1 - side; }
  bool Passes(Side from) const { return fabric_.Passes(ends_[from].host, ends_[Other(from)].host); }
  void Enqueue(Side from, Segment segment);
  TimePoint ArrivalOf(Side from, size_t bytes);
  void Arrive(Side from);
  void Retransmit(Side from, Duration waited);
  void Deliver(Side from);
  void SendCredit(Side reader, Duration delay);
  void TakeCredit(Side sender);
  void ArriveConnect(Duration waited);
  void AnswerConnect(bool accepted, Duration waited);

  Fabric& fabric_;
  std::array<End, 2> ends_;
  std::array<Direction, 2> directions_;
};

}  // namespace meridian::io::sim
