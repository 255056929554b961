#include "queue/server/connection.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "queue/limits.hpp"
#include "queue/server/byte_budget.hpp"
#include "queue/server/response.hpp"

namespace meridian::queue {
namespace {

constexpr size_t kLengthBytes = 4;

}  // namespace

Connection::Connection(io::Loop& loop, std::unique_ptr<io::Stream> stream, ByteBudget& budget,
                       std::unique_ptr<RequestHandler> handler, Bytes received)
    : loop_(loop),
      stream_(std::move(stream)),
      budget_(budget),
      handler_(std::move(handler)),
      input_(kReadBytes),
      idle_since_(loop.Now()),
      reader_(loop),
      requests_(loop),
      watcher_(loop) {
  CHECK(input_.Append(received));
}

Connection::~Connection() = default;

io::Task<void> Connection::Run() {
  watcher_.Spawn(WatchPeer());
  reader_.Spawn(ReadRequests());
  co_await SendResponses();
  handler_->StopWaiting();
  stream_->Close();
  reader_.Cancel();
  co_await reader_.Join();
  co_await requests_.Join();
  watcher_.Cancel();
  co_await watcher_.Join();
  pending_.clear();
}

void Connection::Leave() {
  leaving_ = true;
  handler_->StopWaiting();
  if (!executing_) reader_.Cancel();
}

void Connection::End(const Error& why) {
  if (ended_) return;
  ended_ = true;
  if (why.code != Errc::kClosed && why.code != Errc::kReset && why.code != Errc::kCancelled) {
    LOG_INFO("closing a connection of the queue", {"peer", stream_->peer().ToString()},
             {"reason", why.message});
  }
  progress_.WakeAll();
}

// A client that has ended its direction waits for no response that takes long.
io::Task<void> Connection::WatchPeer() {
  if (co_await stream_->PeerEnd()) handler_->StopWaiting();
}

// --- Reading

io::Task<void> Connection::ReadRequests() {
  while (!leaving_ && !ended_) {
    Result<void> read = co_await ReadRequest();
    if (read) continue;
    // The end of the client's requests, or a drain: those that were read are answered.
    if (read.error().code != Errc::kClosed && read.error().code != Errc::kCancelled) {
      End(read.error());
    }
    break;
  }
  reading_ended_ = true;
  progress_.WakeAll();
}

io::Task<Result<void>> Connection::ReadRequest() {
  while (pending_.size() >= kMaxPipelinedRequests) {
    if (Result<void> woken = co_await progress_.Wait(); !woken) co_return woken;
  }
  auto length = co_await ReadLength();
  if (!length) co_return Fail(std::move(length.error()));
  if (!*length) co_return Fail(Errc::kClosed, "the client has ended its requests");
  idle_ = false;
  pending_.push_back(std::make_unique<Pending>(budget_));
  Pending& pending = *pending_.back();
  RequestFrame frame{.bytes = **length, .share = &pending.share};
  Result<void> read = co_await ReadFrame(frame);
  if (!read) {
    pending.done = true;
    co_return read;
  }
  if (handler_->MayOverlap(frame.all())) {
    requests_.Spawn(Execute(pending, std::move(frame)));
  } else {
    executing_ = true;  // it is answered also if the connection is to leave meanwhile
    while (!OthersDone()) {
      if (Result<void> woken = co_await progress_.Wait(); !woken) {
        pending.done = true;
        co_return woken;
      }
    }
    co_await Execute(pending, std::move(frame));
    executing_ = false;
  }
  co_return Result<void>{};
}

// Whether all requests before the last one were executed.
bool Connection::OthersDone() const {
  return std::all_of(pending_.begin(), std::prev(pending_.end()),
                     [](const auto& each) { return each->done; });
}

io::Task<Result<std::optional<size_t>>> Connection::ReadLength() {
  TimePoint deadline = kNever;  // until the first byte
  while (input_.size() < kLengthBytes) {
    if (input_.empty()) {
      input_.ReleaseIfEmpty();
      Result<void> readable = co_await stream_->Readable(loop_.After(kIdleTimeout));
      if (!readable && readable.error().code == Errc::kTimeout) {
        co_return std::optional<size_t>{};
      }
      if (!readable) co_return Fail(std::move(readable.error()));
      deadline = loop_.After(kRequestTimeout);
    }
    Result<size_t> read = co_await stream_->Read(input_.Prepare(kReadBytes), deadline);
    if (!read) co_return Fail(std::move(read.error()));
    if (*read == 0) {
      if (input_.empty()) co_return std::optional<size_t>{};
      co_return Fail(Errc::kReset, "the connection ended within a request");
    }
    input_.Commit(*read);
  }
  ByteReader reader(input_.readable());
  const uint32_t length = reader.U32();
  input_.Consume(kLengthBytes);
  if (length < kMinRequestBytes || length > kMaxRequestBytes) {
    co_return Fail(Errc::kTooLarge, "a request of {} bytes: {} to {} are allowed", length,
                   kMinRequestBytes, kMaxRequestBytes);
  }
  co_return std::optional<size_t>{length};
}

io::Task<Result<void>> Connection::ReadFrame(RequestFrame& frame) {
  TimePoint deadline = loop_.After(kRequestTimeout);
  size_t size = 0;
  while (size < frame.bytes) {
    const size_t wanted = size == 0 ? kFirstRequestBytes : size * kRequestGrowth;
    const size_t step = std::min(wanted, frame.bytes) - size;
    const TimePoint asked = loop_.Now();
    Result<void> taken = co_await frame.share->Take(step, loop_.After(kMemoryTimeout));
    if (!taken)
      co_return Fail(taken.error().code, "a request waits for memory: {}", taken.error().message);
    deadline = SaturatingAdd(deadline, loop_.Now() - asked);  // the client could not go on
    auto memory = std::make_unique_for_overwrite<uint8_t[]>(size + step);
    std::copy_n(frame.memory.get(), size, memory.get());
    frame.memory = std::move(memory);
    Result<void> read = co_await ReadInto({frame.memory.get() + size, step}, deadline);
    if (!read) co_return read;
    size += step;
  }
  co_return Result<void>{};
}

io::Task<Result<void>> Connection::ReadInto(MutableBytes into, TimePoint deadline) {
  const size_t buffered = std::min(input_.size(), into.size());
  std::ranges::copy(input_.readable().first(buffered), into.begin());
  input_.Consume(buffered);
  into = into.subspan(buffered);
  TimePoint window_end = loop_.After(kArrivalWindow);
  size_t arrived = 0;  // in the window
  while (!into.empty()) {
    Result<size_t> read = co_await stream_->Read(into, std::min(deadline, window_end));
    const bool late = !read && read.error().code == Errc::kTimeout && loop_.Now() < deadline;
    if (!read && !late) co_return Fail(std::move(read.error()));
    if (read && *read == 0) co_return Fail(Errc::kReset, "the connection ended within a request");
    arrived += read.value_or(0);
    into = into.subspan(read.value_or(0));
    if (loop_.Now() < window_end) continue;
    if (arrived < kMinArrivalBytes && budget_.contended()) {
      co_return Fail(Errc::kTimeout, "a request arrives slowly, and others wait for its memory");
    }
    window_end = loop_.After(kArrivalWindow);
    arrived = 0;
  }
  co_return Result<void>{};
}

io::Task<void> Connection::Execute(Pending& pending, RequestFrame frame) {
  auto response = co_await handler_->Handle(std::move(frame));
  pending.done = true;
  if (response) {
    pending.response = std::move(*response);
  } else {
    End(response.error());
  }
  progress_.WakeAll();
}

// --- Sending

io::Task<void> Connection::SendResponses() {
  while (!ended_) {
    if (pending_.empty()) {
      if (reading_ended_) co_return;
    }
    if (pending_.empty() || !pending_.front()->done) {
      if (!co_await progress_.Wait()) co_return;
      continue;
    }
    const Pending& pending = *pending_.front();
    Result<void> sent;
    if (pending.response) sent = co_await Send(*pending.response);
    pending_.pop_front();
    idle_ = true;
    idle_since_ = loop_.Now();
    if (!sent) End(sent.error());
    progress_.WakeAll();
  }
}

io::Task<Result<void>> Connection::Send(const Response& response) {
  size_t bytes = 0;
  for (const ResponsePiece& piece : response.pieces) bytes += piece.bytes.size() + piece.file.bytes;
  const TimePoint deadline =
      loop_.After(kWriteTimeout + std::chrono::seconds{bytes / kMinSendRate});
  const io::Stream::Corked corked(*stream_);
  for (const ResponsePiece& piece : response.pieces) {
    Result<void> sent = co_await stream_->Write(piece.bytes, deadline);
    if (!sent) co_return sent;
    if (!piece.file.file) continue;
    sent = co_await stream_->SendFile(*piece.file.file, {piece.file.position, piece.file.bytes},
                                      deadline);
    if (!sent) co_return sent;
  }
  co_return Result<void>{};
}

}  // namespace meridian::queue
