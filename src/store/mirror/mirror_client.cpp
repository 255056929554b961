#include "store/mirror/mirror_client.hpp"

#include <algorithm>
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
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/clock_file.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/log/record.hpp"
#include "store/mirror/clock_offset.hpp"
#include "store/mirror/frame_stream.hpp"
#include "store/mirror/mirror_follower.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/snapshot/snapshot.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::store {
namespace {

// After a connection that lasted so long, the next error is logged as a new problem.
constexpr Duration kGoodFollow = std::chrono::seconds{10};

// An empty copy behind a snapshot ends with the snapshot's last record.
CopyFacts FactsOf(const Log& copy, const Snapshots& snapshots) {
  CopyFacts facts{
      .log_id = copy.id(), .next_offset = copy.end_offset(), .newest_epoch = copy.newest_epoch()};
  bool empty = copy.begin_offset() == copy.end_offset();
  if (empty && snapshots.newest()) facts.newest_epoch = snapshots.newest()->epoch;
  return facts;
}

}  // namespace

// One connection to the source: one fiber receives, another sends acknowledgements.
class MirrorClient::Connection {
 public:
  Connection(MirrorClient& client, std::unique_ptr<io::Stream> stream)
      : client_(client),
        frames_(std::move(stream)),
        session_(client.options_.identity, client.options_.source, client.options_.clock,
                 FactsOf(client.copy_, client.snapshots_), client.options_.least_epoch),
        scope_(client.loop_) {}

  io::Task<Result<void>> Run();
  MirrorFollower& session() { return session_; }
  // If one end has refused the other.
  const std::optional<Refusal>& refusal() const { return refused_ ? refused_ : refusal_; }

 private:
  io::Task<Result<void>> Handshake();
  io::Task<void> Receive();
  io::Task<Result<void>> Take(Frame frame);
  io::Task<Result<void>> AwaitRoom();
  io::Task<Result<void>> TakeRecords(Bytes body);
  io::Task<Result<void>> TakeSnapshot(Bytes body);
  io::Task<Result<void>> TakeBlock(Bytes block);
  io::Task<Result<void>> Observe(HybridTime time);
  io::Task<void> Acknowledge();
  Result<void> Check(std::optional<Refusal> refusal);
  Log& copy() { return client_.copy_; }
  io::Loop& loop() { return client_.loop_; }

  MirrorClient& client_;
  FrameStream frames_;
  MirrorFollower session_;
  io::Scope scope_;
  std::unique_ptr<SnapshotWriter> incoming_;
  std::optional<Refusal> refusal_;  // ours, of the source
  std::optional<Refusal> refused_;  // the source's, of us
  Result<void> ended_;
  int64_t heard_us_ = 0;  // when the last frame had come, by our wall clock
};

io::Task<Result<void>> MirrorClient::Connection::Run() {
  ended_ = co_await Handshake();
  if (ended_) {
    client_.connected_ = client_.welcomed_ = true;
    client_.problem_.clear();
    client_.refusal_.reset();
    LOG_INFO("mirror: following", {"log", client_.options_.log},
             {"source", client_.options_.source}, {"offset", copy().end_offset()});
    scope_.Spawn(Receive());
    scope_.Spawn(Acknowledge());
    co_await scope_.Join();
    client_.connected_ = false;
  }
  if (refusal_) co_await frames_.Refuse(*refusal_, loop().After(kMirrorHandshakeTimeout));
  co_return ended_;
}

// The error of a message that this end refuses.
Result<void> MirrorClient::Connection::Check(std::optional<Refusal> refusal) {
  if (!refusal) return {};
  refusal_ = std::move(refusal);
  return Fail(Errc::kInvalid, "source refused ({}): {}", RefusalName(refusal_->reason),
              refusal_->text);
}

io::Task<Result<void>> MirrorClient::Connection::Handshake() {
  TimePoint deadline = loop().After(kMirrorHandshakeTimeout);
  std::vector<uint8_t> hello = EncodeHello(session_.MakeHello(client_.options_.log));
  if (auto sent = co_await frames_.Write(hello, deadline); !sent) co_return sent;
  auto frame = co_await frames_.Read(kMaxHandshakeBytes, deadline);
  if (!frame) co_return Fail(frame.error());
  if (frame->type == FrameType::kRefuse) co_return co_await Take(*frame);
  if (frame->type != FrameType::kWelcome)
    co_return Fail(Errc::kInvalid, "the source did not answer with a welcome");
  Result<Welcome> welcome = ParseWelcome(frame->body);
  if (!welcome) co_return Fail(welcome.error());
  if (auto right = Check(session_.TakeWelcome(*welcome)); !right) co_return right;
  client_.NoteSource(welcome->end_offset);
  client_.clock_offset_.Clear();
  if (copy().id() == session_.log_id()) co_return Result<void>{};
  co_return co_await copy().StartOver(copy().end_offset(), session_.log_id());
}

io::Task<void> MirrorClient::Connection::Receive() {
  while (ended_) {
    auto frame = co_await frames_.Read(kMaxFrameBytes, loop().After(kMaxMirrorSilence));
    heard_us_ = WallMicroseconds(client_.options_.clock.Wall());
    if (frame) {
      ended_ = co_await Take(*frame);
    } else {
      ended_ = Fail(frame.error());
    }
  }
  scope_.Cancel();
}

io::Task<Result<void>> MirrorClient::Connection::Take(Frame frame) {
  switch (frame.type) {
    case FrameType::kRecords:
      if (auto room = co_await AwaitRoom(); !room) co_return room;
      co_return co_await TakeRecords(frame.body);
    case FrameType::kSnapshot:
      if (auto room = co_await AwaitRoom(); !room) co_return room;
      co_return co_await TakeSnapshot(frame.body);
    case FrameType::kBlock:
      co_return co_await TakeBlock(frame.body);
    case FrameType::kHeartbeat: {
      Result<SourceState> state = ParseHeartbeat(frame.body);
      if (!state) co_return Fail(state.error());
      if (auto right = Check(session_.TakeState(*state)); !right) co_return right;
      client_.NoteSource(state->end_offset);
      client_.clock_offset_.Take(state->clock, heard_us_);
      co_return Result<void>{};
    }
    case FrameType::kRefuse: {
      Result<Refusal> refusal = ParseRefusal(frame.body);
      if (!refusal) co_return Fail(refusal.error());
      refused_ = std::move(*refusal);
      co_return Fail(Errc::kPermission, "refused by the source ({}): {}",
                     RefusalName(refused_->reason), refused_->text);
    }
    case FrameType::kHello:
    case FrameType::kWelcome:
    case FrameType::kAck:
      break;
  }
  co_return Check(Refusal{RefusalReason::kProtocol, "a frame that does not belong here"});
}

io::Task<Result<void>> MirrorClient::Connection::Observe(HybridTime time) {
  if (client_.options_.clock_file != nullptr) {
    co_return co_await client_.options_.clock_file->Observe(time);
  }
  co_return client_.options_.clock.Observe(time);
}

// While our disk is full no more is read, so the source sends no more. Closing the connection would
// make it be dialled and closed again twice a second.
io::Task<Result<void>> MirrorClient::Connection::AwaitRoom() {
  for (;;) {
    Result<void> writable = copy().Writable();
    if (writable || writable.error().code != Errc::kUnavailable) co_return writable;
    if (auto slept = co_await io::Sleep(kFullDiskRetry); !slept) co_return slept;
  }
}

io::Task<Result<void>> MirrorClient::Connection::TakeRecords(Bytes body) {
  Result<SourceState> state = ParseSourceState(body);
  if (!state) co_return Fail(state.error());
  if (auto right = Check(session_.TakeState(*state)); !right) co_return right;
  Bytes encoded = body.subspan(kSourceStateBytes);
  auto batch = RecordBatch::Parse({encoded.begin(), encoded.end()});
  if (!batch) co_return Check(Refusal{RefusalReason::kProtocol, batch.error().message});
  if (incoming_) co_return Check(Refusal{RefusalReason::kProtocol, "records within a snapshot"});
  if (auto right = Check(session_.TakeRecords(*batch)); !right) co_return right;
  if (auto observed = co_await Observe(batch->newest_time()); !observed) co_return observed;
  Result<void> appended;
  batch->ForEach([&](const Record& record) {
    if (appended) appended = copy().AppendCopy(record);
  });
  client_.NoteSource(state->end_offset);
  client_.clock_offset_.Take(state->clock, heard_us_);
  co_return appended;
}

io::Task<Result<void>> MirrorClient::Connection::TakeSnapshot(Bytes body) {
  Result<SnapshotInfo> info = ParseSnapshotHeader(body);
  if (!info) co_return Check(Refusal{RefusalReason::kProtocol, info.error().message});
  if (auto right = Check(session_.TakeSnapshot(*info)); !right) co_return right;
  if (auto observed = co_await Observe(info->time); !observed) co_return observed;
  LOG_INFO("mirror: receiving a snapshot", {"log", client_.options_.log},
           {"source", client_.options_.source}, {"offset", info->end_offset});
  incoming_ = nullptr;
  auto writer = co_await client_.snapshots_.Begin(*info);
  if (!writer) co_return Fail(writer.error());
  incoming_ = std::move(*writer);
  co_return Result<void>{};
}

io::Task<Result<void>> MirrorClient::Connection::TakeBlock(Bytes block) {
  if (!incoming_) co_return Check(Refusal{RefusalReason::kProtocol, "a block of no snapshot"});
  if (auto added = co_await incoming_->AddBlock(block); !added) co_return added;
  if (!incoming_->ended()) co_return Result<void>{};
  uint64_t offset = incoming_->info().end_offset;
  if (copy().end_offset() > 0 && client_.options_.before_snapshot) {
    if (auto ready = co_await client_.options_.before_snapshot(); !ready) co_return ready;
  }
  if (auto whole = co_await incoming_->Commit(); !whole) co_return whole;
  incoming_ = nullptr;
  co_return co_await copy().StartOver(offset, session_.log_id());
}

io::Task<void> MirrorClient::Connection::Acknowledge() {
  Result<void> sent;
  while (sent) {
    const HybridClock& clock = client_.options_.clock;
    Ack ack{.end_offset = copy().durable_end_offset(),
            .now = clock.Present(),
            .asked_us = WallMicroseconds(clock.Wall())};
    sent = co_await frames_.Write(EncodeAck(ack), loop().After(kMaxMirrorSilence));
    if (!sent) break;
    TimePoint until = loop().After(kMirrorHeartbeat);
    auto more = co_await copy().Durable(ack.end_offset + 1, until);
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
      connected(metrics.AddGauge("meridian_mirror_connected", "Whether the source is followed now.",
                                 {{"log", log}, {"source", source}})),
      clock_lead(metrics.AddGauge("meridian_mirror_clock_lead_seconds",
                                  "How far the source's clock leads ours.",
                                  {{"log", log}, {"source", source}})),
      clock_error(metrics.AddGauge("meridian_mirror_clock_error_seconds",
                                   "Error bound of the clock lead: half the round trip.",
                                   {{"log", log}, {"source", source}})) {}

MirrorClient::MirrorClient(io::Loop& loop, MirrorClientOptions options, Log& copy,
                           Snapshots& snapshots, Dial dial)
    : loop_(loop),
      options_(std::move(options)),
      copy_(copy),
      snapshots_(snapshots),
      dial_(std::move(dial)),
      random_(options_.seed),
      complete_(loop.Now()) {}

void MirrorClient::RaiseLeastEpoch(uint32_t epoch) {
  options_.least_epoch = std::max(options_.least_epoch, epoch);
  if (connection_ != nullptr) connection_->session().RaiseLeastEpoch(epoch);
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
  gauges.connected.Set(connected_ ? 1 : 0);
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
  welcomed_ = false;
  if (auto reconciled = co_await Reconcile(); !reconciled) co_return reconciled;
  // The source takes the end offset in the hello for an acknowledgement.
  if (copy_.durable_end_offset() < copy_.end_offset()) {
    TimePoint deadline = loop_.After(kMirrorHandshakeTimeout);
    if (auto safe = co_await copy_.Durable(copy_.end_offset(), deadline); !safe) co_return safe;
  }
  auto stream = co_await DialSource();
  if (!stream) {
    refusal_.reset();
    co_return Fail(stream.error());
  }
  Connection connection(*this, std::move(*stream));
  connection_ = &connection;
  Result<void> ended = co_await connection.Run();
  refusal_ = connection.refusal();
  connection_ = nullptr;
  co_return ended;
}

io::Task<MirrorClient::Dialled> MirrorClient::DialSource() {
  Dialled stream = Fail(Errc::kCancelled, "dialling");
  io::Scope dialling(loop_);
  dialling_ = &dialling;
  dialling.Spawn(DialInto(&stream));
  co_await dialling.Join();
  dialling_ = nullptr;
  co_return stream;
}

io::Task<void> MirrorClient::DialInto(Dialled* stream) {
  *stream = co_await dial_(loop_.After(kMirrorHandshakeTimeout));
}

void MirrorClient::RedialNow() {
  redial_now_ = dialling_ != nullptr;
  if (redial_now_) dialling_->Cancel();
  redial_requested_.WakeAll();
}

io::Task<void> MirrorClient::Run() {
  Duration pause = kFirstRedial;
  RecurringProblem problem;
  for (;;) {
    TimePoint begun = loop_.Now();
    Result<void> ended = co_await FollowOnce();
    io::Fiber& fiber = co_await io::ThisFiber{};
    if (fiber.cancelled()) co_return;
    problem_ = ended ? "" : ended.error().message;
    // Not for each attempt, and not for each connection that a full disk closes at once.
    if (welcomed_ && loop_.Now() - begun >= kGoodFollow) problem.OnSolved();
    if (!ended && problem.OnProblem(ended.error().message, loop_.Now())) {
      LOG_WARNING("mirror: not following", {"log", options_.log}, {"source", options_.source},
                  {"error", ended.error().message});
    }
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

}  // namespace meridian::store
