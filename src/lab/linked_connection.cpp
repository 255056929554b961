#include "lab/linked_connection.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "lab/delay_line.hpp"
#include "lab/limits.hpp"
#include "lab/link_table.hpp"

namespace meridian::lab {

using Kind = DelayLine::Kind;

LinkedConnection::LinkedConnection(io::Loop& loop, io::Network& network, Random& random,
                                   const LinkRoute& route, std::unique_ptr<io::Stream> opener)
    : loop_(loop),
      network_(network),
      random_(random),
      route_(route),
      opener_(std::move(opener)),
      there_{.way = route.there},
      back_{.way = route.back},
      fibers_(loop) {}

io::Task<void> LinkedConnection::Run() {
  fibers_.Spawn(Send(*opener_, there_));
  if (co_await Open()) {
    fibers_.Spawn(Deliver(there_, back_, *other_));
    fibers_.Spawn(Send(*other_, back_));
    fibers_.Spawn(Deliver(back_, there_, *opener_));
  } else {
    Break();
  }
  co_await fibers_.Join();
}

io::Task<bool> LinkedConnection::Open() {
  if (!co_await Greet(route_.there)) co_return false;
  auto other = co_await network_.Connect(
      route_.to, {.from = route_.from, .deadline = loop_.After(kLinkConnectTimeout)});
  // Also a refusal takes its way back.
  if (!co_await Greet(route_.back) || !other) co_return false;
  other_ = std::move(*other);
  open_ = true;
  opened_at_ = loop_.Now();
  co_return true;
}

io::Task<bool> LinkedConnection::Greet(LinkDirection& way) {
  co_return co_await AwaitArrival(way, way.Arrival(0, loop_.Now(), random_));
}

// Waits until what `arrives` then has arrived. False when it never will: cancelled, or its sender
// has given up on a connection that is not yet made.
io::Task<bool> LinkedConnection::AwaitArrival(const LinkDirection& way, TimePoint arrives) {
  if (arrives > loop_.Now() && !co_await io::SleepUntil(arrives)) co_return false;
  while (way.cut()) {
    if (!open_ && there_.line.ended()) co_return false;
    if (!co_await stirred_.Wait()) co_return false;
  }
  co_return true;
}

io::Task<void> LinkedConnection::Send(io::Stream& source, Direction& direction) {
  std::vector<uint8_t> piece(kLinkPieceBytes);
  for (;;) {
    while (!direction.line.has_room()) {
      if (!co_await stirred_.Wait()) co_return;
    }
    TimePoint turn = direction.way.NextTurn();
    if (turn > loop_.Now() && !co_await io::SleepUntil(turn)) co_return;
    size_t most = direction.way.TurnBytes();
    Result<size_t> got = co_await source.Read(MutableBytes(piece).first(most));
    if (!got && got.error().code == Errc::kCancelled) co_return;
    size_t bytes = got ? *got : 0;
    TimePoint arrives = direction.way.Arrival(bytes, loop_.Now(), random_);
    if (bytes == 0) {
      direction.line.SendEnd(got ? Kind::kEnd : Kind::kReset, arrives);
      stirred_.WakeAll();
      co_return;
    }
    direction.line.Send(Bytes(piece).first(bytes), arrives);
    stirred_.WakeAll();
  }
}

io::Task<void> LinkedConnection::Deliver(Direction& direction, Direction& opposite,
                                         io::Stream& into) {
  for (;;) {
    while (direction.line.empty()) {
      if (!co_await stirred_.Wait()) co_return;
    }
    // What the opener sent before the greeting was back has only left then.
    TimePoint arrives = direction.line.front().arrives;
    if (&direction == &there_) {
      arrives = std::max(arrives, route_.there.Arrival(0, opened_at_, random_));
    }
    if (!co_await AwaitArrival(direction.way, arrives)) co_return;
    if (direction.line.front().kind != Kind::kBytes) {
      if (DeliverEnd(direction, into)) co_return Break();
      if (opposite.delivered) fibers_.Cancel();
      continue;
    }
    Result<void> written = co_await into.Write(direction.line.front().bytes);
    if (!written && written.error().code == Errc::kCancelled) co_return;
    if (!written) {
      // Its receiver is gone, and says so itself, unless that had ended its own direction before.
      if (opposite.line.ended()) {
        opposite.line.SendEnd(Kind::kReset, opposite.way.Arrival(0, loop_.Now(), random_));
      }
      co_return;
    }
    direction.way.OnCarried(direction.line.front().bytes.size());
    direction.line.Pop();
    stirred_.WakeAll();
  }
}

// True for a reset: nothing of the connection is left.
bool LinkedConnection::DeliverEnd(Direction& direction, io::Stream& into) {
  if (direction.line.front().kind == Kind::kReset) return true;
  into.ShutdownWrite();
  direction.line.Pop();
  direction.delivered = true;
  return false;
}

void LinkedConnection::Break() {
  opener_->Abort();
  if (other_ != nullptr) other_->Abort();
  fibers_.Cancel();
}

}  // namespace meridian::lab
