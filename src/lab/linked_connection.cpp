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
      forward_{.link = route.forward},
      backward_{.link = route.backward},
      fibers_(loop) {}

io::Task<void> LinkedConnection::Run() {
  fibers_.Spawn(Send(*opener_, forward_));
  if (co_await Open()) {
    fibers_.Spawn(Deliver(forward_, backward_, *other_));
    fibers_.Spawn(Send(*other_, backward_));
    fibers_.Spawn(Deliver(backward_, forward_, *opener_));
  } else {
    Abort();
  }
  co_await fibers_.Join();
}

io::Task<bool> LinkedConnection::Open() {
  if (!co_await AwaitHandshake(route_.forward)) co_return false;
  auto other = co_await network_.Connect(
      route_.to, {.from = route_.from, .deadline = loop_.After(kLinkConnectTimeout)});
  // A refusal also travels back over the link.
  if (!co_await AwaitHandshake(route_.backward) || !other) co_return false;
  other_ = std::move(*other);
  open_ = true;
  opened_at_ = loop_.Now();
  co_return true;
}

io::Task<bool> LinkedConnection::AwaitHandshake(LinkDirection& link) {
  co_return co_await AwaitArrival(link, link.Arrival(0, loop_.Now(), random_));
}

// Waits until the time `arrives`, and while the link is cut. False if cancelled, or if the opener
// has closed before the connection is open.
io::Task<bool> LinkedConnection::AwaitArrival(const LinkDirection& link, TimePoint arrives) {
  if (arrives > loop_.Now() && !co_await io::SleepUntil(arrives)) co_return false;
  while (link.cut()) {
    if (!open_ && forward_.line.ended()) co_return false;
    if (!co_await changed_.Wait()) co_return false;
  }
  co_return true;
}

io::Task<void> LinkedConnection::Send(io::Stream& source, HalfConnection& half) {
  std::vector<uint8_t> piece(kLinkPieceBytes);
  for (;;) {
    while (!half.line.has_room()) {
      if (!co_await changed_.Wait()) co_return;
    }
    TimePoint send_at = half.link.NextSendTime();
    if (send_at > loop_.Now() && !co_await io::SleepUntil(send_at)) co_return;
    size_t piece_bytes = half.link.PieceBytes();
    Result<size_t> got = co_await source.Read(MutableBytes(piece).first(piece_bytes));
    if (!got && got.error().code == Errc::kCancelled) co_return;
    size_t bytes = got ? *got : 0;
    TimePoint arrives = half.link.Arrival(bytes, loop_.Now(), random_);
    if (bytes == 0) {
      half.line.SendEnd(got ? Kind::kEnd : Kind::kReset, arrives);
      changed_.WakeAll();
      co_return;
    }
    half.line.Send(Bytes(piece).first(bytes), arrives);
    changed_.WakeAll();
  }
}

io::Task<void> LinkedConnection::Deliver(HalfConnection& half, HalfConnection& opposite,
                                         io::Stream& into) {
  for (;;) {
    while (half.line.empty()) {
      if (!co_await changed_.Wait()) co_return;
    }
    // Data that the opener sent before the end of the handshake leaves when it ends.
    TimePoint arrives = half.line.front().arrives;
    if (&half == &forward_) {
      arrives = std::max(arrives, route_.forward.Arrival(0, opened_at_, random_));
    }
    if (!co_await AwaitArrival(half.link, arrives)) co_return;
    if (half.line.front().kind != Kind::kBytes) {
      if (DeliverEnd(half, into)) co_return Abort();
      if (opposite.delivered) fibers_.Cancel();
      continue;
    }
    Result<void> written = co_await into.Write(half.line.front().bytes);
    if (!written && written.error().code == Errc::kCancelled) co_return;
    if (!written) {
      // The receiver has closed, and its own direction reports that, unless it had ended before.
      if (opposite.line.ended()) {
        opposite.line.SendEnd(Kind::kReset, opposite.link.Arrival(0, loop_.Now(), random_));
      }
      co_return;
    }
    half.link.OnCarried(half.line.front().bytes.size());
    half.line.Pop();
    changed_.WakeAll();
  }
}

// True for a reset: the whole connection has ended.
bool LinkedConnection::DeliverEnd(HalfConnection& half, io::Stream& into) {
  if (half.line.front().kind == Kind::kReset) return true;
  into.ShutdownWrite();
  half.line.Pop();
  half.delivered = true;
  return false;
}

void LinkedConnection::Abort() {
  opener_->Abort();
  if (other_ != nullptr) other_->Abort();
  fibers_.Cancel();
}

}  // namespace meridian::lab
