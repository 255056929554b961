#include "io/sim/connection.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "io/sim/fabric.hpp"
#include "io/sim/limits.hpp"
#include "io/sim/listener.hpp"
#include "io/sim/stream.hpp"
#include "io/sim/world.hpp"

namespace meridian::io::sim {
namespace {

Duration NextRetransmission(Duration waited) {
  return std::min(waited * 2, kMaxRetransmissionDelay);
}

}  // namespace

size_t Connection::Window(Side side) const { return kStreamWindowBytes - directions_[side].unread; }

// Segments arrive in order despite jitter: a segment waits for its predecessor.
TimePoint Connection::ArrivalOf(Side from, size_t bytes) {
  HostId sender = ends_[from].host;
  HostId receiver = ends_[Other(from)].host;
  Duration delay = fabric_.DelayOf(sender, receiver, bytes);
  double loss = fabric_.link(sender, receiver).loss;
  Duration retransmission = kFirstRetransmission;
  for (int lost = 0; loss > 0 && lost < kMaxLossesInARow && fabric_.random().Chance(loss); ++lost) {
    delay += retransmission;
    retransmission = NextRetransmission(retransmission);
  }
  TimePoint& last = directions_[from].last_arrival;
  last = std::max(last, fabric_.world().now() + delay);
  return last;
}

void Connection::Enqueue(Side from, Segment segment) {
  TimePoint arrival = ArrivalOf(from, segment.bytes.size());
  directions_[from].on_the_way.push_back(std::move(segment));
  fabric_.world().At(arrival, [self = shared_from_this(), from] { self->Arrive(from); });
}

void Connection::Send(Side side, std::string bytes) {
  CHECK(bytes.size() <= Window(side));
  directions_[side].unread += bytes.size();
  Enqueue(side, {.bytes = std::move(bytes)});
}

void Connection::SendEnd(Side side) { Enqueue(side, {.bytes = {}, .end = true}); }

void Connection::SendReset(Side side) {
  if (directions_[side].stalled) {
    // The crashed sender cannot retransmit these segments, and a reset is never retransmitted.
    directions_[side].on_the_way.clear();
    directions_[side].overdue = 0;
    return;
  }
  fabric_.world().At(ArrivalOf(side, 0), [self = shared_from_this(), side] {
    SimStream* stream = self->ends_[Other(side)].stream;
    if (stream != nullptr && self->Passes(side)) stream->OnReset();
  });
}

void Connection::Arrive(Side from) {
  Direction& direction = directions_[from];
  if (direction.on_the_way.empty()) return;  // a reset arrived first
  if (!direction.stalled && Passes(from)) {
    Deliver(from);
    return;
  }
  ++direction.overdue;
  if (std::exchange(direction.stalled, true)) return;
  fabric_.world().After(kFirstRetransmission, [self = shared_from_this(), from] {
    self->Retransmit(from, kFirstRetransmission);
  });
}

void Connection::Retransmit(Side from, Duration waited) {
  Direction& direction = directions_[from];
  if (ends_[0].stream == nullptr && ends_[1].stream == nullptr) return;
  if (!Passes(from) && direction.overdue > 0) {
    Duration next = NextRetransmission(waited);
    fabric_.world().After(
        next, [self = shared_from_this(), from, next] { self->Retransmit(from, next); });
    return;
  }
  direction.stalled = false;
  while (direction.overdue > 0 && !direction.on_the_way.empty()) {
    --direction.overdue;
    Deliver(from);
  }
}

void Connection::Deliver(Side from) {
  Segment segment = std::move(directions_[from].on_the_way.front());
  directions_[from].on_the_way.pop_front();
  const End& to = ends_[Other(from)];
  fabric_.world().Record(fabric_.NameOf(to.host), segment.end ? "end" : "bytes",
                         segment.bytes.size(), to.endpoint.port);
  if (to.stream == nullptr) {
    if (!segment.bytes.empty()) SendReset(Other(from));
  } else if (segment.end) {
    to.stream->OnEnd();
  } else {
    to.stream->OnBytes(segment.bytes);
  }
}

// A reader's acknowledgements depend on the reverse direction: without them the sender stops when
// the window is full, even if its own direction passes.
void Connection::Credit(Side side, size_t bytes) {
  Side sender = Other(side);
  Direction& direction = directions_[sender];
  direction.read += bytes;
  if (direction.credit_on_the_way) return;
  if (!direction.sender_waits && Passes(side)) {
    TakeCredit(sender);
    return;
  }
  direction.credit_on_the_way = true;
  SendCredit(side, fabric_.DelayOf(ends_[side].host, ends_[sender].host, 0));
}

void Connection::SendCredit(Side reader, Duration delay) {
  fabric_.world().After(delay, [self = shared_from_this(), reader, delay] {
    if (self->ends_[Other(reader)].stream == nullptr) return;
    if (self->Passes(reader)) {
      self->TakeCredit(Other(reader));
    } else {
      self->SendCredit(reader, std::max(NextRetransmission(delay), kFirstRetransmission));
    }
  });
}

void Connection::TakeCredit(Side sender) {
  Direction& direction = directions_[sender];
  direction.credit_on_the_way = false;
  direction.unread -= std::exchange(direction.read, 0);
  if (std::exchange(direction.sender_waits, false) && ends_[sender].stream != nullptr) {
    ends_[sender].stream->OnWindow();
  }
}

void Connection::Connect() {
  Duration delay = fabric_.DelayOf(ends_[0].host, ends_[1].host, 0);
  fabric_.world().After(delay,
                        [self = shared_from_this()] { self->ArriveConnect(kFirstConnectRetry); });
}

void Connection::ArriveConnect(Duration waited) {
  if (ends_[0].stream == nullptr) return;  // the connecting end is gone
  SimListener* listener = nullptr;
  bool passes = Passes(0);
  if (passes) listener = fabric_.ListenerAt(ends_[1].endpoint);
  if (!passes || (listener != nullptr && listener->full())) {
    fabric_.world().After(waited, [self = shared_from_this(), waited] {
      self->ArriveConnect(NextRetransmission(waited));
    });
    return;
  }
  if (listener != nullptr) listener->Add(shared_from_this());
  AnswerConnect(listener != nullptr, kFirstConnectRetry);
}

void Connection::AnswerConnect(bool accepted, Duration waited) {
  Duration delay = fabric_.DelayOf(ends_[1].host, ends_[0].host, 0);
  fabric_.world().After(delay, [self = shared_from_this(), accepted, waited] {
    if (self->ends_[0].stream == nullptr) return;
    if (self->Passes(1)) {
      self->ends_[0].stream->OnConnected(accepted);
      return;
    }
    self->fabric_.world().After(waited, [self, accepted, waited] {
      self->AnswerConnect(accepted, NextRetransmission(waited));
    });
  });
}

bool Connection::Joins(HostId a, HostId b) const {
  return (ends_[0].host == a && ends_[1].host == b) || (ends_[0].host == b && ends_[1].host == a);
}

void Connection::ResetBothEnds() {
  for (Direction& direction : directions_) {
    direction.on_the_way.clear();
    direction.overdue = 0;
  }
  for (const End& end : ends_) {
    if (end.stream != nullptr) end.stream->OnReset();
  }
}

void Connection::CloseEndsAt(HostId host) {
  for (const End& end : ends_) {
    if (end.host == host && end.stream != nullptr) end.stream->CloseByKernel();
  }
}

void Connection::SeverEndsAt(HostId host) {
  for (End& end : ends_) {
    if (end.host != host || end.stream == nullptr) continue;
    std::exchange(end.stream, nullptr)->Sever();
  }
}

}  // namespace meridian::io::sim
