#include "store/mirror/mirror_server.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/limits.hpp"
#include "store/mirror/frame_sender.hpp"
#include "store/mirror/frame_stream.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/mirror/mirror_source.hpp"
#include "store/mirror/served_stream.hpp"

namespace meridian::store {

// One connection: a fiber receives for all streams, another writes, a third says that we live; and
// one for each stream.
class MirrorServer::Connection {
 public:
  Connection(MirrorServer& server, std::unique_ptr<io::Stream> stream, Bytes received)
      : server_(server),
        frames_(std::move(stream), received),
        sender_(frames_),
        scope_(server.loop_),
        shared_{.server = server,
                .sender = sender_,
                .follower = {},
                .acknowledged = acknowledged_,
                .in_flight_bytes = [this] { return InFlightBytes(); }} {}

  io::Task<void> Run(const std::function<bool(std::string_view)>& allowed);

 private:
  io::Task<Result<void>> ReadHello();
  std::optional<Refusal> Admit(const std::function<bool(std::string_view)>& allowed) const;
  io::Task<void> ServeStreams();
  io::Task<void> Receive();
  io::Task<void> Write();
  io::Task<void> SayThatWeLive();
  io::Task<void> RunStream(uint16_t number);
  void Take(const Frame& frame);
  void TakeForAll(const Frame& frame);
  void TakeRefusal(Bytes body);
  void Open(const Frame& frame);
  void Refuse(Refusal refusal) {
    if (!refusal_) refusal_ = std::move(refusal);
    scope_.Cancel();
  }
  size_t InFlightBytes() const;
  io::Loop& loop() const { return server_.loop_; }

  MirrorServer& server_;
  FrameStream frames_;
  FrameSender sender_;
  Hello hello_;
  io::WaitQueue acknowledged_;
  io::Scope scope_;
  Stream::Connection shared_;
  std::map<uint16_t, std::unique_ptr<Stream>> streams_;
  uint16_t last_number_ = kWholeConnection;
  std::optional<Refusal> refusal_;
};

MirrorServer::MirrorServer(io::Loop& loop, MirrorServerOptions options)
    : loop_(loop), options_(std::move(options)) {}

std::string MirrorServer::KeyOf(std::string_view log, std::string_view follower) {
  return fmt::format("{}/{}", log, follower);
}

RecurringProblem& MirrorServer::ProblemWith(const std::string& key) {
  // Followers choose their names: unknown peers may send many.
  if (problems_.size() >= kMaxFollowerProblems && !problems_.contains(key)) problems_.clear();
  return problems_[key];
}

io::Task<void> MirrorServer::Serve(std::unique_ptr<io::Stream> stream,
                                   std::function<bool(std::string_view)> allowed,
                                   std::vector<uint8_t> received) {
  Connection connection(*this, std::move(stream), received);
  co_await connection.Run(allowed);
}

const MirrorServer::Followers& MirrorServer::followers(std::string_view log) const {
  static const Followers kNone;
  auto found = followers_.find(log);
  return found == followers_.end() ? kNone : found->second;
}

const Refusal* MirrorServer::RefusalOf(std::string_view log, std::string_view data_center) const {
  for (std::string_view which : {std::string_view(), log}) {
    auto found = refusals_.find(KeyOf(which, data_center));
    if (found != refusals_.end()) return &found->second;
  }
  return nullptr;
}

void MirrorServer::NoteRefusal(std::string_view log, const std::string& follower,
                               const Refusal& refusal) {
  if (refusal.reason == RefusalReason::kNotAllowed) return;
  std::string key = KeyOf(log, follower);
  if (refusals_.size() < kMaxRefusals || refusals_.contains(key)) refusals_[key] = refusal;
}

size_t MirrorServer::CountWith(std::string_view log, uint64_t end_offset) const {
  size_t count = 0;
  for (const auto& [data_center, progress] : followers(log)) {
    if (progress.acknowledged >= end_offset && Counts(data_center, progress)) ++count;
  }
  return count;
}

bool MirrorServer::Counts(const std::string& data_center, const FollowerProgress& progress) const {
  if (!options_.has_received) return true;
  return progress.own_offset && options_.has_received(data_center, *progress.own_offset);
}

io::Task<size_t> MirrorServer::AwaitFollowers(std::string_view log, uint64_t end_offset,
                                              size_t count, TimePoint deadline) {
  std::string name(log);
  while (CountWith(name, end_offset) < count) {
    if (!co_await progress_.Wait(deadline)) break;
  }
  co_return CountWith(name, end_offset);
}

io::Task<void> MirrorServer::Connection::Run(const std::function<bool(std::string_view)>& allowed) {
  if (Result<void> read = co_await ReadHello(); !read) {
    LOG_WARNING("mirror: no valid hello from a follower", {"peer", frames_.PeerText()},
                {"error", read.error().message});
    co_return;
  }
  shared_.follower = hello_.data_center;
  refusal_ = Admit(allowed);
  if (!refusal_) co_await ServeStreams();
  if (!refusal_) co_return;
  if (hello_.version == kMirrorVersion) server_.NoteRefusal({}, hello_.data_center, *refusal_);
  if (server_.ProblemWith(KeyOf({}, hello_.data_center)).OnProblem(refusal_->text, loop().Now())) {
    LOG_WARNING("mirror: follower refused", {"follower", hello_.data_center},
                {"peer", frames_.PeerText()}, {"reason", RefusalName(refusal_->reason)},
                {"detail", refusal_->text});
  }
  co_await frames_.Refuse(*refusal_, loop().After(kMirrorHandshakeTimeout));
}

io::Task<Result<void>> MirrorServer::Connection::ReadHello() {
  auto frame = co_await frames_.Read(kMaxHandshakeBytes, loop().After(kMirrorHandshakeTimeout));
  if (!frame) co_return Fail(frame.error());
  if (frame->type != FrameType::kHello)
    co_return Fail(Errc::kInvalid, "the first frame is no hello");
  Result<Hello> hello = ParseHello(frame->body);
  if (!hello) co_return Fail(hello.error());
  hello_ = std::move(*hello);
  co_return Result<void>{};
}

std::optional<Refusal> MirrorServer::Connection::Admit(
    const std::function<bool(std::string_view)>& allowed) const {
  // A hello of another version has no name.
  if (hello_.version == kMirrorVersion && !allowed(hello_.data_center)) {
    return Refusal{RefusalReason::kNotAllowed,
                   fmt::format("its certificate is not that of {}", hello_.data_center)};
  }
  return CheckHello(hello_, server_.options_.identity, server_.options_.clock);
}

io::Task<void> MirrorServer::Connection::ServeStreams() {
  Welcome welcome{.data_center = server_.options_.identity.data_center,
                  .now = server_.options_.clock.Present()};
  auto sent = co_await frames_.Write(EncodeWelcome(welcome), loop().After(kMaxMirrorSilence));
  if (!sent) co_return;
  server_.refusals_.erase(KeyOf({}, hello_.data_center));
  server_.options_.on_joined(hello_.data_center);
  scope_.Spawn(Receive());
  scope_.Spawn(Write());
  scope_.Spawn(SayThatWeLive());
  co_await scope_.Join();
}

io::Task<void> MirrorServer::Connection::Write() {
  (void)co_await sender_.Run();
  scope_.Cancel();
}

io::Task<void> MirrorServer::Connection::SayThatWeLive() {
  std::vector<uint8_t> alive = EncodeFrame(FrameType::kAlive, kWholeConnection, {});
  while (co_await sender_.Send(alive) && co_await io::Sleep(kMirrorHeartbeat)) {
  }
}

io::Task<void> MirrorServer::Connection::RunStream(uint16_t number) {
  co_await streams_.at(number)->Run();
  streams_.erase(number);
  // What it had in flight holds up no other.
  acknowledged_.WakeAll();
}

io::Task<void> MirrorServer::Connection::Receive() {
  while (!refusal_) {
    auto frame = co_await frames_.ReadWithProgress(kMaxHandshakeBytes);
    if (frame) {
      Take(*frame);
      continue;
    }
    if (frame.error().code == Errc::kInvalid || frame.error().code == Errc::kTooLarge) {
      Refuse({RefusalReason::kProtocol, frame.error().message});
    }
    break;
  }
  scope_.Cancel();
}

void MirrorServer::Connection::Take(const Frame& frame) {
  if (frame.stream == kWholeConnection) return TakeForAll(frame);
  if (frame.type == FrameType::kOpenStream) return Open(frame);
  auto found = streams_.find(frame.stream);
  if (found != streams_.end()) return found->second->Take(frame);
  if (frame.stream <= last_number_) return;
  Refuse({RefusalReason::kProtocol,
          fmt::format("a frame of stream {}, which is not open", frame.stream)});
}

void MirrorServer::Connection::TakeForAll(const Frame& frame) {
  if (frame.type == FrameType::kAlive) return;
  if (frame.type == FrameType::kRefuse) return TakeRefusal(frame.body);
  Refuse({RefusalReason::kProtocol, "a frame that belongs to a stream"});
}

void MirrorServer::Connection::TakeRefusal(Bytes body) {
  Result<Refusal> said = ParseRefusal(body);
  if (!said) return Refuse({RefusalReason::kProtocol, said.error().message});
  server_.NoteRefusal({}, hello_.data_center, *said);
  if (server_.ProblemWith(KeyOf({}, hello_.data_center)).OnProblem(said->text, loop().Now())) {
    LOG_WARNING("mirror: refused by the follower", {"follower", hello_.data_center},
                {"reason", RefusalName(said->reason)}, {"detail", said->text});
  }
  scope_.Cancel();
}

void MirrorServer::Connection::Open(const Frame& frame) {
  Result<OpenStream> open = ParseOpenStream(frame.body);
  if (!open) return Refuse({RefusalReason::kProtocol, open.error().message});
  if (frame.stream <= last_number_) {
    return Refuse(
        {RefusalReason::kProtocol, fmt::format("stream {} was open before", frame.stream)});
  }
  last_number_ = frame.stream;
  if (streams_.size() >= kMaxStreams) {
    Refusal refusal{RefusalReason::kTooManyStreams,
                    fmt::format("{} streams of a connection are the most", kMaxStreams)};
    server_.NoteRefusal(open->log, hello_.data_center, refusal);
    return sender_.Post(EncodeRefusal(frame.stream, refusal));
  }
  streams_[frame.stream] = std::make_unique<Stream>(shared_, frame.stream, std::move(*open));
  scope_.Spawn(RunStream(frame.stream));
}

size_t MirrorServer::Connection::InFlightBytes() const {
  size_t bytes = 0;
  for (const auto& [number, stream] : streams_) bytes += stream->in_flight_bytes();
  return bytes;
}

}  // namespace meridian::store
