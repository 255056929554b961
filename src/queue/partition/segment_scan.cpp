#include "queue/partition/segment_scan.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/partition/heavy_work.hpp"
#include "queue/partition/limits.hpp"
#include "queue/partition/segment.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

using wire::kafka::BatchHeader;
using wire::kafka::kBatchHeaderBytes;

std::optional<int32_t> EpochAt(const std::vector<LeaderEpochStart>& starts, int64_t base_offset) {
  auto above = std::ranges::upper_bound(starts, base_offset, {}, &LeaderEpochStart::start_offset);
  if (above == starts.begin()) return std::nullopt;
  return std::prev(above)->epoch;
}

Duration SegmentScan::TimeOf(size_t bytes) const {
  const auto seconds = std::chrono::duration<double>(
      static_cast<double>(bytes) / static_cast<double>(options_.bytes_per_second));
  return std::chrono::duration_cast<Duration>(seconds);
}

// The bytes at `position`, at least so many unless the file ends or cannot be read.
io::Task<Result<Bytes>> SegmentScan::At(uint64_t position, size_t bytes) {
  bytes = std::min<uint64_t>(bytes, end() - std::min(end(), position));
  const bool has =
      position >= block_position_ && position + bytes <= block_position_ + block_.size();
  if (!has && options_.file != nullptr) {
    block_.resize(std::min<uint64_t>(std::max(bytes, kCheckBlockBytes), end() - position));
    block_position_ = position;
    Result<size_t> got = co_await options_.file->ReadAt(position, block_);
    if (!got && got.error().code == Errc::kCancelled) co_return Fail(got.error());
    // A bad sector of the disk: the bytes before it may be read in smaller pieces.
    if (!got && block_.size() > bytes) {
      block_.resize(bytes);
      got = co_await options_.file->ReadAt(position, block_);
    }
    if (!got) read_problem_ = got.error().message;
    block_.resize(got.value_or(0));
    read_bytes_ += block_.size();
    Result<void> slept = co_await io::Sleep(TimeOf(block_.size()));
    if (!slept) co_return Fail(slept.error());
  }
  if (position < block_position_ || position > block_position_ + block_.size()) co_return Bytes();
  co_return Bytes(block_).subspan(position - block_position_);
}

io::Task<Result<SegmentScan::Judged>> SegmentScan::Judge(uint64_t position, int64_t min_offset) {
  Judged judged;
  auto bytes = co_await At(position, kBatchHeaderBytes);
  if (!bytes) co_return Fail(bytes.error());
  auto header = wire::kafka::ReadBatchHeader(*bytes);
  if (!header) {
    judged.problem = read_problem_.empty() ? header.error().message : read_problem_;
    co_return judged;
  }
  if (header->bytes > std::min<uint64_t>(end() - position, kMaxCheckedBatchBytes)) {
    judged.problem = fmt::format("a batch of {} bytes does not end in the segment", header->bytes);
    co_return judged;
  }
  judged.claimed_end = position + header->bytes;
  bytes = co_await At(position, header->bytes);
  if (!bytes) co_return Fail(bytes.error());
  const Bytes batch = bytes->first(std::min(bytes->size(), header->bytes));
  Result<BatchHeader> checked = Fail(Errc::kCancelled, "cancelled");
  if (batch.size() < kHeavyBatchBytes) {
    checked = wire::kafka::CheckStoredBatch(batch);
  } else {
    auto ran = co_await heavy_work_.Run([&] { checked = wire::kafka::CheckStoredBatch(batch); });
    if (!ran) co_return Fail(ran.error());
  }
  if (!checked) {
    judged.problem = checked.error().message;
    co_return judged;
  }
  const std::optional<int32_t> epoch = EpochAt(options_.epochs, header->base_offset);
  if (header->base_offset < options_.known.base_offset ||
      header->next_offset() > options_.known.end_offset) {
    judged.problem = fmt::format("offset {} is not of this segment", header->base_offset);
  } else if (epoch && *epoch != header->leader_epoch) {
    judged.problem = fmt::format("leader epoch {} in place of {}", header->leader_epoch, *epoch);
  } else if (header->base_offset < min_offset) {
    judged.problem = fmt::format("offset {} in place of {}", header->base_offset, min_offset);
    judged.overlaps = true;
  } else {
    judged.batch = *header;
  }
  co_return judged;
}

// Where in the window a batch may begin that has a higher offset.
std::optional<size_t> SegmentScan::Candidate(Bytes window, int64_t min_offset) const {
  constexpr size_t kMagicPosition = 16;
  for (size_t i = 0; i + kBatchHeaderBytes <= window.size(); ++i) {
    if (window[i + kMagicPosition] != 2) continue;
    const auto offset = static_cast<int64_t>(ByteReader(window.subspan(i)).U64());
    if (offset >= min_offset && offset < options_.known.end_offset) return i;
  }
  return std::nullopt;
}

// The first valid batch behind bad bytes, or the end.
io::Task<Result<uint64_t>> SegmentScan::FindNext(uint64_t from, std::optional<uint64_t> claimed,
                                                 int64_t min_offset) {
  if (claimed == end()) co_return end();
  if (claimed) {
    auto judged = co_await Judge(*claimed, min_offset);
    if (!judged) co_return Fail(judged.error());
    if (judged->batch) co_return *claimed;
  }
  constexpr size_t kWindowBytes = kCheckBlockBytes / 4;
  while (from + kBatchHeaderBytes <= end()) {
    auto window = co_await At(from, kWindowBytes);
    if (!window) co_return Fail(window.error());
    // What cannot be read, or is not there.
    if (window->size() < kBatchHeaderBytes) co_return end();
    const std::optional<size_t> found = Candidate(*window, min_offset);
    if (!found) {
      from += window->size() - kBatchHeaderBytes + 1;
      continue;
    }
    from += *found;
    auto judged = co_await Judge(from, min_offset);
    if (!judged) co_return Fail(judged.error());
    if (judged->batch) co_return from;
    ++from;
  }
  co_return end();
}

io::Task<Result<void>> SegmentScan::AddBad(BadBatches bad) {
  bad.next_offset = options_.known.end_offset;
  if (bad.end_position < end()) {
    auto next = co_await At(bad.end_position, kBatchHeaderBytes);
    if (!next) co_return Fail(next.error());
    auto header = wire::kafka::ReadBatchHeader(*next);
    if (header) bad.next_offset = header->base_offset;
  }
  bad_.push_back(std::move(bad));
  co_return Result<void>{};
}

io::Task<Result<std::vector<BadBatches>>> SegmentScan::Run() {
  // The batch before, which may be the wrong one of two that overlap.
  uint64_t before = 0;
  int64_t before_min_offset = options_.known.base_offset;
  uint64_t position = 0;
  int64_t next_offset = options_.known.base_offset;
  while (position < end()) {
    auto judged = co_await Judge(position, next_offset);
    if (!judged) co_return Fail(judged.error());
    if (judged->batch) {
      before = std::exchange(position, *judged->claimed_end);
      before_min_offset = std::exchange(next_offset, judged->batch->next_offset());
      continue;
    }
    BadBatches bad{.position = position, .begin_offset = next_offset, .problem = judged->problem};
    const bool both = judged->overlaps && before < position;
    if (both) {
      bad.position = before;
      bad.begin_offset = before_min_offset;
    }
    Result<uint64_t> next = end();
    if (bad_.size() + 1 < kMaxBadPlaces && options_.file != nullptr) {
      next = co_await FindNext(position + 1, judged->claimed_end,
                               both ? before_min_offset : next_offset);
    }
    if (!next) co_return Fail(next.error());
    bad.end_position = *next;
    if (auto added = co_await AddBad(std::move(bad)); !added) co_return Fail(added.error());
    before = position = *next;
    before_min_offset = next_offset = bad_.back().next_offset;
  }
  co_return std::move(bad_);
}

}  // namespace meridian::queue
