#include "session/replication/replication.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "session/data/keyspace.hpp"
#include "session/limits.hpp"
#include "session/replication/log_applier.hpp"
#include "session/replication/log_record.hpp"
#include "session/replication/matrix_clock.hpp"
#include "session/replication/peer_problem.hpp"
#include "session/replication/snapshot_metadata.hpp"
#include "store/mirror/mirror_client.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/mirror/mirror_server.hpp"
#include "store/replica.hpp"

namespace meridian::session {
namespace {

constexpr std::string_view kCopyPrefix = "from-";
// An empty file: a data center with this disk has waited for the others once.
constexpr std::string_view kContactMark = "contacted";

}  // namespace

// The gauges of /metrics.
struct Replication::Gauges {
  struct Mirror {
    const store::Replica* replica;
    store::MirrorGauges gauges;
  };

  explicit Gauges(Metrics& metrics)
      : stability_lag(
            metrics.AddGauge("meridian_session_stability_lag_seconds",
                             "How far the stability horizon is behind the present: every data "
                             "center has applied all older writes.")) {}

  std::vector<Mirror> mirrors;
  Gauge& stability_lag;
};

Replication::Replication(const Parts& parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      matrix_clock_(options_.data_centers, options_.here),
      server_(parts_.loop, {.identity = {options_.site, options_.data_centers[options_.here]},
                            .clock = parts_.clock,
                            .find = [this](std::string_view name) { return FindLog(name); },
                            .on_joined = [this](std::string_view name) { RedialNow(name); }}),
      background_(parts_.loop) {}

Replication::~Replication() = default;

store::MirroredLog Replication::FindLog(std::string_view name) {
  if (name != kLogName) return {};
  return {.log = &parts_.journal.log(),
          .snapshots = &parts_.journal.snapshots(),
          .make_snapshot = [this] { return MakeSnapshot(); }};
}

io::Task<Result<std::unique_ptr<Replication>>> Replication::Open(const Parts& parts,
                                                                 Options options) {
  std::unique_ptr<Replication> replication(new Replication(parts, std::move(options)));
  Result<void> opened = co_await replication->OpenSources();
  if (opened) co_return replication;
  co_await replication->Close();
  co_return Fail(std::move(opened.error()));
}

io::Task<Result<std::unique_ptr<Replication::Source>>> Replication::OpenSource(
    std::string name, LogApplier::OnHeartbeat on_heartbeat) {
  std::string folder = options_.folder + "/" + std::string(kCopyPrefix) + name;
  auto replica = co_await store::Replica::Open(parts_.loop, parts_.disk,
                                               {.source = std::move(name),
                                                .log = kLogName,
                                                .folder = std::move(folder),
                                                .on_disk_failure = options_.on_disk_failure});
  if (!replica) co_return Fail(std::move(replica.error()));
  co_return std::unique_ptr<Source>(
      new Source{LogApplier(parts_.keyspace, std::move(on_heartbeat)), std::move(*replica)});
}

io::Task<Result<void>> Replication::OpenSources() {
  sources_.resize(options_.data_centers.size());
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (i == options_.here) continue;
    auto source = co_await OpenSource(options_.data_centers[i], HeartbeatHandlerOf(i));
    if (!source) co_return Fail(std::move(source.error()));
    sources_[i] = std::move(*source);
  }
  // Copies of data centers that the site no longer has, or whose disk was lost, still count.
  auto names = co_await parts_.disk.ListFolders(options_.folder);
  if (!names) co_return Fail(std::move(names.error()));
  for (std::string& name : *names) {
    if (!name.starts_with(kCopyPrefix)) continue;
    name.erase(0, kCopyPrefix.size());
    if (std::ranges::find(options_.data_centers, name) != options_.data_centers.end()) continue;
    Result<void> whole =
        co_await HasNoCopyWithin(options_.folder + "/" + std::string(kCopyPrefix) + name);
    if (!whole) co_return whole;
    auto source = co_await OpenSource(name, [](Bytes) {});
    if (!source) co_return Fail(std::move(source.error()));
    former_.push_back(std::move(*source));
  }
  co_return Result<void>{};
}

// A copy that was moved into another copy's folder would be overlooked.
io::Task<Result<void>> Replication::HasNoCopyWithin(std::string folder) {
  auto names = co_await parts_.disk.ListFolders(folder);
  if (!names) co_return Fail(std::move(names.error()));
  for (const std::string& name : *names) {
    if (!name.starts_with(kCopyPrefix)) continue;
    co_return Fail(Errc::kInvalid, "{} has another copy in it, {}: move that copy beside it",
                   folder, name);
  }
  co_return Result<void>{};
}

io::Task<Result<void>> Replication::Replay() {
  Keyspace& keyspace = parts_.keyspace;
  // One log may delete what another log, which is replayed later, has written.
  if (!alone() || !former_.empty()) keyspace.set_stability_horizon({});
  Result<SnapshotMetadata> metadata = co_await parts_.journal.Replay(keyspace);
  if (!metadata) co_return Fail(std::move(metadata.error()));
  Result<void> replayed = co_await ReplayCopies(*metadata);
  if (alone()) keyspace.set_stability_horizon(HybridTime::Max());
  co_return replayed;
}

io::Task<Result<void>> Replication::ReplayCopies(const SnapshotMetadata& metadata) {
  for (auto* all : {&former_, &sources_}) {
    for (auto& source : *all) {
      if (!source) continue;
      Result<void> replayed = co_await source->replica->Replay(source->applier, metadata.applied);
      if (!replayed) co_return replayed;
    }
  }
  co_return Result<void>{};
}

void Replication::Start(Metrics* metrics) {
  if (alone()) return;
  if (metrics != nullptr) gauges_ = std::make_unique<Gauges>(*metrics);
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (!sources_[i]) continue;
    store::Replica& replica = *sources_[i]->replica;
    const std::string& name = replica.source();
    replica.Start({.identity = {options_.site, options_.data_centers[options_.here]},
                   .clock = parts_.clock,
                   .clock_file = &parts_.journal.clock_file(),
                   .seed = options_.seed + i,
                   .before_snapshot = [this] { return MakeSnapshot(); }},
                  options_.dial(name), sources_[i]->applier);
    if (gauges_) gauges_->mirrors.push_back({&replica, {*metrics, kLogName, name}});
  }
  background_.Spawn(WriteHeartbeats());
}

bool Replication::HasAppliedFromAll() const {
  return std::ranges::all_of(
      sources_, [](const auto& source) { return !source || source->replica->applied() > 0; });
}

io::Task<void> Replication::AwaitContact(std::function<bool()> is_over) {
  if (alone()) co_return;
  std::string mark = options_.folder + "/" + std::string(kContactMark);
  if (auto stability_horizon = co_await parts_.disk.Open(mark, io::OpenMode::kRead);
      stability_horizon)
    co_return;
  LOG_INFO("the disk is new: waiting for the logs of the other data centers");
  TimePoint until = parts_.loop.After(kMaxPeerClockSkew);
  while (!HasAppliedFromAll() && parts_.loop.Now() < until) {
    if (!co_await io::Sleep(kContactPause) || (is_over && is_over())) co_return;
  }
  // If it cannot be made, the next start waits again.
  (void)co_await parts_.disk.Open(mark, io::OpenMode::kCreate);
  (void)co_await parts_.disk.SyncFolder(options_.folder);
}

io::Task<void> Replication::Close() {
  background_.Cancel();
  co_await background_.Join();
  for (auto* all : {&sources_, &former_}) {
    for (auto& source : *all) {
      if (source) co_await source->replica->Close();
    }
  }
}

io::Task<void> Replication::Serve(std::unique_ptr<io::Stream> stream,
                                  std::function<bool(std::string_view)> allowed) {
  co_await server_.Serve(std::move(stream), std::move(allowed));
}

// A data center that connects to us can be reached: a cut has healed.
void Replication::RedialNow(std::string_view data_center) {
  ForEachReplica([data_center](store::Replica& replica) {
    if (replica.source() == data_center) replica.RedialNow();
  });
}

LogApplier::OnHeartbeat Replication::HeartbeatHandlerOf(size_t replica_id) {
  return [this, replica_id](Bytes bytes) {
    Result<Heartbeat> heartbeat = DecodeHeartbeat(bytes);
    Result<void> heard =
        heartbeat ? matrix_clock_.Observe(replica_id, *heartbeat) : Fail(heartbeat.error());
    if (heard) return Learn();
    LOG_ERROR("a data center has other replica ids", {"source", options_.data_centers[replica_id]},
              {"error", heard.error().message});
  };
}

void Replication::Learn() {
  if (frozen_) return;
  HybridTime stability_horizon = matrix_clock_.stability_horizon();
  if (stability_horizon > parts_.keyspace.stability_horizon())
    parts_.keyspace.set_stability_horizon(stability_horizon);
}

Result<uint64_t> Replication::WriteHeartbeat() {
  Result<HybridTime> now = parts_.clock.Now();
  if (!now) return Fail(std::move(now.error()));
  std::string refusal = parts_.journal.refusal();
  if (!refusal.empty()) return Fail(Errc::kUnavailable, "{}", refusal);
  return parts_.journal.AppendHeartbeat(EncodeHeartbeat(matrix_clock_.MakeHeartbeat(*now)));
}

// Called in two cases. A new follower must start from a snapshot: our log may have keys whose
// tombstones the others have dropped already, and lacks what the follower itself may have written
// in an earlier life. (The heartbeat makes sure that there is a record for the snapshot to cover.)
// And before another data center's snapshot replaces our copy of its log, our own snapshot must
// cover the replaced copy: deletions that every data center has applied are not in the new one.
io::Task<Result<void>> Replication::MakeSnapshot() {
  Result<uint64_t> heartbeat = WriteHeartbeat();
  if (!heartbeat) co_return Fail(std::move(heartbeat.error()));
  Result<void> done = co_await parts_.journal.AwaitDurable(*heartbeat);
  if (done) done = co_await parts_.journal.WriteSnapshotNow();
  co_return done;
}

io::Task<void> Replication::WriteHeartbeats() {
  while (co_await io::Sleep(kHeartbeatInterval)) {
    // Without a stamp, or room on the disk, the others keep their tombstones for longer.
    (void)WriteHeartbeat();
    if (!gauges_) continue;
    for (Gauges::Mirror& each : gauges_->mirrors) each.replica->mirror()->Show(each.gauges);
    gauges_->stability_lag.Set(Seconds(-parts_.clock.LeadOf(stability_horizon())));
  }
}

SnapshotMetadata Replication::BeginSnapshot() {
  frozen_ = true;
  SnapshotMetadata metadata{.stability_horizon = alone() ? HybridTime() : stability_horizon()};
  ForEachReplica([&metadata](store::Replica& replica) {
    if (replica.log_id() != 0) metadata.applied[replica.log_id()] = replica.applied();
  });
  return metadata;
}

void Replication::EndSnapshot(const SnapshotMetadata* written) {
  frozen_ = false;
  if (!alone()) Learn();
  if (written == nullptr) return;
  ForEachReplica([written](store::Replica& replica) {
    auto applied = written->applied.find(replica.log_id());
    if (applied != written->applied.end()) replica.Release(applied->second);
  });
}

size_t Replication::Count(uint64_t offset) const {
  return offset == 0 ? options_.data_centers.size() - 1 : server_.CountWith(kLogName, offset);
}

io::Task<size_t> Replication::Await(uint64_t offset, size_t count, TimePoint deadline) {
  if (offset == 0) co_return options_.data_centers.size() - 1;
  co_return co_await server_.AwaitFollowers(kLogName, offset, count, deadline);
}

std::vector<Replication::Peer> Replication::Peers() const {
  std::vector<Peer> peers;
  const auto& followers = server_.followers(kLogName);
  uint64_t end = parts_.journal.log().end_offset();
  for (const auto& source : sources_) {
    if (!source || source->replica->mirror() == nullptr) continue;
    const store::Replica& replica = *source->replica;
    const store::MirrorClient& mirror = *replica.mirror();
    auto found = followers.find(replica.source());
    uint64_t acknowledged = found == followers.end() ? 0 : found->second.acknowledged;
    PeerProblem problem;
    if (!mirror.connected() || !mirror.problem().empty()) {
      problem =
          ProblemOfFollowing({.here = options_.data_centers[options_.here],
                              .source = replica.source(),
                              .copy_folder = replica.folder(),
                              .error = mirror.problem(),
                              .refusal = mirror.connected() ? std::nullopt : mirror.refusal()});
    }
    PeerProblem refused;
    bool follows_us = found != followers.end() && found->second.connected;
    if (const store::Refusal* refusal = server_.RefusalOf(kLogName, replica.source());
        refusal != nullptr && !follows_us) {
      refused = ProblemOfBeingFollowed(replica.source(), *refusal);
    }
    peers.push_back({.name = replica.source(),
                     .connected = mirror.connected(),
                     .behind_records = mirror.lag_records(),
                     .behind = mirror.lag(),
                     .clock = mirror.clock_offset(),
                     .ahead_records = end - std::min(end, acknowledged),
                     .problem = std::move(problem),
                     .refused = std::move(refused)});
  }
  return peers;
}

}  // namespace meridian::session
