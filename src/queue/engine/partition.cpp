#include "queue/engine/partition.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "queue/partition/segment.hpp"

namespace meridian::queue {

bool Partition::AddSegments(std::span<const SegmentPosition> segments) {
  std::vector<SegmentPosition>& known = position_.segments;
  int64_t end = known.empty() ? 0 : known.back().end_offset;
  for (const SegmentPosition& segment : segments) {
    if (segment.base_offset < end || segment.end_offset > position_.end_offset) return false;
    end = segment.end_offset;
  }
  known.insert(known.end(), segments.begin(), segments.end());
  return true;
}

void Partition::Commit(int64_t next_offset, size_t bytes) {
  CHECK(next_offset >= high_watermark_);
  high_watermark_ = next_offset;
  committed_.WakeAll();
  for (DataWait* wait : data_waits_) wait->OnCommitted(bytes);
}

void Partition::MarkGone() {
  gone_ = true;
  committed_.WakeAll();
  for (DataWait* wait : data_waits_) wait->OnGone();
}

io::Task<Result<void>> Partition::AwaitCommitted(int64_t offset, TimePoint deadline) {
  while (high_watermark_ < offset) {
    if (gone_) co_return Fail(Errc::kNotFound, "{} was deleted", name_);
    Result<void> woken = co_await committed_.Wait(deadline);
    if (!woken) co_return woken;
  }
  co_return Result<void>{};
}

DataWait::~DataWait() {
  for (auto& [partition, place] : watched_) partition->data_waits_.erase(place);
}

void DataWait::Watch(std::shared_ptr<Partition> partition) {
  auto& waits = partition->data_waits_;
  auto place = waits.insert(waits.end(), this);
  watched_.emplace_back(std::move(partition), place);
}

io::Task<bool> DataWait::Wait(TimePoint deadline) {
  while (!done_) {
    Result<void> woken = co_await queue_.Wait(deadline);
    if (!woken) co_return false;
  }
  co_return true;
}

void DataWait::OnCommitted(size_t bytes) {
  bytes_ += bytes;
  if (bytes_ < min_bytes_ || done_) return;
  done_ = true;
  queue_.WakeAll();
}

void DataWait::OnGone() {
  done_ = true;
  queue_.WakeAll();
}

}  // namespace meridian::queue
