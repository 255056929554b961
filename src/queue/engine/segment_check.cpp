#include "queue/engine/segment_check.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/partition.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"

namespace meridian::queue {

SegmentCheck::SegmentCheck(io::Loop& loop, DurableState& durable, Duration interval)
    : loop_(loop), durable_(durable), interval_(interval), scope_(loop) {}

void SegmentCheck::Start() {
  scope_.Spawn(CheckSuspects());
  scope_.Spawn(CheckRegularly());
}

io::Task<void> SegmentCheck::Stop() {
  scope_.Cancel();
  co_await scope_.Join();
}

io::Task<void> SegmentCheck::CheckSuspects() {
  for (;;) {
    std::vector<std::pair<std::shared_ptr<Partition>, int64_t>> suspects;
    for (const auto& [id, partition] : durable_.partitions()) {
      if (partition->log() == nullptr) continue;
      for (int64_t offset : partition->log()->suspects()) suspects.emplace_back(partition, offset);
    }
    for (const auto& [partition, base_offset] : suspects) {
      Result<void> done = co_await Check(partition, base_offset, kSuspectBytesPerSecond);
      if (!done) co_return;
    }
    // A reader that meets a disk which cannot be read comes again and again.
    Result<void> woken = co_await io::Sleep(kSuspectPause);
    if (woken && suspects.empty()) woken = co_await durable_.AwaitSuspect();
    if (!woken) co_return;
  }
}

io::Task<void> SegmentCheck::CheckRegularly() {
  Duration pause = std::min(interval_, kFirstCheckPause);
  while (co_await io::Sleep(pause)) {
    const TimePoint due = loop_.After(interval_);
    if (!co_await CheckAll()) co_return;
    pause = std::max(due - loop_.Now(), kCheckPause);
  }
}

io::Task<Result<void>> SegmentCheck::CheckAll() {
  std::vector<PartitionId> ids;
  for (const auto& [id, partition] : durable_.partitions()) ids.push_back(id);
  for (const PartitionId id : ids) {
    std::shared_ptr<Partition> partition = durable_.FindPartition(id);
    if (partition == nullptr || partition->log() == nullptr) continue;
    for (int64_t base_offset : partition->log()->closed_segments()) {
      if (partition->gone()) break;
      Result<void> done = co_await Check(partition, base_offset, kCheckBytesPerSecond);
      if (done) done = co_await io::Sleep(kCheckPause);
      if (!done) co_return done;
    }
  }
  co_return Result<void>{};
}

// kCancelled. Other errors of the check are of a segment that is gone or changes, or of a lack of
// descriptors: the next regular check comes to it.
io::Task<Result<void>> SegmentCheck::Check(std::shared_ptr<Partition> partition,
                                           int64_t base_offset, uint64_t bytes_per_second) {
  if (partition->gone()) co_return Result<void>{};
  auto report =
      co_await partition->log()->CheckSegment({.base_offset = base_offset,
                                               .epochs = durable_.EpochsOf(partition->id()),
                                               .bytes_per_second = bytes_per_second});
  if (!report && report.error().code == Errc::kCancelled) co_return Fail(report.error());
  if (!report || partition->gone()) co_return Result<void>{};
  checked_bytes_ += report->bytes;
  if (!report->news) co_return Result<void>{};
  for (const BadBatches& bad : report->bad) {
    LOG_ERROR("a segment file is damaged", {"partition", partition->name()}, {"file", report->path},
              {"byte", bad.position}, {"end_byte", bad.end_position}, {"offset", bad.begin_offset},
              {"next_offset", bad.next_offset}, {"problem", bad.problem});
  }
  if (report->bad.empty()) {
    LOG_INFO("a segment file that was damaged is whole again", {"partition", partition->name()},
             {"file", report->path});
  }
  co_return Result<void>{};
}

}  // namespace meridian::queue
