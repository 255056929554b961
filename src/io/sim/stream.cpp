#include "io/sim/stream.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/net/stream.hpp"
#include "io/sim/connection.hpp"
#include "io/sim/fabric.hpp"

namespace meridian::io::sim {

SimStream::SimStream(Fabric& fabric, std::shared_ptr<Connection> connection, Connection::Side side)
    : fabric_(fabric),
      connection_(std::move(connection)),
      side_(side),
      state_(side == 0 ? State::kConnecting : State::kOpen) {
  connection_->Attach(side_, this);
}

Result<void> SimStream::Usable(std::string_view what) const {
  switch (state_) {
    case State::kRefused:
      return Fail(Errc::kRefused, "{}: connection refused", what);
    case State::kReset:
      return Fail(Errc::kReset, "{}: connection reset by peer", what);
    case State::kClosed:
      return Fail(Errc::kClosed, "{}: closed", what);
    case State::kConnecting:
    case State::kOpen:
      return {};
  }
  return {};
}

// `most` bytes, or fewer if the seed says so: callers must handle short operations.
size_t SimStream::SomeOf(size_t most) {
  double chance = fabric_.options.short_reads;
  if (most <= 1 || chance <= 0 || !fabric_.random().Chance(chance)) return most;
  return 1 + fabric_.random().Below(most);
}

Result<size_t> SimStream::TryPeek(MutableBytes into) {
  if (Result<void> usable = Usable("read"); !usable) return Fail(std::move(usable.error()));
  if (unread() == 0) return ended_ ? size_t{0} : kBlocked;
  size_t count = std::min(into.size(), unread());
  std::memcpy(into.data(), received_.data() + taken_, count);
  return count;
}

Result<size_t> SimStream::TryRead(MutableBytes into) {
  if (!into.empty() && unread() > 0 && state_ == State::kOpen) {
    into = into.first(SomeOf(std::min(into.size(), unread())));
  }
  Result<size_t> got = TryPeek(into);
  if (!got || *got == kBlocked || *got == 0) return got;
  taken_ += *got;
  if (unread() == 0) {
    received_.clear();
    taken_ = 0;
  }
  connection_->Credit(side_, *got);
  return got;
}

Result<size_t> SimStream::TryWrite(std::span<const Bytes> pieces) {
  if (Result<void> usable = Usable("write"); !usable) return Fail(std::move(usable.error()));
  if (state_ == State::kConnecting) return kBlocked;
  if (shut_) return Fail(Errc::kReset, "write: the direction was ended");
  size_t wanted = 0;
  for (Bytes piece : pieces) wanted += piece.size();
  if (wanted == 0) return size_t{0};
  size_t window = connection_->Window(side_);
  if (window == 0) {
    connection_->WantWindow(side_);
    return kBlocked;
  }
  size_t count = SomeOf(std::min(wanted, window));
  std::string bytes;
  bytes.reserve(count);
  for (Bytes piece : pieces) {
    size_t taken = std::min(piece.size(), count - bytes.size());
    bytes += AsText(piece.first(taken));
  }
  connection_->Send(side_, std::move(bytes));
  return count;
}

Result<size_t> SimStream::TrySendFile(const File& file, FileSpan span) {
  std::optional<Bytes> content = file.InMemory(span.offset);
  if (!content) return kUnsupported;
  if (content->empty()) return size_t{0};
  Bytes piece = content->first(std::min(span.bytes, content->size()));
  return TryWrite({&piece, 1});
}

void SimStream::ShutdownWrite() {
  if (state_ != State::kOpen || std::exchange(shut_, true)) return;
  connection_->SendEnd(side_);
  if (ended_) NotifyHangup();
}

void SimStream::Leave(Leaving how) {
  if (state_ == State::kOpen) {
    // Answers data that will never be read with a reset, as Linux does: the peer must not take
    // silence for success.
    if (how == Leaving::kReset || unread() > 0) {
      connection_->SendReset(side_);
    } else if (!shut_) {
      connection_->SendEnd(side_);
    }
  }
  if (state_ != State::kClosed) connection_->Attach(side_, nullptr);
  state_ = State::kClosed;
}

void SimStream::Close() {
  if (state_ == State::kClosed) return;
  Leave(Leaving::kClose);
  InterruptAll();
}

void SimStream::Abort() {
  if (state_ == State::kClosed) return;
  Leave(Leaving::kReset);
  InterruptAll();
}

void SimStream::Sever() {
  // Cancellation informs its fibers.
  state_ = State::kClosed;
}

void SimStream::OnConnected(bool accepted) {
  if (state_ != State::kConnecting) return;
  state_ = accepted ? State::kOpen : State::kRefused;
  NotifyWritable();
}

void SimStream::OnBytes(std::string_view bytes) {
  // The first bytes may arrive before the answer to our connect.
  if (state_ == State::kConnecting) OnConnected(true);
  if (state_ != State::kOpen) return;
  received_ += bytes;
  NotifyReadable();
}

void SimStream::OnEnd() {
  if (state_ == State::kConnecting) OnConnected(true);
  ended_ = true;
  NotifyReadable();
  if (hung_up()) NotifyHangup();
}

void SimStream::OnReset() {
  if (over()) return;
  state_ = State::kReset;
  received_.clear();
  taken_ = 0;
  NotifyReadable();
  NotifyWritable();
  NotifyHangup();
}

}  // namespace meridian::io::sim
