#include "queue/mirror/filler.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/limits.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/queue_state.hpp"
#include "store/mirror/mirror_client.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/messages/fetch.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

namespace kafka = wire::kafka;

namespace {

constexpr int16_t kFetchVersion = 12;

}  // namespace

Filler::Filler(io::Loop& loop, DurableState& durable, NodeId home, store::MirrorClient::Dial dial)
    : loop_(loop), durable_(durable), home_(home), caller_(std::move(dial)), scope_(loop) {}

void Filler::Start() { scope_.Spawn(Run()); }

io::Task<void> Filler::Stop() {
  scope_.Cancel();
  co_await scope_.Join();
}

io::Task<void> Filler::Run() {
  do {
    Result<void> done = co_await FillAll();
    if (!done && done.error().code == Errc::kCancelled) co_return;
    problem_text_ = done ? "" : done.error().message;
    if (done) {
      (void)problem_.OnSolved();
    } else if (problem_.OnProblem(problem_text_, loop_.Now())) {
      LOG_WARNING("messages of another data center cannot be fetched", {"problem", problem_text_});
    }
  } while (co_await io::Sleep(kFillPause));
}

io::Task<Result<void>> Filler::FillAll() {
  std::vector<PartitionId> behind;
  for (const auto& [number, topic] : durable_.state().topics()) {
    if (topic.home != home_) continue;
    for (size_t i = 0; i < topic.partitions.size(); ++i) {
      const PartitionState& partition = topic.partitions[i];
      if (partition.source_end <= partition.end_offset) continue;
      behind.push_back({number, static_cast<uint32_t>(i)});
    }
  }
  Result<void> done;
  for (const PartitionId id : behind) {
    if (done) done = co_await Fill(id);
  }
  // It is in no journal.
  if (fetched_) {
    Result<void> kept = co_await durable_.CheckpointNow();
    if (!kept) co_return kept;
    fetched_ = false;
  }
  co_return done;
}

io::Task<Result<void>> Filler::Fill(PartitionId id) {
  for (;;) {
    const PartitionState* partition = durable_.state().FindPartition(id);
    if (partition == nullptr || partition->end_offset >= partition->source_end) break;
    if (durable_.state().FindTopic(id.topic)->home != home_) break;
    Result<bool> more = co_await FetchOnce(id);
    if (!more) co_return Fail(std::move(more.error()));
    // Its home does not show it yet.
    if (!*more) break;
    Result<void> room = co_await durable_.AwaitWritten(kMaxInFlightBytes);
    if (!room) co_return room;
  }
  co_return Result<void>{};
}

io::Task<Result<bool>> Filler::FetchOnce(PartitionId id) {
  const std::string name = durable_.state().FindTopic(id.topic)->name;
  const int64_t from = durable_.state().FindPartition(id)->end_offset;
  kafka::FetchRequest request{.max_bytes = kFillBytes};
  request.topics.push_back({.name = name,
                            .partitions = {{.index = static_cast<int32_t>(id.partition),
                                            .fetch_offset = from,
                                            .max_bytes = kFillBytes}}});
  auto response = co_await caller_.Call<kafka::FetchResponse>(request, kFetchVersion,
                                                              loop_.After(kPeerCallTimeout));
  if (!response) co_return Fail(std::move(response.error()));
  const auto& topics = response->message.topics;
  if (topics.size() != 1 || topics[0].partitions.size() != 1) {
    co_return Fail(Errc::kInvalid, "a response without the partition");
  }
  // The journal may have brought it meanwhile.
  const PartitionState* partition = durable_.state().FindPartition(id);
  if (partition == nullptr || partition->end_offset != from) co_return true;
  co_return co_await Take(id, topics[0].partitions[0]);
}

io::Task<Result<bool>> Filler::Take(PartitionId id,
                                    const kafka::FetchResponse::Topic::Partition& fetched) {
  const int64_t from = durable_.state().FindPartition(id)->end_offset;
  if (fetched.error == kafka::ErrorCode::kOffsetOutOfRange && fetched.log_start_offset > from) {
    Result<void> skipped = co_await durable_.SkipTo(id, fetched.log_start_offset);
    if (!skipped) co_return Fail(std::move(skipped.error()));
    co_return true;
  }
  if (fetched.error != kafka::ErrorCode::kNone) {
    co_return Fail(Errc::kUnavailable, "its home answers {}", kafka::ErrorCodeName(fetched.error));
  }
  bool taken = false;
  for (Bytes rest = fetched.records.bytes; rest.size() >= kafka::kBatchHeaderBytes;) {
    auto header = kafka::ReadBatchHeader(rest);
    if (!header) co_return Fail(std::move(header.error()));
    if (header->bytes > rest.size()) break;
    Result<void> added;
    if (header->base_offset >= durable_.state().FindPartition(id)->end_offset) {
      added = durable_.AddFetched(id, rest.first(header->bytes));
      taken = fetched_ = true;
    }
    if (!added) co_return Fail(std::move(added.error()));
    rest = rest.subspan(header->bytes);
  }
  co_return taken;
}

}  // namespace meridian::queue
