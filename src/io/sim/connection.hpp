// Connection: the state between the two ends of a simulated TCP connection: segments in flight, in
// order, and the window that bounds them. It outlives its ends, so that data sent before a close
// still arrives. Shared by the ends and by events in flight; one thread.
//
// TCP's visible behaviour (RFC 9293): a lost segment arrives later; a cut direction is silent, and
// its segments arrive after it heals; data for a closed end is answered with a reset; a reset
// discards unread data.
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
  // Index of an end: 0 is the connecting end, 1 the accepting end.
  using Side = size_t;
  struct End {
    HostId host = 0;
    Endpoint endpoint;
    SimStream* stream = nullptr;  // null: closed, crashed, or not accepted yet
  };

  Connection(Fabric& fabric, End from, End to) : fabric_(fabric), ends_{from, to} {}

  const End& end(Side side) const { return ends_[side]; }
  void Attach(Side side, SimStream* stream) { ends_[side].stream = stream; }

  // Starts connecting from side 0. The listener is looked up when the first segment arrives.
  void Connect();
  // Sends from `side`: bytes (at most Window), or the end of its direction.
  void Send(Side side, std::string bytes);
  void SendEnd(Side side);
  void SendReset(Side side);
  // Bytes that `side` may send now.
  size_t Window(Side side) const;
  // `side` wants to send more; its stream is notified when the window opens.
  void WantWindow(Side side) { directions_[side].sender_waits = true; }
  // `side` has read `bytes` bytes.
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
  // The state of one direction of the connection, by its sending side.
  struct Direction {
    std::deque<Segment> on_the_way;
    size_t overdue = 0;  // of these, segments that were stopped by a cut
    bool stalled = false;
    TimePoint last_arrival{};
    size_t unread = 0;  // bytes sent and not acknowledged as read
    size_t read = 0;    // of these, bytes read whose acknowledgement has not arrived
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
