#include "store/mirror/mirror_connection.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/limits.hpp"
#include "store/log/record.hpp"
#include "store/mirror/clock_offset.hpp"
#include "store/mirror/frame_sender.hpp"
#include "store/mirror/frame_stream.hpp"
#include "store/mirror/mirror_follower.hpp"
#include "store/mirror/mirror_protocol.hpp"

namespace meridian::store {
namespace {

size_t ChargedBytes(const ReceivedFrame& frame) { return kFrameHeaderBytes + frame.body.size(); }

// No source that keeps to what it may have in flight exceeds either limit.
static_assert(kMaxReceivedFrames * kRecordHeaderBytes > kMaxInFlightBytes);
static_assert(kFrameHeaderBytes + kSourceStateBytes + kRecordHeaderBytes < 3 * kRecordHeaderBytes);

}  // namespace

// One connection: a fiber receives for all streams, another sends, a third says that we live.
class MirrorConnection::Live {
 public:
  Live(MirrorConnection& owner, std::unique_ptr<io::Stream> stream)
      : owner_(owner),
        frames_(std::make_unique<FrameStream>(std::move(stream))),
        sender_(*frames_),
        scope_(owner.loop_) {}

  io::Task<Result<void>> Handshake();
  // Until the connection ends.
  io::Task<Result<void>> Run();
  // Of both: tells the source, if it is refused, and closes.
  io::Task<void> Close();
  void End(Result<void> why) {
    if (ended_) ended_ = std::move(why);
    scope_.Cancel();
  }

  const std::optional<Refusal>& refusal() const { return refused_ ? refused_ : refusal_; }
  const Result<void>& ended() const { return ended_; }
  FrameSender& sender() { return sender_; }

  std::map<uint16_t, MirrorStream*> streams;
  uint16_t last_number = kWholeConnection;

 private:
  io::Task<void> Receive();
  io::Task<void> Write() { End(co_await sender_.Run()); }
  io::Task<void> SayThatWeLive();
  Result<void> Take(const Frame& frame);
  Result<void> TakeRefusal(Bytes body);
  Result<void> Refuse(std::optional<Refusal> refusal);
  io::Loop& loop() { return owner_.loop_; }

  MirrorConnection& owner_;
  std::unique_ptr<FrameStream> frames_;
  FrameSender sender_;
  io::Scope scope_;
  std::optional<Refusal> refusal_;  // ours, of the source
  std::optional<Refusal> refused_;  // the source's, of us
  Result<void> ended_;
};

io::Task<Result<void>> MirrorConnection::Live::Handshake() {
  const Options& options = owner_.options_;
  TimePoint deadline = loop().After(kMirrorHandshakeTimeout);
  Hello hello{.site = options.identity.site,
              .data_center = options.identity.data_center,
              .now = options.clock.Present()};
  if (auto sent = co_await frames_->Write(EncodeHello(hello), deadline); !sent) co_return sent;
  auto frame = co_await frames_->Read(kMaxHandshakeBytes, deadline);
  if (!frame) co_return Fail(frame.error());
  if (frame->type == FrameType::kRefuse) co_return TakeRefusal(frame->body);
  if (frame->type != FrameType::kWelcome)
    co_return Fail(Errc::kInvalid, "the source did not answer with a welcome");
  Result<Welcome> welcome = ParseWelcome(frame->body);
  if (!welcome) co_return Fail(welcome.error());
  co_return Refuse(CheckWelcome(*welcome, options.source, options.clock));
}

io::Task<Result<void>> MirrorConnection::Live::Run() {
  scope_.Spawn(Receive());
  scope_.Spawn(Write());
  scope_.Spawn(SayThatWeLive());
  co_await scope_.Join();
  if (ended_) ended_ = Fail(Errc::kCancelled, "the connection is closed");
  for (auto& [number, stream] : streams) stream->WakeReader();
  co_return ended_;
}

io::Task<void> MirrorConnection::Live::Close() {
  if (refusal_) co_await frames_->Refuse(*refusal_, loop().After(kMirrorHandshakeTimeout));
  frames_ = nullptr;
}

io::Task<void> MirrorConnection::Live::Receive() {
  while (ended_) {
    auto frame = co_await frames_->ReadWithProgress(kMaxFrameBytes);
    if (Result<void> taken = frame ? Take(*frame) : Fail(frame.error()); !taken) End(taken);
  }
}

io::Task<void> MirrorConnection::Live::SayThatWeLive() {
  std::vector<uint8_t> alive = EncodeFrame(FrameType::kAlive, kWholeConnection, {});
  while (co_await sender_.Send(alive) && co_await io::Sleep(kMirrorHeartbeat)) {
  }
}

Result<void> MirrorConnection::Live::Take(const Frame& frame) {
  if (frame.stream == kWholeConnection) {
    if (frame.type == FrameType::kAlive) return {};
    if (frame.type == FrameType::kRefuse) return TakeRefusal(frame.body);
    return Refuse(Refusal{RefusalReason::kProtocol, "a frame that belongs to a stream"});
  }
  auto found = streams.find(frame.stream);
  if (found == streams.end()) {
    if (frame.stream <= last_number) return {};
    return Refuse(Refusal{RefusalReason::kProtocol,
                          fmt::format("a frame of stream {}, which is not open", frame.stream)});
  }
  if (found->second->Take({.type = frame.type,
                           .body = {frame.body.begin(), frame.body.end()},
                           .heard_us = WallMicroseconds(owner_.options_.clock.Wall())})) {
    return {};
  }
  return Refuse(Refusal{RefusalReason::kProtocol,
                        fmt::format("stream {} has more than {} bytes or {} frames in flight",
                                    frame.stream, kMaxReceivedBytes, kMaxReceivedFrames)});
}

Result<void> MirrorConnection::Live::TakeRefusal(Bytes body) {
  Result<Refusal> refusal = ParseRefusal(body);
  if (!refusal) return Fail(refusal.error());
  refused_ = std::move(*refusal);
  return Fail(Errc::kPermission, "refused by the source ({}): {}", RefusalName(refused_->reason),
              refused_->text);
}

Result<void> MirrorConnection::Live::Refuse(std::optional<Refusal> refusal) {
  if (!refusal) return {};
  refusal_ = std::move(refusal);
  return Fail(Errc::kInvalid, "source refused ({}): {}", RefusalName(refusal_->reason),
              refusal_->text);
}

MirrorConnection::MirrorConnection(io::Loop& loop, Options options, Dial dial)
    : loop_(loop), options_(std::move(options)), dial_(std::move(dial)), random_(options_.seed) {}

MirrorConnection::~MirrorConnection() = default;

bool MirrorConnection::up() const { return live_ != nullptr && live_->ended(); }

io::Task<Result<void>> MirrorConnection::AwaitUp() {
  while (!up()) {
    if (auto woken = co_await came_up_.Wait(); !woken) co_return woken;
  }
  co_return Result<void>{};
}

Result<std::unique_ptr<MirrorStream>> MirrorConnection::NewStream() {
  if (!up()) return Fail(Errc::kClosed, "there is no connection");
  if (live_->last_number == UINT16_MAX) {
    Result<void> used_up = Fail(Errc::kClosed, "all stream numbers of the connection are used up");
    live_->End(used_up);
    return Fail(used_up.error());
  }
  uint16_t number = ++live_->last_number;
  auto stream = std::make_unique<MirrorStream>(live_, number);
  live_->streams[number] = stream.get();
  return stream;
}

io::Task<Result<void>> MirrorConnection::ConnectOnce() {
  welcomed_ = false;
  auto stream = co_await DialSource();
  if (!stream) {
    refusal_.reset();
    co_return Fail(stream.error());
  }
  auto live = std::make_shared<Live>(*this, std::move(*stream));
  Result<void> ended = co_await live->Handshake();
  if (ended) {
    welcomed_ = true;
    early_ends_.OnBegin(loop_.Now());
    if (!early_ends_.recur()) problem_.clear();
    refusal_.reset();
    live_ = live;
    came_up_.WakeAll();
    ended = co_await live->Run();
    live_ = nullptr;
    early_ends_.OnEnd(loop_.Now());
  }
  refusal_ = live->refusal();
  co_await live->Close();
  co_return ended;
}

io::Task<MirrorConnection::Dialled> MirrorConnection::DialSource() {
  Dialled stream = Fail(Errc::kCancelled, "dialling");
  io::Scope dialling(loop_);
  dialling_ = &dialling;
  dialling.Spawn(DialInto(&stream));
  co_await dialling.Join();
  dialling_ = nullptr;
  co_return stream;
}

io::Task<void> MirrorConnection::DialInto(Dialled* stream) {
  *stream = co_await dial_(loop_.After(kMirrorHandshakeTimeout));
}

void MirrorConnection::RedialNow() {
  redial_now_ = dialling_ != nullptr;
  if (redial_now_) dialling_->Cancel();
  redial_requested_.WakeAll();
}

void MirrorConnection::Report(const Result<void>& ended, TimePoint begun) {
  problem_ = ended ? "" : early_ends_.Describe(ended.error().message);
  if (welcomed_ && loop_.Now() - begun >= kSteadyConnection) problems_.OnSolved();
  if (!ended && problems_.OnProblem(ended.error().message, loop_.Now())) {
    LOG_WARNING("mirror: not connected", {"source", options_.source},
                {"error", ended.error().message});
  }
}

io::Task<void> MirrorConnection::Run() {
  Duration pause = kFirstRedial;
  for (;;) {
    TimePoint begun = loop_.Now();
    Result<void> ended = co_await ConnectOnce();
    io::Fiber& fiber = co_await io::ThisFiber{};
    if (fiber.cancelled()) co_return;
    Report(ended, begun);
    // RedialNow does not dial more often either: two data centers may fail and make each other
    // redial.
    if (!co_await io::SleepUntil(begun + kMinRedial)) co_return;
    if (std::exchange(redial_now_, false)) {
      pause = kFirstRedial;
      continue;
    }
    pause = welcomed_ ? kFirstRedial : std::min(2 * pause, kMaxRedial);
    auto half = static_cast<uint64_t>((pause / 2).count());
    TimePoint next = loop_.After(pause / 2 + Duration{random_.Below(half)});
    Result<void> hurried = co_await redial_requested_.Wait(next);
    if (!hurried && hurried.error().code == Errc::kCancelled) co_return;
    if (hurried) pause = kFirstRedial;
  }
}

MirrorStream::~MirrorStream() { live_->streams.erase(number_); }

bool MirrorStream::Take(ReceivedFrame frame) {
  received_bytes_ += ChargedBytes(frame);
  bool newer = frame.type == FrameType::kHeartbeat && !received_.empty() &&
               received_.back().type == FrameType::kHeartbeat;
  if (newer) {
    received_bytes_ -= ChargedBytes(received_.back());
    received_.back() = std::move(frame);
  } else {
    received_.push_back(std::move(frame));
  }
  arrived_.WakeAll();
  return received_bytes_ <= kMaxReceivedBytes && received_.size() <= kMaxReceivedFrames;
}

io::Task<Result<ReceivedFrame>> MirrorStream::Next(TimePoint deadline) {
  while (received_.empty()) {
    if (!live_->ended()) co_return Fail(live_->ended().error());
    if (auto woken = co_await arrived_.Wait(deadline); !woken) co_return Fail(woken.error());
  }
  ReceivedFrame frame = std::move(received_.front());
  received_.pop_front();
  received_bytes_ -= ChargedBytes(frame);
  co_return frame;
}

io::Task<Result<void>> MirrorStream::Send(std::vector<uint8_t> frame) {
  if (!live_->ended()) co_return Fail(live_->ended().error());
  co_return co_await live_->sender().Send(std::move(frame));
}

void MirrorStream::Close(const std::optional<Refusal>& refusal) {
  if (!live_->ended()) return;
  live_->sender().Post(refusal ? EncodeRefusal(number_, *refusal)
                               : EncodeFrame(FrameType::kCloseStream, number_, {}));
}

}  // namespace meridian::store
