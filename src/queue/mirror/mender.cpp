#include "queue/mirror/mender.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
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
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/partition.hpp"
#include "queue/limits.hpp"
#include "queue/mirror/peer_caller.hpp"
#include "queue/mirror/repair_patch.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/uuid.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/messages/fetch.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

namespace kafka = wire::kafka;

namespace {

constexpr int16_t kFetchVersion = 13;  // topics by id: of one that was made anew nothing comes

// The batch that has the offset, as far as its header says. Nothing: it cannot be read here.
io::Task<std::optional<kafka::BatchHeader>> BatchAt(PartitionLog& log, int64_t offset) {
  auto range = co_await log.Read({.offset = offset,
                                  .max_bytes = 1,
                                  .limit_offset = log.end_offset(),
                                  .below_log_start = true});
  if (!range || range->bytes < kafka::kBatchHeaderBytes) co_return std::nullopt;
  std::array<uint8_t, kafka::kBatchHeaderBytes> bytes{};
  auto got = co_await range->file->ReadAt(range->position, bytes);
  if (!got || *got < bytes.size()) co_return std::nullopt;
  auto header = kafka::ReadBatchHeader(bytes);
  if (!header) co_return std::nullopt;
  co_return *header;
}

// The bad batches that begin there. Nothing: they are repaired, or gone with their segment.
std::optional<BadBatches> FindBad(const Partition& partition, int64_t base_offset,
                                  uint64_t position) {
  if (partition.gone()) return std::nullopt;
  for (const DamagedSegment& segment : partition.log()->damaged()) {
    if (segment.base_offset != base_offset) continue;
    auto found = std::ranges::find(segment.bad, position, &BadBatches::position);
    if (found != segment.bad.end()) return *found;
  }
  return std::nullopt;
}

// What the only partition of a response has; kUnavailable: an error.
Result<Bytes> RecordsOf(const kafka::FetchResponse& response) {
  if (response.error != kafka::ErrorCode::kNone) {
    return Fail(Errc::kUnavailable, "{}", kafka::ErrorCodeName(response.error));
  }
  if (response.topics.size() != 1 || response.topics[0].partitions.size() != 1) {
    return Fail(Errc::kInvalid, "a response without the partition");
  }
  const auto& partition = response.topics[0].partitions[0];
  if (partition.error != kafka::ErrorCode::kNone) {
    return Fail(Errc::kUnavailable, "{}", kafka::ErrorCodeName(partition.error));
  }
  return partition.records.bytes;
}

}  // namespace

Mender::Mender(io::Loop& loop, DurableState& durable, std::vector<Peer> peers)
    : loop_(loop), durable_(durable), scope_(loop) {
  for (Peer& peer : peers) {
    sources_.push_back({.node = peer.node,
                        .name = std::move(peer.name),
                        .caller = std::make_unique<PeerCaller>(std::move(peer.dial))});
  }
}

void Mender::Start() { scope_.Spawn(Run()); }

io::Task<void> Mender::Stop() {
  scope_.Cancel();
  co_await scope_.Join();
}

std::string Mender::problem() const {
  for (const auto& [id, attempts] : attempts_) {
    if (!attempts.text.empty()) return attempts.text;
  }
  return "";
}

io::Task<void> Mender::Run() {
  do {
    const std::vector<std::shared_ptr<Partition>> damaged = DamagedPartitions();
    std::erase_if(attempts_, [&](const auto& attempt) {
      return std::ranges::none_of(
          damaged, [&](const auto& partition) { return partition->id() == attempt.first; });
    });
    for (const std::shared_ptr<Partition>& partition : damaged) {
      if (loop_.Now() < attempts_[partition->id()].next) continue;
      Result<void> done = co_await Mend(partition);
      if (!done && done.error().code == Errc::kCancelled) co_return;
      Note(*partition, done);
    }
  } while (co_await io::Sleep(kMendLook));
}

// Those of which it is known where the damage is.
std::vector<std::shared_ptr<Partition>> Mender::DamagedPartitions() const {
  std::vector<std::shared_ptr<Partition>> damaged;
  for (const auto& [id, partition] : durable_.partitions()) {
    if (partition->log() == nullptr || !partition->log()->has_damage()) continue;
    damaged.push_back(partition);
  }
  return damaged;
}

void Mender::Note(Partition& partition, const Result<void>& done) {
  Attempts& attempts = attempts_[partition.id()];
  if (done) {
    attempts = {};
    return;
  }
  attempts.pause = std::clamp(attempts.pause * 2, kMinMendPause, kMaxMendPause);
  attempts.next = loop_.After(attempts.pause);
  attempts.text = fmt::format("{}: {}", partition.name(), done.error().message);
  if (attempts.problem.OnProblem(done.error().message, loop_.Now())) {
    LOG_WARNING("a damaged segment file cannot be repaired yet", {"partition", partition.name()},
                {"problem", done.error().message});
  }
}

// All places that are damaged now; the error of the first that cannot be repaired.
io::Task<Result<void>> Mender::Mend(std::shared_ptr<Partition> partition) {
  Result<void> result;
  for (const DamagedSegment& segment : partition->log()->damaged()) {
    for (const BadBatches& bad : segment.bad) {
      Result<void> done = co_await MendPlace(
          partition, {.base_offset = segment.base_offset, .position = bad.position});
      if (!done && done.error().code == Errc::kCancelled) co_return done;
      if (!done && result) result = std::move(done);
    }
  }
  co_return result;
}

// The home first: it has all.
std::vector<Mender::Source*> Mender::SourcesOf(PartitionId id) {
  const Topic* topic = durable_.state().FindTopic(id.topic);
  if (topic == nullptr) return {};
  std::vector<Source*> sources;
  for (Source& source : sources_) {
    const bool first = source.node == topic->home;
    sources.insert(first ? sources.begin() : sources.end(), &source);
  }
  return sources;
}

io::Task<Result<void>> Mender::MendPlace(std::shared_ptr<Partition> partition, Damage damage) {
  std::string problems;
  for (Source* source : SourcesOf(partition->id())) {
    Result<void> done = co_await MendFrom(*source, partition, damage);
    if (done || done.error().code == Errc::kCancelled) co_return done;
    problems +=
        fmt::format("{}{}: {}", problems.empty() ? "" : "; ", source->name, done.error().message);
  }
  if (partition->gone()) co_return Result<void>{};
  co_return Fail(Errc::kUnavailable, "{}", problems);
}

// A part at a time; `damage` moves behind what is repaired.
io::Task<Result<void>> Mender::MendFrom(Source& source, std::shared_ptr<Partition> partition,
                                        Damage& damage) {
  for (;;) {
    const std::optional<BadBatches> bad = FindBad(*partition, damage.base_offset, damage.position);
    if (!bad) co_return Result<void>{};
    DamagedPlace place{.bad = *bad, .epochs = durable_.EpochsOf(partition->id())};
    PartitionLog& log = *partition->log();
    place.before = co_await BatchAt(log, bad->begin_offset - 1);
    place.behind = co_await BatchAt(log, bad->next_offset);
    auto patched = co_await PatchOnce(source, partition, damage, std::move(place));
    if (!patched) co_return Fail(std::move(patched.error()));
    LOG_INFO("batches of a damaged segment file are repaired", {"partition", partition->name()},
             {"segment", damage.base_offset}, {"byte", damage.position}, {"bytes", *patched},
             {"offset", bad->begin_offset}, {"from", source.name});
    damage.position += *patched;
  }
}

io::Task<Result<PeerResponse<kafka::FetchResponse>>> Mender::Fetch(Source& source, PartitionId id,
                                                                   int64_t offset) {
  const Topic* topic = durable_.state().FindTopic(id.topic);
  if (topic == nullptr) co_return Fail(Errc::kNotFound, "the topic was deleted");
  kafka::FetchRequest request{.replica_id = static_cast<int32_t>(durable_.state().node()),
                              .max_bytes = kFillBytes};
  request.topics.push_back({.id = ToWire(topic->uuid),
                            .partitions = {{.index = static_cast<int32_t>(id.partition),
                                            .current_leader_epoch = topic->leader_epoch,
                                            .fetch_offset = offset,
                                            .max_bytes = kFillBytes}}});
  co_return co_await source.caller->Call<kafka::FetchResponse>(request, kFetchVersion,
                                                               loop_.After(kPeerCallTimeout));
}

// How many bytes were written.
io::Task<Result<uint64_t>> Mender::PatchOnce(Source& source, std::shared_ptr<Partition> partition,
                                             Damage damage, DamagedPlace place) {
  const PartitionId id = partition->id();
  auto epoch = [&]() -> int32_t {
    const Topic* topic = durable_.state().FindTopic(id.topic);
    return topic == nullptr || partition->is_being_cut() ? -1 : topic->leader_epoch;
  };
  const int32_t begun = epoch();
  Result<Bytes> patch = Bytes();
  Result<PeerResponse<kafka::FetchResponse>> response = Fail(Errc::kCancelled, "cancelled");
  for (int i = 0; i < 2 && patch && patch->empty(); ++i) {
    // The batch before was the last of its segment there.
    if (i > 0) place.before.reset();
    response = co_await Fetch(source, id, place.fetch_offset());
    if (!response) co_return Fail(std::move(response.error()));
    patch = RecordsOf(response->message);
    if (patch) patch = PatchFor(place, *patch);
  }
  if (!patch) co_return Fail(std::move(patch.error()));
  // What was compared must be so still.
  if (begun < 0 || epoch() != begun) {
    co_return Fail(Errc::kUnavailable, "the home has moved meanwhile");
  }
  Result<void> done = co_await durable_.Repair(
      partition,
      {.base_offset = damage.base_offset, .position = damage.position, .batches = *patch});
  if (!done) co_return Fail(std::move(done.error()));
  co_return patch->size();
}

}  // namespace meridian::queue
