// LogFiles at a start: which files count, which of their records are valid, what is cut off and
// what is reported.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "store/limits.hpp"
#include "store/log/log_files.hpp"
#include "store/log/segment.hpp"
#include "store/log/segment_index.hpp"

namespace meridian::store {

struct LogFiles::Candidate {
  std::string path;
  uint64_t begin_offset = 0;
  std::shared_ptr<io::File> file;
  uint64_t size = 0;
  std::optional<SegmentHeader> header;
};

io::Task<Result<void>> LogFiles::Open(Creation creation) {
  if (auto made = co_await disk_.MakeFolder(folder_); !made) co_return made;
  auto candidates = co_await FindCandidates();
  if (!candidates) co_return Fail(candidates.error());
  if (auto removed = co_await RemoveReplaced(*candidates); !removed) co_return removed;
  if (candidates->empty()) {
    co_return co_await Begin({.log_id = creation.id, .begin_offset = creation.begin_offset});
  }
  co_return co_await Load(*candidates);
}

io::Task<Result<std::vector<LogFiles::Candidate>>> LogFiles::FindCandidates() {
  auto names = co_await disk_.List(folder_);
  if (!names) co_return Fail(names.error());
  std::vector<Candidate> candidates;
  for (const std::string& name : *names) {
    std::optional<uint64_t> offset = ParseSegmentName(name);
    if (!offset) continue;
    Candidate candidate{.path = PathOf(*offset), .begin_offset = *offset};
    auto file = co_await disk_.Open(candidate.path, io::OpenMode::kWrite);
    if (!file) co_return Fail(file.error());
    candidate.file = std::move(*file);
    auto size = co_await candidate.file->Size();
    if (!size) co_return Fail(size.error());
    candidate.size = *size;
    std::vector<uint8_t> header(kSegmentHeaderBytes);
    auto got = co_await candidate.file->ReadAt(0, header);
    if (!got) co_return Fail(got.error());
    candidate.header = ParseSegmentHeader(Bytes(header).first(*got));
    candidates.push_back(std::move(candidate));
  }
  co_return candidates;
}

// Removes a last segment whose creation a crash has interrupted, and all that StartOver has
// replaced.
io::Task<Result<void>> LogFiles::RemoveReplaced(std::vector<Candidate>& candidates) {
  if (!candidates.empty() && !candidates.back().header &&
      candidates.back().size <= kSegmentHeaderBytes) {
    if (auto removed = co_await disk_.Remove(candidates.back().path); !removed) co_return removed;
    candidates.pop_back();
  }
  auto starts = std::ranges::find_if(candidates.rbegin(), candidates.rend(), [](const auto& one) {
    return one.header && one.header->starts_over;
  });
  if (starts == candidates.rend()) co_return Result<void>{};
  auto replaced = std::distance(starts, candidates.rend()) - 1;
  for (auto i = replaced; i > 0; --i) {
    if (auto removed = co_await disk_.Remove(candidates.front().path); !removed) co_return removed;
    candidates.erase(candidates.begin());
  }
  co_return Result<void>{};
}

Result<void> LogFiles::IdentifyLog(const std::vector<Candidate>& candidates) {
  const Candidate* known = nullptr;
  for (const Candidate& candidate : candidates) {
    if (!candidate.header) continue;
    if (candidate.header->begin_offset != candidate.begin_offset ||
        (known != nullptr && candidate.header->log_id != known->header->log_id)) {
      return Fail(Errc::kInvalid, "{} belongs to another log or offset", candidate.path);
    }
    known = &candidate;
  }
  // The files may not be a log at all: nothing is written to them.
  if (known == nullptr) {
    return Fail(Errc::kInvalid, "{}: no segment has a header that can be read", folder_);
  }
  id_ = known->header->log_id;
  return {};
}

io::Task<Result<void>> LogFiles::Load(std::vector<Candidate>& candidates) {
  if (auto one = IdentifyLog(candidates); !one) co_return one;
  for (size_t i = 0; i < candidates.size(); ++i) {
    Candidate& candidate = candidates[i];
    bool last = i + 1 == candidates.size();
    if (!segments_.empty() && candidate.begin_offset < end_offset()) {
      co_return Fail(Errc::kInvalid, "{} begins before the segment in front of it ends",
                     candidate.path);
    }
    std::vector<SegmentScan::Found> found;
    auto scan = co_await Scan(candidate, &found);
    if (!scan) co_return Fail(scan.error());
    if (!candidate.header && last && found.empty()) {
      co_return Fail(Errc::kInvalid, "{}: neither its header nor a record can be read",
                     candidate.path);
    }
    if (!candidate.header) {
      AddDamage({.path = candidate.path,
                 .end_position = kSegmentHeaderBytes,
                 .begin_offset = candidate.begin_offset,
                 .end_offset = candidate.begin_offset});
    }
    TakeSegment(candidate, *scan, std::move(found), last);
  }
  co_return co_await CutTail(segments_.back(), candidates.back().size);
}

io::Task<Result<SegmentScan>> LogFiles::Scan(Candidate& candidate,
                                             std::vector<SegmentScan::Found>* found) {
  SegmentScan scan(candidate.begin_offset, kSegmentHeaderBytes);
  std::vector<uint8_t> bytes;
  for (;;) {
    size_t have = bytes.size();
    uint64_t position = scan.position() + have;
    uint64_t wanted =
        std::min<uint64_t>(kScanChunkBytes, candidate.size - std::min(position, candidate.size));
    bytes.resize(have + wanted);
    auto got = co_await candidate.file->ReadAt(position, MutableBytes(bytes).subspan(have));
    if (!got) co_return Fail(got.error());
    bytes.resize(have + *got);
    bool at_end = *got < wanted || position + *got >= candidate.size;
    size_t done = scan.Feed(bytes, at_end);
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(done));
    std::ranges::move(scan.TakeFound(), std::back_inserter(*found));
    if (at_end) co_return scan;
  }
}

void LogFiles::AddDamage(DamagedRange range) {
  LOG_ERROR("log damaged: records are missing", {"file", range.path},
            {"begin_offset", range.begin_offset}, {"end_offset", range.end_offset},
            {"begin_byte", range.begin_position}, {"end_byte", range.end_position});
  recovery_.damaged.push_back(std::move(range));
}

void LogFiles::TakeSegment(const Candidate& candidate, const SegmentScan& scan,
                           std::vector<SegmentScan::Found> found, bool last) {
  if (!segments_.empty() && end_offset() < candidate.begin_offset) {
    // The offsets that the segment before it should have.
    AddDamage({.path = segments_.back().path,
               .begin_position = segments_.back().index.end_position(),
               .end_position = segments_.back().index.end_position(),
               .begin_offset = end_offset(),
               .end_offset = candidate.begin_offset});
  }
  size_t records = found.size();
  for (const Damage& damage : scan.damages()) {
    if (last && !damage.was_synced) {
      records = damage.records_before;
      break;
    }
    if (damage.records_before == found.size()) break;  // up to the next segment: reported with that
    AddDamage({.path = candidate.path,
               .begin_position = damage.begin_position,
               .end_position = damage.end_position,
               .begin_offset = damage.begin_offset,
               .end_offset = damage.end_offset});
  }
  found.resize(records);
  Segment segment{.path = candidate.path,
                  .index = SegmentIndex(candidate.begin_offset, kSegmentHeaderBytes)};
  for (const SegmentScan::Found& one : found) {
    segment.index.Add(one.record, one.position);
    newest_epoch_ = one.epoch;
  }
  newest_time_ = std::max(newest_time_, segment.index.newest());
  if (last) segment.file = candidate.file;
  ++recovery_.segments;
  recovery_.records += records;
  segments_.push_back(std::move(segment));
}

// Cuts off everything behind the last segment's last valid record, and syncs it: records that a
// crashed process has written may still be only in the kernel's memory.
io::Task<Result<void>> LogFiles::CutTail(Segment& segment, uint64_t size) {
  uint64_t end = segment.index.end_position();
  if (size > end) {
    recovery_.cut_bytes = size - end;
    LOG_INFO("log: cut off an unfinished write", {"file", segment.path},
             {"bytes", recovery_.cut_bytes}, {"end_offset", segment.index.end_offset()});
    if (auto cut = co_await segment.file->Truncate(end); !cut) co_return cut;
  }
  if (auto synced = co_await segment.file->Sync(); !synced) co_return synced;
  co_return co_await disk_.SyncFolder(folder_);
}

}  // namespace meridian::store
