#include "store/mirror/mirror_server.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
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
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/log/record.hpp"
#include "store/mirror/clock_offset.hpp"
#include "store/mirror/frame_stream.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/mirror/mirror_source.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::store {

// One follower: one fiber sends, another receives acknowledgements.
class MirrorServer::Connection {
 public:
  Connection(MirrorServer& server, std::unique_ptr<io::Stream> stream)
      : server_(server),
        frames_(std::move(stream)),
        session_(server.options_.identity, server.options_.clock, server.loop_.Now()),
        scope_(server.loop_) {}

  io::Task<void> Run(const std::function<bool(std::string_view)>& allowed);

 private:
  io::Task<Result<void>> ReadHello();
  io::Task<std::optional<Refusal>> Admit(const std::function<bool(std::string_view)>& allowed);
  io::Task<SourceFacts> FactsForHello();
  SourceFacts Facts() const;
  io::Task<void> MakeSnapshot();
  io::Task<void> Send();
  io::Task<Result<void>> Act(const MirrorSource::Action& action);
  io::Task<Result<void>> SendRecords(size_t max_bytes);
  io::Task<Result<void>> SendSnapshot();
  io::Task<Result<void>> AwaitRecords(TimePoint until);
  static io::Task<Result<void>> WaitFor(io::WaitQueue& news, TimePoint until);
  io::Task<void> Receive();
  bool Take(const Frame& frame);
  bool TakeAck(const Frame& frame);
  void Join();
  void Leave();
  void Refuse(Refusal refusal) {
    if (!refusal_) refusal_ = std::move(refusal);
  }
  SourceState State() const;
  Log& log() const { return *source_.log; }
  io::Loop& loop() const { return server_.loop_; }
  TimePoint WriteDeadline() const { return loop().After(kMaxMirrorSilence); }

  MirrorServer& server_;
  FrameStream frames_;
  Hello hello_;
  MirroredLog source_;
  MirrorSource session_;
  io::Scope scope_;
  io::WaitQueue acknowledged_;
  io::WaitQueue snapshot_made_;
  bool making_snapshot_ = false;
  std::optional<Refusal> refusal_;
  ClockEcho echo_;           // but for when it is answered
  bool unreadable_ = false;  // what comes next turned out to be damaged
  uint64_t number_ = 0;
};

MirrorServer::MirrorServer(io::Loop& loop, MirrorServerOptions options)
    : loop_(loop), options_(std::move(options)) {}

RecurringProblem& MirrorServer::ProblemWith(const std::string& follower) {
  // Followers choose their names: unknown peers may send many.
  if (problems_.size() >= kMaxFollowerProblems && !problems_.contains(follower)) problems_.clear();
  return problems_[follower];
}

io::Task<void> MirrorServer::Serve(std::unique_ptr<io::Stream> stream,
                                   std::function<bool(std::string_view)> allowed) {
  Connection connection(*this, std::move(stream));
  co_await connection.Run(allowed);
}

const MirrorServer::Followers& MirrorServer::followers(std::string_view log) const {
  static const Followers kNone;
  auto found = followers_.find(log);
  return found == followers_.end() ? kNone : found->second;
}

const Refusal* MirrorServer::RefusalOf(std::string_view log, std::string_view data_center) const {
  auto found = refusals_.find(fmt::format("{}/{}", log, data_center));
  return found == refusals_.end() ? nullptr : &found->second;
}

void MirrorServer::NoteRefusal(const Hello& hello, const Refusal& refusal) {
  if (refusal.reason == RefusalReason::kNotAllowed) return;
  std::string key = hello.log + "/" + hello.data_center;
  if (refusals_.size() < kMaxFollowers || refusals_.contains(key)) refusals_[key] = refusal;
}

size_t MirrorServer::CountWith(std::string_view log, uint64_t end_offset) const {
  size_t count = 0;
  for (const auto& [data_center, progress] : followers(log)) {
    count += progress.acknowledged >= end_offset ? 1 : 0;
  }
  return count;
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
  refusal_ = co_await Admit(allowed);
  if (!refusal_) {
    Join();
    making_snapshot_ = session_.next_offset() == 0 && server_.options_.make_snapshot != nullptr;
    if (making_snapshot_) scope_.Spawn(MakeSnapshot());
    scope_.Spawn(Send());
    scope_.Spawn(Receive());
    co_await scope_.Join();
    Leave();
  }
  if (!refusal_) co_return;
  server_.NoteRefusal(hello_, *refusal_);
  if (server_.ProblemWith(hello_.data_center).OnProblem(refusal_->text, loop().Now())) {
    LOG_WARNING("mirror: follower refused", {"log", hello_.log}, {"follower", hello_.data_center},
                {"peer", frames_.PeerText()}, {"reason", RefusalName(refusal_->reason)},
                {"detail", refusal_->text});
  }
  if (refusal_->reason == RefusalReason::kStaleEpoch) server_.options_.on_fenced(hello_.log);
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

io::Task<std::optional<Refusal>> MirrorServer::Connection::Admit(
    const std::function<bool(std::string_view)>& allowed) {
  if (!allowed(hello_.data_center)) {
    co_return Refusal{RefusalReason::kNotAllowed,
                      fmt::format("its certificate is not that of {}", hello_.data_center)};
  }
  source_ = server_.options_.find(hello_.log);
  if (source_.log == nullptr) {
    co_return Refusal{RefusalReason::kUnknownLog, fmt::format("there is no log {}", hello_.log)};
  }
  SourceFacts facts = co_await FactsForHello();
  if (auto refusal = session_.Begin(hello_, facts)) co_return refusal;
  const Followers& known = server_.followers(hello_.log);
  if (known.size() >= kMaxFollowers && !known.contains(hello_.data_center)) {
    co_return Refusal{RefusalReason::kTooManyFollowers,
                      fmt::format("{} followers are the most", kMaxFollowers)};
  }
  co_return std::nullopt;
}

SourceFacts MirrorServer::Connection::Facts() const {
  SourceFacts facts{.log_id = log().id(),
                    .epoch = log().epoch(),
                    .begin_offset = log().begin_offset(),
                    .end_offset = log().durable_end_offset(),
                    .begins_with_snapshot = server_.options_.make_snapshot != nullptr,
                    .snapshot_is_made = !making_snapshot_};
  uint64_t next = session_.next_offset();
  facts.next_is_readable = !unreadable_ && log().NextReadable(next) == next;
  if (source_.snapshots != nullptr && source_.snapshots->newest()) {
    facts.snapshot_end_offset = source_.snapshots->newest()->end_offset;
  }
  return facts;
}

io::Task<SourceFacts> MirrorServer::Connection::FactsForHello() {
  std::optional<uint32_t> epoch_before;
  if (hello_.log_id != 0 && hello_.next_offset > log().begin_offset()) {
    auto before = co_await log().Read(hello_.next_offset - 1, 1);
    if (before && !before->empty()) epoch_before = before->epoch();
  }
  SourceFacts facts = Facts();
  facts.epoch_before = epoch_before;
  co_return facts;
}

SourceState MirrorServer::Connection::State() const {
  ClockEcho echo = echo_;
  if (echo.asked_us != 0) echo.answered_us = WallMicroseconds(server_.options_.clock.Wall());
  return {.epoch = log().epoch(),
          .end_offset = log().durable_end_offset(),
          .now = server_.options_.clock.Present(),
          .clock = echo};
}

void MirrorServer::Connection::Join() {
  number_ = ++server_.connections_;
  server_.latest_[hello_.log + "/" + hello_.data_center] = number_;
  server_.followers_[hello_.log][hello_.data_center] = {.acknowledged = session_.acknowledged(),
                                                        .connected = true};
  server_.refusals_.erase(hello_.log + "/" + hello_.data_center);
  server_.progress_.WakeAll();
  LOG_INFO("mirror: follower joined", {"log", hello_.log}, {"follower", hello_.data_center},
           {"offset", hello_.next_offset});
  server_.options_.on_joined(hello_.data_center);
}

void MirrorServer::Connection::Leave() {
  if (server_.latest_[hello_.log + "/" + hello_.data_center] != number_) return;
  server_.followers_[hello_.log][hello_.data_center].connected = false;
  LOG_INFO("mirror: follower left", {"log", hello_.log}, {"follower", hello_.data_center},
           {"acknowledged", session_.acknowledged()});
}

// Makes a snapshot for a new follower.
io::Task<void> MirrorServer::Connection::MakeSnapshot() {
  Result<void> made = co_await server_.options_.make_snapshot(hello_.log);
  if (!made && made.error().code == Errc::kCancelled) co_return;
  if (!made) Refuse({RefusalReason::kOutOfReach, made.error().message});
  making_snapshot_ = false;
  snapshot_made_.WakeAll();
}

io::Task<void> MirrorServer::Connection::Send() {
  Welcome welcome{.data_center = server_.options_.identity.data_center,
                  .log_id = log().id(),
                  .epoch = log().epoch(),
                  .end_offset = log().durable_end_offset(),
                  .now = server_.options_.clock.Present()};
  Result<void> done = co_await frames_.Write(EncodeWelcome(welcome), WriteDeadline());
  while (done && !refusal_) {
    MirrorSource::Action action = session_.Next(Facts(), loop().Now());
    done = co_await Act(action);
  }
  scope_.Cancel();
}

io::Task<Result<void>> MirrorServer::Connection::Act(const MirrorSource::Action& action) {
  using enum MirrorSource::Do;
  switch (action.what) {
    case kSendRecords:
      co_return co_await SendRecords(action.max_bytes);
    case kSendSnapshot:
      co_return co_await SendSnapshot();
    case kHeartbeat:
      session_.SentOther(loop().Now());
      co_return co_await frames_.Write(EncodeHeartbeat(State()), WriteDeadline());
    case kAwaitRecords:
      co_return co_await AwaitRecords(action.until);
    case kAwaitAck:
      co_return co_await WaitFor(acknowledged_, action.until);
    case kAwaitSnapshot:
      co_return co_await WaitFor(snapshot_made_, action.until);
    case kRefuse:
      Refuse(action.refusal);
      co_return Result<void>{};
  }
  co_return Result<void>{};
}

io::Task<Result<void>> MirrorServer::Connection::WaitFor(io::WaitQueue& news, TimePoint until) {
  auto woken = co_await news.Wait(until);
  if (!woken && woken.error().code != Errc::kTimeout) co_return woken;
  co_return Result<void>{};
}

io::Task<Result<void>> MirrorServer::Connection::SendRecords(size_t max_bytes) {
  auto batch = co_await log().Read(session_.next_offset(), max_bytes);
  if (!batch && batch.error().code == Errc::kCancelled) co_return Fail(batch.error());
  if (!batch) {
    // Retention has removed the record, or it is damaged: MirrorSource decides again.
    unreadable_ = batch.error().code != Errc::kNotFound;
    co_return Result<void>{};
  }
  std::vector<uint8_t> head = EncodeRecordsHead(State(), batch->encoded().size());
  session_.SentRecords(batch->end_offset(), batch->encoded().size(), loop().Now());
  co_return co_await frames_.Write(head, batch->encoded(), WriteDeadline());
}

io::Task<Result<void>> MirrorServer::Connection::SendSnapshot() {
  auto reader = co_await source_.snapshots->ReadNewest();
  if (!reader) {
    Refuse({RefusalReason::kOutOfReach, reader.error().message});
    co_return Result<void>{};
  }
  const SnapshotInfo& info = (*reader)->info();
  LOG_INFO("mirror: sending a snapshot", {"log", hello_.log}, {"follower", hello_.data_center},
           {"offset", info.end_offset});
  std::vector<uint8_t> header;
  AppendSnapshotHeader(info, header);
  std::vector<uint8_t> frame = EncodeFrame(FrameType::kSnapshot, header);
  if (auto sent = co_await frames_.Write(frame, WriteDeadline()); !sent) co_return sent;
  for (;;) {
    auto block = co_await (*reader)->NextBlock();
    if (!block) {
      Refuse({RefusalReason::kOutOfReach, block.error().message});
      co_return Result<void>{};
    }
    if (!*block) break;
    std::vector<uint8_t> head;
    AppendFrameHeader(FrameType::kBlock, (*block)->size(), head);
    if (auto sent = co_await frames_.Write(head, **block, WriteDeadline()); !sent) co_return sent;
  }
  unreadable_ = false;
  session_.SentSnapshot(info.end_offset, loop().Now());
  co_return Result<void>{};
}

io::Task<Result<void>> MirrorServer::Connection::AwaitRecords(TimePoint until) {
  auto durable = co_await log().Durable(session_.next_offset() + 1, until);
  if (durable || durable.error().code == Errc::kTimeout) co_return Result<void>{};
  // The disk is full: records that are there are still served.
  if (durable.error().code == Errc::kUnavailable) co_return co_await io::SleepUntil(until);
  co_return durable;
}

io::Task<void> MirrorServer::Connection::Receive() {
  for (;;) {
    auto frame = co_await frames_.Read(kMaxHandshakeBytes, kNever);
    if (!frame) {
      if (frame.error().code == Errc::kInvalid || frame.error().code == Errc::kTooLarge) {
        Refuse({RefusalReason::kProtocol, frame.error().message});
      }
      break;
    }
    if (!Take(*frame)) break;
  }
  scope_.Cancel();
}

// False: close the connection.
bool MirrorServer::Connection::Take(const Frame& frame) {
  if (frame.type == FrameType::kAck) return TakeAck(frame);
  Result<Refusal> said = Fail(Errc::kInvalid, "a follower sends only acknowledgements");
  if (frame.type == FrameType::kRefuse) said = ParseRefusal(frame.body);
  if (!said) {
    Refuse({RefusalReason::kProtocol, said.error().message});
    return false;
  }
  server_.NoteRefusal(hello_, *said);
  RecurringProblem& problem = server_.ProblemWith(hello_.data_center);
  if (problem.OnProblem(said->text, loop().Now())) {
    LOG_WARNING("mirror: refused by the follower", {"log", hello_.log},
                {"follower", hello_.data_center}, {"reason", RefusalName(said->reason)},
                {"detail", said->text});
  }
  if (said->reason == RefusalReason::kStaleEpoch) server_.options_.on_fenced(hello_.log);
  return false;
}

bool MirrorServer::Connection::TakeAck(const Frame& frame) {
  Result<Ack> ack = ParseAck(frame.body);
  std::optional<Refusal> refusal =
      ack ? session_.TakeAck(*ack, loop().Now())
          : std::optional(Refusal{RefusalReason::kProtocol, ack.error().message});
  if (refusal) {
    Refuse(*std::move(refusal));
    return false;
  }
  echo_ = {.asked_us = ack->asked_us,
           .received_us = WallMicroseconds(server_.options_.clock.Wall())};
  acknowledged_.WakeAll();
  if (server_.latest_[hello_.log + "/" + hello_.data_center] == number_) {
    server_.followers_[hello_.log][hello_.data_center].acknowledged = session_.acknowledged();
    server_.progress_.WakeAll();
  }
  return true;
}

}  // namespace meridian::store
