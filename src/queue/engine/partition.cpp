#include "queue/engine/partition.hpp"

#include <algorithm>
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
  if (fenced_) {
    fenced_end_ = std::max(fenced_end_, next_offset);
    return;
  }
  if (!cuts_.empty()) next_offset = std::min(next_offset, std::ranges::min(cuts_));
  if (cuts_.empty()) CHECK(next_offset >= high_watermark_);
  high_watermark_ = std::max(high_watermark_, next_offset);
  committed_.WakeAll();
  for (DataWait* wait : data_waits_) wait->OnCommitted(bytes);
}

void Partition::MarkGone() {
  gone_ = true;
  committed_.WakeAll();
  for (DataWait* wait : data_waits_) wait->OnGone();
}

void Partition::BeginCut(int64_t offset) {
  cuts_.push_back(offset);
  ++cuts_begun_;
  high_watermark_ = std::min(high_watermark_, offset);
  committed_.WakeAll();
  for (DataWait* wait : data_waits_) wait->OnGone();
}

void Partition::Fence() {
  if (fenced_) return;
  fenced_ = true;
  fenced_end_ = high_watermark_;
  ++cuts_begun_;
  committed_.WakeAll();
}

void Partition::Unfence() {
  if (!fenced_) return;
  fenced_ = false;
  Commit(fenced_end_, 0);
}

void Partition::EndCut() { cuts_.erase(cuts_.begin()); }

io::Task<Result<void>> Partition::AwaitCommitted(int64_t offset, TimePoint deadline) {
  const uint64_t cuts = cuts_begun_;
  while (high_watermark_ < offset) {
    if (gone_) co_return Fail(Errc::kNotFound, "{} was deleted", name_);
    if (cuts != cuts_begun_) co_return Fail(Errc::kPermission, "the home of {} has moved", name_);
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
