#include "store/mirror/mirror_client.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/clock_file.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/log/record.hpp"
#include "store/mirror/clock_offset.hpp"
#include "store/mirror/mirror_connection.hpp"
#include "store/mirror/mirror_follower.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/snapshot/snapshot.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::store {
namespace {

// Taken blocks are acknowledged when there are so many bytes of them.
constexpr size_t kBlockAckBytes = kMaxInFlightBytes / 4;

// An empty copy behind a snapshot ends with the snapshot's last record.
CopyFacts FactsOf(const Log& copy, const Snapshots& snapshots) {
  CopyFacts facts{
      .log_id = copy.id(), .next_offset = copy.end_offset(), .newest_epoch = copy.newest_epoch()};
  bool empty = copy.begin_offset() == copy.end_offset();
  if (empty && snapshots.newest()) facts.newest_epoch = snapshots.newest()->epoch;
  return facts;
}

}  // namespace

// One stream from the source: one fiber receives, another sends acknowledgements.
class MirrorClient::Session {
 public:
  Session(MirrorClient& client, std::unique_ptr<MirrorStream> stream)
      : client_(client),
        stream_(std::move(stream)),
        follower_(client.options_.clock, FactsOf(client.copy_, client.snapshots_),
                  client.options_.min_epoch),
        scope_(client.loop_) {}

  io::Task<Result<void>> Run();
  MirrorFollower& follower() { return follower_; }
  // If one end has refused the other.
  const std::optional<Refusal>& refusal() const { return refused_ ? refused_ : refusal_; }

 private:
  io::Task<Result<void>> Open();
  io::Task<void> Receive();
  io::Task<Result<void>> Take(ReceivedFrame frame);
  io::Task<Result<void>> AwaitRoom();
  bool FoundDiskFull(const Result<void>& tried);
  io::Task<Result<void>> BeginSnapshot(const SnapshotInfo& info);
  io::Task<Result<void>> TakeRecords(ReceivedFrame frame);
  io::Task<Result<void>> TakeSnapshot(Bytes body);
  io::Task<Result<void>> TakeBlock(Bytes block);
  io::Task<Result<void>> EndSnapshot();
  Result<void> TakeHeartbeat(const ReceivedFrame& frame);
  Result<void> TakeRefusal(Bytes body);
  io::Task<Result<void>> Observe(HybridTime time);
  io::Task<void> Acknowledge();
  io::Task<Result<void>> SendAck();
  Result<void> Check(std::optional<Refusal> refusal);
  Log& copy() { return client_.copy_; }
  io::Loop& loop() { return client_.loop_; }

  MirrorClient& client_;
  std::unique_ptr<MirrorStream> stream_;
  MirrorFollower follower_;
  io::Scope scope_;
  std::unique_ptr<SnapshotWriter> incoming_;
  uint64_t block_bytes_ = 0;        // taken
  uint64_t block_bytes_acked_ = 0;  // of these
  std::optional<Refusal> refusal_;  // ours, of the source
  std::optional<Refusal> refused_;  // the source's, of us
  Result<void> ended_;
};

io::Task<Result<void>> MirrorClient::Session::Run() {
  ended_ = co_await Open();
  if (ended_) {
    client_.connected_ = client_.opened_ = true;
    client_.early_ends_.OnBegin(loop().Now());
    if (!client_.early_ends_.recur()) client_.problem_.clear();
    client_.refusal_.reset();
    LOG_INFO("mirror: following", {"log", client_.options_.log},
             {"source", client_.options_.source}, {"offset", copy().end_offset()});
    scope_.Spawn(Receive());
    scope_.Spawn(Acknowledge());
    co_await scope_.Join();
    client_.connected_ = false;
    client_.waiting_for_.clear();
    if (incoming_) co_await incoming_->Abandon();
  }
  if (!refused_) stream_->Close(refusal_);
  co_return ended_;
}

// The error of a message that this end refuses.
Result<void> MirrorClient::Session::Check(std::optional<Refusal> refusal) {
  if (!refusal) return {};
  refusal_ = std::move(refusal);
  return Fail(Errc::kInvalid, "source refused ({}): {}", RefusalName(refusal_->reason),
              refusal_->text);
}

io::Task<Result<void>> MirrorClient::Session::Open() {
  OpenStream open = follower_.MakeOpenStream(client_.options_.log);
  auto sent = co_await stream_->Send(EncodeOpenStream(stream_->number(), open));
  if (!sent) co_return sent;
  auto frame = co_await stream_->Next(loop().After(kMirrorHandshakeTimeout));
  if (!frame) co_return Fail(frame.error());
  if (frame->type == FrameType::kRefuse || frame->type == FrameType::kCloseStream)
    co_return co_await Take(std::move(*frame));
  if (frame->type != FrameType::kStreamOpened)
    co_return Check(Refusal{RefusalReason::kProtocol, "no stream was opened"});
  Result<StreamOpened> opened = ParseStreamOpened(frame->body);
  if (!opened) co_return Check(Refusal{RefusalReason::kProtocol, opened.error().message});
  if (auto right = Check(follower_.TakeOpened(*opened)); !right) co_return right;
  client_.NoteSource(opened->end_offset);
  client_.clock_offset_.Clear();
  if (copy().id() == follower_.log_id()) co_return Result<void>{};
  co_return co_await copy().StartOver(copy().end_offset(), follower_.log_id());
}

io::Task<void> MirrorClient::Session::Receive() {
  while (ended_) {
    auto frame = co_await stream_->Next();
    if (frame) {
      ended_ = co_await Take(std::move(*frame));
    } else {
      ended_ = Fail(frame.error());
    }
  }
  scope_.Cancel();
}

io::Task<Result<void>> MirrorClient::Session::Take(ReceivedFrame frame) {
  switch (frame.type) {
    case FrameType::kRecords:
      if (auto room = co_await AwaitRoom(); !room) co_return room;
      co_return co_await TakeRecords(std::move(frame));
    case FrameType::kSnapshot:
      co_return co_await TakeSnapshot(frame.body);
    case FrameType::kBlock:
      co_return co_await TakeBlock(frame.body);
    case FrameType::kHeartbeat:
      co_return TakeHeartbeat(frame);
    case FrameType::kRefuse:
      co_return TakeRefusal(frame.body);
    case FrameType::kCloseStream:
      co_return Fail(Errc::kClosed, "the source has closed the stream");
    case FrameType::kHello:
    case FrameType::kWelcome:
    case FrameType::kAck:
    case FrameType::kOpenStream:
    case FrameType::kStreamOpened:
    case FrameType::kAlive:
      break;
  }
  co_return Check(Refusal{RefusalReason::kProtocol, "a frame that does not belong here"});
}

Result<void> MirrorClient::Session::TakeHeartbeat(const ReceivedFrame& frame) {
  Result<SourceState> state = ParseHeartbeat(frame.body);
  if (!state) return Check(Refusal{RefusalReason::kProtocol, state.error().message});
  if (auto right = Check(follower_.TakeState(*state)); !right) return right;
  client_.NoteSource(state->end_offset);
  client_.clock_offset_.Take(state->clock, frame.heard_us);
  return {};
}

Result<void> MirrorClient::Session::TakeRefusal(Bytes body) {
  Result<Refusal> refusal = ParseRefusal(body);
  if (!refusal) return Check(Refusal{RefusalReason::kProtocol, refusal.error().message});
  refused_ = std::move(*refusal);
  return Fail(Errc::kPermission, "refused by the source ({}): {}", RefusalName(refused_->reason),
              refused_->text);
}

io::Task<Result<void>> MirrorClient::Session::Observe(HybridTime time) {
  if (client_.options_.clock_file != nullptr) {
    co_return co_await client_.options_.clock_file->Observe(time);
  }
  co_return client_.options_.clock.Observe(time);
}

// While our disk is full nothing is taken, so the source sends no more on this stream. Closing the
// stream would make it be opened and closed again twice a second.
io::Task<Result<void>> MirrorClient::Session::AwaitRoom() {
  for (;;) {
    Result<void> writable = copy().Writable();
    if (!FoundDiskFull(writable)) co_return writable;
    if (auto slept = co_await io::Sleep(kFullDiskRetry); !slept) co_return slept;
  }
}

bool MirrorClient::Session::FoundDiskFull(const Result<void>& tried) {
  bool full = !tried && tried.error().code == Errc::kUnavailable;
  client_.waiting_for_ = full ? tried.error().message : "";
  return full;
}

// The same for a snapshot, which needs room of its own.
io::Task<Result<void>> MirrorClient::Session::BeginSnapshot(const SnapshotInfo& info) {
  for (;;) {
    auto writer = co_await client_.snapshots_.Begin(info);
    Result<void> begun = writer ? Result<void>{} : Fail(writer.error());
    if (writer) incoming_ = std::move(*writer);
    if (!FoundDiskFull(begun)) co_return begun;
    if (auto slept = co_await io::Sleep(kFullDiskRetry); !slept) co_return slept;
  }
}

io::Task<Result<void>> MirrorClient::Session::TakeRecords(ReceivedFrame frame) {
  Result<SourceState> state = ParseSourceState(frame.body);
  if (!state) co_return Check(Refusal{RefusalReason::kProtocol, state.error().message});
  if (auto right = Check(follower_.TakeState(*state)); !right) co_return right;
  frame.body.erase(frame.body.begin(), frame.body.begin() + kSourceStateBytes);
  auto batch = RecordBatch::Parse(std::move(frame.body));
  if (!batch) co_return Check(Refusal{RefusalReason::kProtocol, batch.error().message});
  if (incoming_) co_return Check(Refusal{RefusalReason::kProtocol, "records within a snapshot"});
  if (auto right = Check(follower_.TakeRecords(*batch)); !right) co_return right;
  if (auto observed = co_await Observe(batch->newest_time()); !observed) co_return observed;
  Result<void> appended;
  batch->ForEach([&](const Record& record) {
    if (client_.options_.on_record) client_.options_.on_record(record);
    if (appended) appended = copy().AppendCopy(record);
  });
  client_.NoteSource(state->end_offset);
  client_.clock_offset_.Take(state->clock, frame.heard_us);
  co_return appended;
}

io::Task<Result<void>> MirrorClient::Session::TakeSnapshot(Bytes body) {
  Result<SnapshotInfo> info = ParseSnapshotHeader(body);
  if (!info) co_return Check(Refusal{RefusalReason::kProtocol, info.error().message});
  if (auto right = Check(follower_.TakeSnapshot(*info)); !right) co_return right;
  if (auto observed = co_await Observe(info->time); !observed) co_return observed;
  LOG_INFO("mirror: receiving a snapshot", {"log", client_.options_.log},
           {"source", client_.options_.source}, {"offset", info->end_offset});
  incoming_ = nullptr;
  co_return co_await BeginSnapshot(*info);
}

io::Task<Result<void>> MirrorClient::Session::TakeBlock(Bytes block) {
  if (!incoming_) co_return Check(Refusal{RefusalReason::kProtocol, "a block of no snapshot"});
  if (auto added = co_await incoming_->AddBlock(block); !added) co_return added;
  block_bytes_ += block.size();
  if (incoming_->ended()) co_return co_await EndSnapshot();
  if (block_bytes_ - block_bytes_acked_ < kBlockAckBytes) co_return Result<void>{};
  co_return co_await SendAck();
}

io::Task<Result<void>> MirrorClient::Session::EndSnapshot() {
  uint64_t offset = incoming_->info().end_offset;
  if (copy().end_offset() > 0 && client_.options_.before_snapshot) {
    if (auto ready = co_await client_.options_.before_snapshot(); !ready) co_return ready;
  }
  if (auto whole = co_await incoming_->Commit(); !whole) co_return whole;
  incoming_ = nullptr;
  co_return co_await copy().StartOver(offset, follower_.log_id());
}

io::Task<Result<void>> MirrorClient::Session::SendAck() {
  const HybridClock& clock = client_.options_.clock;
  block_bytes_acked_ = block_bytes_;
  Ack ack{.end_offset = copy().durable_end_offset(),
          .block_bytes = block_bytes_,
          .now = clock.Present(),
          .asked_us = WallMicroseconds(clock.Wall()),
          .own_offset = client_.options_.own_offset ? client_.options_.own_offset() : 0};
  co_return co_await stream_->Send(EncodeAck(stream_->number(), ack));
}

io::Task<void> MirrorClient::Session::Acknowledge() {
  Result<void> sent;
  while (sent) {
    uint64_t end_offset = copy().durable_end_offset();
    sent = co_await SendAck();
    if (!sent) break;
    TimePoint until = loop().After(kMirrorHeartbeat);
    auto more = co_await copy().Durable(end_offset + 1, until);
    if (more || more.error().code == Errc::kTimeout) continue;
    sent =
        more.error().code == Errc::kUnavailable ? co_await io::SleepUntil(until) : std::move(more);
  }
  if (ended_) ended_ = std::move(sent);
  scope_.Cancel();
}

MirrorGauges::MirrorGauges(Metrics& metrics, const std::string& log, const std::string& source)
    : records(metrics.AddGauge("meridian_mirror_lag_records",
                               "Records that the source has and its copy here lacks.",
                               {{"log", log}, {"source", source}})),
      seconds(metrics.AddGauge("meridian_mirror_lag_seconds",
                               "How long ago the copy here had all that the source has.",
                               {{"log", log}, {"source", source}})),
      connected(metrics.AddGauge(
          "meridian_mirror_connected",
          "Whether the source is followed now, and connections to it do not keep ending early.",
          {{"log", log}, {"source", source}})),
      clock_lead(metrics.AddGauge("meridian_mirror_clock_lead_seconds",
                                  "How far the source's clock leads ours.",
                                  {{"log", log}, {"source", source}})),
      clock_error(metrics.AddGauge("meridian_mirror_clock_error_seconds",
                                   "Error bound of the clock lead: half the round trip.",
                                   {{"log", log}, {"source", source}})) {}

MirrorClient::MirrorClient(io::Loop& loop, MirrorClientOptions options, Log& copy,
                           Snapshots& snapshots, std::unique_ptr<MirrorConnection> own,
                           MirrorConnection* shared)
    : loop_(loop),
      options_(std::move(options)),
      copy_(copy),
      snapshots_(snapshots),
      own_(std::move(own)),
      connection_(own_ ? *own_ : *shared),
      random_(options_.seed),
      complete_(loop.Now()) {}

MirrorClient::MirrorClient(io::Loop& loop, const MirrorClientOptions& options, Log& copy,
                           Snapshots& snapshots, Dial dial)
    : MirrorClient(
          loop, options, copy, snapshots,
          std::make_unique<MirrorConnection>(loop,
                                             MirrorConnection::Options{.identity = options.identity,
                                                                       .source = options.source,
                                                                       .clock = options.clock,
                                                                       .seed = options.seed},
                                             std::move(dial)),
          nullptr) {}

MirrorClient::MirrorClient(io::Loop& loop, MirrorClientOptions options, Log& copy,
                           Snapshots& snapshots, MirrorConnection& shared)
    : MirrorClient(loop, std::move(options), copy, snapshots, nullptr, &shared) {}

void MirrorClient::RaiseLeastEpoch(uint32_t epoch) {
  options_.min_epoch = std::max(options_.min_epoch, epoch);
  if (session_ != nullptr) session_->follower().RaiseLeastEpoch(epoch);
}

uint64_t MirrorClient::lag_records() const {
  return source_end_ - std::min(source_end_, copy_.durable_end_offset());
}

Duration MirrorClient::lag() const {
  bool complete = connected_ && lag_records() == 0;
  return complete ? Duration::zero() : loop_.Now() - complete_;
}

void MirrorClient::Show(MirrorGauges& gauges) const {
  gauges.records.Set(static_cast<double>(lag_records()));
  gauges.seconds.Set(Seconds(lag()));
  gauges.connected.Set(connected() ? 1 : 0);
  if (std::optional<ClockOffset::Estimate> clock = clock_offset()) {
    gauges.clock_lead.Set(Seconds(clock->offset));
    gauges.clock_error.Set(Seconds(clock->error));
  }
}

void MirrorClient::NoteSource(uint64_t end_offset) {
  // The copy has all that the source had when it last spoke.
  if (copy_.durable_end_offset() >= source_end_) complete_ = loop_.Now();
  source_end_ = std::max(source_end_, end_offset);
}

// Repairs the copy after a crash between the commit of a snapshot and StartOver.
io::Task<Result<void>> MirrorClient::Reconcile() {
  const auto& newest = snapshots_.newest();
  if (!newest || newest->end_offset <= copy_.end_offset()) co_return Result<void>{};
  co_return co_await copy_.StartOver(newest->end_offset, newest->log_id);
}

io::Task<Result<void>> MirrorClient::FollowOnce() {
  opened_ = false;
  if (auto reconciled = co_await Reconcile(); !reconciled) co_return reconciled;
  // The source takes the offset that is asked for as an acknowledgement.
  if (copy_.durable_end_offset() < copy_.end_offset()) {
    TimePoint deadline = loop_.After(kMirrorHandshakeTimeout);
    if (auto safe = co_await copy_.Durable(copy_.end_offset(), deadline); !safe) co_return safe;
  }
  auto stream = connection_.NewStream();
  if (!stream) co_return Fail(stream.error());
  Session session(*this, std::move(*stream));
  session_ = &session;
  Result<void> ended = co_await session.Run();
  refusal_ = session.refusal();
  session_ = nullptr;
  co_return ended;
}

void MirrorClient::RedialNow() {
  connection_.RedialNow();
  retry_requested_.WakeAll();
}

void MirrorClient::Report(const Result<void>& ended, TimePoint begun) {
  if (opened_) early_ends_.OnEnd(loop_.Now());
  problem_ = ended ? "" : early_ends_.Describe(ended.error().message);
  // Not for each attempt, and not for each stream that a full disk closes at once.
  if (opened_ && loop_.Now() - begun >= kSteadyConnection) problems_.OnSolved();
  if (!ended && problems_.OnProblem(ended.error().message, loop_.Now())) {
    LOG_WARNING("mirror: not following", {"log", options_.log}, {"source", options_.source},
                {"error", ended.error().message});
  }
}

io::Task<void> MirrorClient::Run() {
  io::Scope scope(loop_);
  if (own_) scope.Spawn(own_->Run());
  scope.Spawn(Follow());
  co_await scope.Join();
}

io::Task<void> MirrorClient::Follow() {
  Duration pause = kFirstRedial;
  while (co_await connection_.AwaitUp()) {
    TimePoint begun = loop_.Now();
    Result<void> ended = co_await FollowOnce();
    io::Fiber& fiber = co_await io::ThisFiber{};
    if (fiber.cancelled()) co_return;
    if (!connection_.up()) {
      // The connection says why; there is nothing to wait for but that.
      problem_.clear();
      refusal_.reset();
      pause = kFirstRedial;
      continue;
    }
    Report(ended, begun);
    if (!co_await io::SleepUntil(begun + kMinRedial)) co_return;
    pause = opened_ ? kFirstRedial : std::min(2 * pause, kMaxRedial);
    auto half = static_cast<uint64_t>((pause / 2).count());
    TimePoint next = loop_.After(pause / 2 + Duration{random_.Below(half)});
    Result<void> hurried = co_await retry_requested_.Wait(next);
    if (!hurried && hurried.error().code == Errc::kCancelled) co_return;
    if (hurried) pause = kFirstRedial;
  }
}

}  // namespace meridian::store
