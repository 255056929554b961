#include "queue/engine/partition.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"

namespace meridian::queue {

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
