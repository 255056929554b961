#include "store/mirror/served_stream.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/log/record.hpp"
#include "store/mirror/clock_offset.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/mirror/mirror_server.hpp"
#include "store/mirror/mirror_source.hpp"
#include "store/snapshot/snapshot.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::store {

io::Task<void> MirrorServer::Stream::Run() {
  if (auto refusal = co_await Admit()) Refuse(*std::move(refusal));
  if (!refusal_ && !ended_) {
    Join();
    making_snapshot_ = decisions_.next_offset() == 0 && source_.make_snapshot != nullptr;
    if (making_snapshot_) scope_.Spawn(MakeSnapshot());
    scope_.Spawn(Send());
    co_await scope_.Join();
    Leave();
  }
  if (ended_) co_return;
  if (!refusal_) {
    connection_.sender.Post(EncodeFrame(FrameType::kCloseStream, number_, {}));
    co_return;
  }
  server_.NoteRefusal(open_.log, connection_.follower, *refusal_);
  if (server_.ProblemWith(key()).OnProblem(refusal_->text, loop().Now())) {
    LOG_WARNING("mirror: follower refused", {"log", open_.log}, {"follower", connection_.follower},
                {"reason", RefusalName(refusal_->reason)}, {"detail", refusal_->text});
  }
  if (refusal_->reason == RefusalReason::kStaleEpoch) server_.options_.on_fenced(open_.log);
  connection_.sender.Post(EncodeRefusal(number_, *refusal_));
}

io::Task<std::optional<Refusal>> MirrorServer::Stream::Admit() {
  source_ = server_.options_.find(open_.log);
  if (source_.log == nullptr) {
    co_return Refusal{RefusalReason::kUnknownLog, fmt::format("there is no log {}", open_.log)};
  }
  SourceFacts facts = co_await FactsForOpen();
  if (auto refusal = decisions_.Begin(open_, facts)) co_return refusal;
  const Followers& known = server_.followers(open_.log);
  if (known.size() >= kMaxFollowers && !known.contains(connection_.follower)) {
    co_return Refusal{RefusalReason::kTooManyFollowers,
                      fmt::format("{} followers are the most", kMaxFollowers)};
  }
  co_return std::nullopt;
}

SourceFacts MirrorServer::Stream::Facts() const {
  SourceFacts facts{.log_id = log().id(),
                    .epoch = log().epoch(),
                    .begin_offset = log().begin_offset(),
                    .end_offset = log().durable_end_offset(),
                    .begins_with_snapshot = source_.make_snapshot != nullptr,
                    .snapshot_is_made = !making_snapshot_,
                    .connection_in_flight_bytes = connection_.in_flight_bytes()};
  uint64_t next = decisions_.next_offset();
  facts.next_is_readable = !unreadable_ && log().NextReadable(next) == next;
  if (source_.snapshots != nullptr && source_.snapshots->newest()) {
    facts.snapshot_end_offset = source_.snapshots->newest()->end_offset;
  }
  return facts;
}

io::Task<SourceFacts> MirrorServer::Stream::FactsForOpen() {
  std::optional<uint32_t> epoch_before;
  if (open_.log_id != 0 && open_.next_offset > log().begin_offset()) {
    auto before = co_await log().Read(open_.next_offset - 1, 1);
    if (before && !before->empty()) epoch_before = before->epoch();
  }
  SourceFacts facts = Facts();
  facts.epoch_before = epoch_before;
  co_return facts;
}

SourceState MirrorServer::Stream::State() const {
  ClockEcho echo = echo_;
  if (echo.asked_us != 0) echo.answered_us = WallMicroseconds(server_.options_.clock.Wall());
  return {.epoch = log().epoch(),
          .end_offset = log().durable_end_offset(),
          .now = server_.options_.clock.Present(),
          .clock = echo};
}

void MirrorServer::Stream::Join() {
  admitted_ = true;
  server_.joined_[key()].push_back(this);
  server_.followers_[open_.log][connection_.follower] = {.acknowledged = decisions_.acknowledged(),
                                                         .connected = true};
  server_.refusals_.erase(key());
  server_.progress_.WakeAll();
  LOG_INFO("mirror: follower joined", {"log", open_.log}, {"follower", connection_.follower},
           {"offset", open_.next_offset});
}

void MirrorServer::Stream::Leave() {
  const bool counted = is_latest();
  auto joined = server_.joined_.find(key());
  std::erase(joined->second, this);
  // A stream of an old connection may have joined behind that of the new one, which counts again.
  const bool follows = !joined->second.empty();
  if (!follows) server_.joined_.erase(joined);
  if (!counted) return;
  server_.followers_[open_.log][connection_.follower].connected = follows;
  LOG_INFO("mirror: follower left", {"log", open_.log}, {"follower", connection_.follower},
           {"acknowledged", decisions_.acknowledged()});
}

bool MirrorServer::Stream::is_latest() const {
  auto joined = server_.joined_.find(key());
  return joined != server_.joined_.end() && joined->second.back() == this;
}

void MirrorServer::Stream::Refuse(Refusal refusal) {
  if (!refusal_) refusal_ = std::move(refusal);
  scope_.Cancel();
}

// Makes a snapshot for a new follower.
io::Task<void> MirrorServer::Stream::MakeSnapshot() {
  Result<void> made = co_await source_.make_snapshot();
  if (!made && made.error().code == Errc::kCancelled) co_return;
  if (!made) Refuse({RefusalReason::kOutOfReach, made.error().message});
  making_snapshot_ = false;
  snapshot_made_.WakeAll();
}

io::Task<void> MirrorServer::Stream::Send() {
  StreamOpened opened{
      .log_id = log().id(), .epoch = log().epoch(), .end_offset = log().durable_end_offset()};
  Result<void> done = co_await connection_.sender.Send(EncodeStreamOpened(number_, opened));
  while (done && !refusal_) {
    MirrorSource::Action action = decisions_.Next(Facts(), loop().Now());
    done = co_await Act(action);
  }
  scope_.Cancel();
}

io::Task<Result<void>> MirrorServer::Stream::Act(const MirrorSource::Action& action) {
  using enum MirrorSource::Do;
  switch (action.what) {
    case kSendRecords:
      co_return co_await SendRecords(action.max_bytes);
    case kSendSnapshot:
      co_return co_await SendSnapshot();
    case kHeartbeat:
      decisions_.SentOther(loop().Now());
      co_return co_await connection_.sender.Send(EncodeHeartbeat(number_, State()));
    case kAwaitRecords:
      co_return co_await AwaitRecords(action.until);
    case kAwaitAck:
      co_return co_await WaitFor(connection_.acknowledged, action.until);
    case kAwaitSnapshot:
      co_return co_await WaitFor(snapshot_made_, action.until);
    case kRefuse:
      Refuse(action.refusal);
      co_return Result<void>{};
  }
  co_return Result<void>{};
}

io::Task<Result<void>> MirrorServer::Stream::WaitFor(io::WaitQueue& news, TimePoint until) {
  auto woken = co_await news.Wait(until);
  if (!woken && woken.error().code != Errc::kTimeout) co_return woken;
  co_return Result<void>{};
}

io::Task<Result<void>> MirrorServer::Stream::SendRecords(size_t max_bytes) {
  auto batch = co_await log().Read(decisions_.next_offset(), max_bytes);
  if (!batch && batch.error().code == Errc::kCancelled) co_return Fail(batch.error());
  if (!batch) {
    // Retention has removed the record, or it is damaged: MirrorSource decides again.
    unreadable_ = batch.error().code != Errc::kNotFound;
    co_return Result<void>{};
  }
  std::vector<uint8_t> head = EncodeRecordsHead(number_, State(), batch->encoded().size());
  decisions_.SentRecords(batch->end_offset(), batch->encoded().size(), loop().Now());
  co_return co_await connection_.sender.Send(std::move(head), std::move(*batch).TakeEncoded());
}

io::Task<Result<void>> MirrorServer::Stream::SendSnapshot() {
  auto reader = co_await source_.snapshots->ReadNewest();
  if (!reader) {
    Refuse({RefusalReason::kOutOfReach, reader.error().message});
    co_return Result<void>{};
  }
  const SnapshotInfo& info = (*reader)->info();
  LOG_INFO("mirror: sending a snapshot", {"log", open_.log}, {"follower", connection_.follower},
           {"offset", info.end_offset});
  std::vector<uint8_t> header;
  AppendSnapshotHeader(info, header);
  decisions_.BeginSnapshot(info.end_offset);
  auto sent = co_await connection_.sender.Send(EncodeFrame(FrameType::kSnapshot, number_, header));
  if (!sent) co_return sent;
  unreadable_ = false;
  co_return co_await SendBlocks(**reader);
}

io::Task<Result<void>> MirrorServer::Stream::SendBlocks(SnapshotReader& reader) {
  for (;;) {
    while (!decisions_.MaySend(connection_.in_flight_bytes())) {
      auto waited = co_await WaitFor(connection_.acknowledged, loop().After(kMirrorHeartbeat));
      if (!waited) co_return waited;
      if (auto refusal = decisions_.CheckSilence(loop().Now())) {
        Refuse(*std::move(refusal));
        co_return Result<void>{};
      }
    }
    auto block = co_await reader.NextBlock();
    if (!block) {
      Refuse({RefusalReason::kOutOfReach, block.error().message});
      co_return Result<void>{};
    }
    if (!*block) co_return Result<void>{};
    std::vector<uint8_t> head;
    AppendFrameHeader(FrameType::kBlock, number_, (*block)->size(), head);
    decisions_.SentBlock((*block)->size(), loop().Now());
    auto sent = co_await connection_.sender.Send(std::move(head), std::move(**block));
    if (!sent) co_return sent;
  }
}

io::Task<Result<void>> MirrorServer::Stream::AwaitRecords(TimePoint until) {
  auto durable = co_await log().Durable(decisions_.next_offset() + 1, until);
  if (durable || durable.error().code == Errc::kTimeout) co_return Result<void>{};
  // The disk is full: records that are there are still served.
  if (durable.error().code == Errc::kUnavailable) co_return co_await io::SleepUntil(until);
  co_return durable;
}

void MirrorServer::Stream::Take(const Frame& frame) {
  if (frame.type == FrameType::kAck && admitted_) return TakeAck(frame.body);
  if (frame.type == FrameType::kCloseStream) return End();
  if (frame.type == FrameType::kRefuse) return TakeRefusal(frame.body);
  Refuse({RefusalReason::kProtocol, "a follower sends only acknowledgements"});
}

void MirrorServer::Stream::TakeRefusal(Bytes body) {
  Result<Refusal> said = ParseRefusal(body);
  if (!said) return Refuse({RefusalReason::kProtocol, said.error().message});
  server_.NoteRefusal(open_.log, connection_.follower, *said);
  if (server_.ProblemWith(key()).OnProblem(said->text, loop().Now())) {
    LOG_WARNING("mirror: refused by the follower", {"log", open_.log},
                {"follower", connection_.follower}, {"reason", RefusalName(said->reason)},
                {"detail", said->text});
  }
  if (said->reason == RefusalReason::kStaleEpoch) server_.options_.on_fenced(open_.log);
  End();
}

void MirrorServer::Stream::TakeAck(Bytes body) {
  Result<Ack> ack = ParseAck(body);
  if (!ack) return Refuse({RefusalReason::kProtocol, ack.error().message});
  if (auto refusal = decisions_.TakeAck(*ack, loop().Now())) return Refuse(*std::move(refusal));
  echo_ = {.asked_us = ack->asked_us,
           .received_us = WallMicroseconds(server_.options_.clock.Wall())};
  connection_.acknowledged.WakeAll();
  if (!is_latest()) return;
  FollowerProgress& progress = server_.followers_[open_.log][connection_.follower];
  progress.acknowledged = decisions_.acknowledged();
  progress.own_offset = ack->own_offset;
  server_.progress_.WakeAll();
}

}  // namespace meridian::store
