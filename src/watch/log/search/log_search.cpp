#include "watch/log/search/log_search.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/index/token.hpp"
#include "watch/log/index/word_index.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/segment/block.hpp"
#include "watch/log/segment/log_files.hpp"
#include "watch/log/segment/segment.hpp"
#include "watch/log/segment/segment_format.hpp"
#include "watch/log/segment/segment_writer.hpp"

namespace meridian::watch {
namespace {

constexpr uint32_t kAllRuns = std::numeric_limits<uint32_t>::max();
static_assert(kRowsPerBlock < 32);
constexpr size_t kMaxOpenFiles = 8;

uint64_t SequenceOf(uint32_t segment, uint32_t line) { return uint64_t{segment} << 32 | line; }

// The last position that an entry of a block can have.
LogPosition LastPosition(const BlockRange& range, uint64_t end_sequence, LogOrder order) {
  switch (order) {
    case LogOrder::kNewestFirst:
      return PositionOf(range.min_time, 0, order);
    case LogOrder::kOldestFirst:
      return PositionOf(range.max_time, ~uint64_t{0}, order);
    case LogOrder::kArrival:
      return PositionOf({}, end_sequence, order);
  }
  return {};
}

}  // namespace

LogSearch::LogSearch(LogQuery query, LogView view)
    : query_(std::move(query)),
      view_(std::move(view)),
      filter_(query_),
      limit_(std::clamp<size_t>(query_.limit, 1, kMaxPageEntries)) {
  for (const std::string& term : query_.terms) {
    if (term.size() > longest_term_.size()) longest_term_ = term;
  }
  for (std::string& problem : view_.problems) AddProblem(std::move(problem), 0);
  page_.end_sequence = view_.end_sequence;
  AddSegments();
  AddOpenBlocks();
}

void LogSearch::AddSegments() {
  for (const auto& segment : view_.segments) {
    const SegmentTrailer& trailer = segment->trailer();
    if (trailer.range.lines == 0) continue;
    page_.kept_since = std::min(page_.kept_since.value_or(LogTime::max()), trailer.range.min_time);
    uint64_t first = SequenceOf(segment->number(), 0);
    uint64_t end = SequenceOf(segment->number(), trailer.end_line);
    if (!IsWanted(trailer.range, LastPosition(trailer.range, end, query_.order))) continue;
    candidates_.push(
        {.first = FirstPosition(trailer.range, first, query_.order), .segment = segment.get()});
  }
}

void LogSearch::AddOpenBlocks() {
  for (const LogView::OpenFile& open : view_.open_files) {
    sources_.push_back({.path = open.path, .number = open.number});
    for (const auto& block : open.blocks) {
      page_.kept_since =
          std::min(page_.kept_since.value_or(LogTime::max()), block->place.range.min_time);
      AddBlock(*block, sources_.size() - 1, kAllRuns);
    }
  }
  for (const auto& raw : view_.raw_blocks) {
    if (raw->range.lines == 0) continue;
    page_.kept_since = std::min(page_.kept_since.value_or(LogTime::max()), raw->range.min_time);
    uint64_t first = SequenceOf(raw->segment, raw->first_line);
    if (!IsWanted(raw->range, LastPosition(raw->range, first + raw->range.lines, query_.order)))
      continue;
    candidates_.push({.first = FirstPosition(raw->range, first, query_.order),
                      .raw = raw.get(),
                      .runs = kAllRuns});
  }
}

bool LogSearch::IsWanted(const BlockRange& range, LogPosition last) const {
  return filter_.MayMatch(range) && (!query_.after || last > *query_.after);
}

void LogSearch::AddBlock(const StoredBlock& block, size_t source, uint32_t runs) {
  const BlockPlace& place = block.place;
  uint32_t number = sources_[source].number;
  LogPosition last = LastPosition(place.range, SequenceOf(number, place.end_line()), query_.order);
  if (!IsWanted(place.range, last) || !filter_.MayMatch(block.bloom)) return;
  LogPosition first =
      FirstPosition(place.range, SequenceOf(number, place.first_line), query_.order);
  candidates_.push({.first = first, .source = source, .place = place, .runs = runs});
}

bool LogSearch::Step(const Clock& clock, TimePoint until) {
  while (!candidates_.empty()) {
    if (IsPast(candidates_.top().first)) break;
    Candidate candidate = candidates_.top();
    candidates_.pop();
    if (candidate.segment != nullptr) {
      Expand(*candidate.segment);
    } else {
      SearchBlock(candidate);
    }
    if (clock.Now() >= until && !candidates_.empty()) return false;
  }
  // What is left cannot come before what was found, but there may be more of it.
  may_have_more_ = !candidates_.empty();
  candidates_ = {};
  return true;
}

void LogSearch::Expand(const Segment& segment) {
  std::optional<std::vector<uint32_t>> runs = FindRuns(segment);
  // Most segments have no line with a rare word: the index alone says so, unless lines are missing.
  const SegmentTrailer& trailer = segment.trailer();
  if (runs && runs->empty() && trailer.end_line == trailer.range.lines) return;
  Result<std::vector<StoredBlock>> blocks = segment.ReadFooter();
  if (!blocks) {
    if (segment.removed()) return;
    return AddProblem(fmt::format("{}: {}", segment.paths().log, blocks.error().message),
                      trailer.range.lines);
  }
  size_t source = sources_.size();
  sources_.push_back({.path = segment.paths().log, .number = segment.number()});
  for (const auto& held : view_.segments) {
    if (held.get() == &segment) sources_.back().segment = held;
  }
  uint32_t next_line = 0;
  for (size_t i = 0; i < blocks->size(); ++i) {
    const BlockPlace& place = (*blocks)[i].place;
    if (place.first_line > next_line) {
      // It is known of the segment, and need not be on this page.
      AddProblem(fmt::format("{}: {} lines are missing", segment.paths().log,
                             place.first_line - next_line),
                 0);
    }
    next_line = place.end_line();
    uint32_t of_block = kAllRuns;
    if (runs) of_block = i < runs->size() ? (*runs)[i] : 0;
    if (of_block != 0) AddBlock((*blocks)[i], source, of_block);
  }
}

std::optional<std::vector<uint32_t>> LogSearch::FindRuns(const Segment& segment) {
  if (filter_.words().empty() || !segment.HasIndex()) return std::nullopt;
  Result<WordIndex> index = WordIndex::Open(segment.paths().words);
  if (!index) return std::nullopt;
  std::vector<uint32_t> rows;
  if (!index->Find(filter_.words(), &rows)) return std::nullopt;
  std::vector<uint32_t> runs;
  if (!rows.empty()) runs.resize(rows.back() / kRowsPerBlock + 1);
  for (uint32_t row : rows) runs[row / kRowsPerBlock] |= uint32_t{1} << (row % kRowsPerBlock);
  return runs;
}

void LogSearch::SearchBlock(const Candidate& candidate) {
  if (candidate.raw != nullptr) {
    Result<Block> block = Block::Decode(candidate.raw->raw);
    if (!block) return AddProblem(block.error().message, candidate.raw->range.lines);
    return SearchRows(*block, kAllRuns,
                      SequenceOf(candidate.raw->segment, candidate.raw->first_line));
  }
  Source& source = sources_[candidate.source];
  auto fail = [&](const Error& error) {
    if (source.segment && source.segment->removed()) return;
    AddProblem(fmt::format("{}: at {}: {}", source.path, candidate.place.offset, error.message),
               candidate.place.range.lines);
  };
  Result<int> fd = OpenSource(candidate.source);
  if (!fd) return fail(fd.error());
  Result<std::string_view> raw = reader_.Read(*fd, candidate.place);
  if (!raw) return fail(raw.error());
  Result<Block> block = Block::Decode(*raw);
  if (!block) return fail(block.error());
  SearchRows(*block, candidate.runs, SequenceOf(source.number, candidate.place.first_line));
}

Result<int> LogSearch::OpenSource(size_t number) {
  Source& source = sources_[number];
  if (source.fd) return source.fd.get();
  Result<io::Fd> fd = OpenLogFile(source.path, LogFileMode::kRead);
  if (!fd) return Fail(fd.error());
  if (open_sources_.size() == kMaxOpenFiles) {
    sources_[open_sources_.front()].fd.Reset();
    open_sources_.pop_front();
  }
  open_sources_.push_back(number);
  source.fd = std::move(*fd);
  return source.fd.get();
}

void LogSearch::SearchRows(const Block& block, uint32_t runs, uint64_t first_sequence) {
  std::vector<bool> origins = MatchingOrigins(query_, block);
  if (std::ranges::find(origins, true) == origins.end()) return;
  size_t rows = block.rows().size();
  if (runs == kAllRuns) return SearchTexts(block, 0, rows, first_sequence, origins);
  for (size_t run = 0; run * kLinesPerRow < rows; ++run) {
    if ((runs >> run & 1) == 0) continue;
    size_t first = run * kLinesPerRow;
    while (runs >> (run + 1) & 1) ++run;  // neighbours together
    SearchTexts(block, first, std::min((run + 1) * kLinesPerRow, rows), first_sequence, origins);
  }
}

// Looks for the longest term in all rows at once, and for the others in the rows that have it.
void LogSearch::SearchTexts(const Block& block, size_t first_row, size_t end_row,
                            uint64_t first_sequence, const std::vector<bool>& origins) {
  const std::vector<BlockRow>& rows = block.rows();
  if (first_row >= end_row) return;
  size_t begin = rows[first_row].begin;
  size_t end = rows[end_row - 1].begin + rows[end_row - 1].bytes;
  folded_.clear();
  if (!longest_term_.empty()) AppendFolded(folded_, block.texts().substr(begin, end - begin));
  for (size_t i = first_row; i < end_row; ++i) {
    if (!longest_term_.empty()) {
      size_t found = FindText(folded_, longest_term_, rows[i].begin - begin);
      if (found == std::string_view::npos) return;
      while (i + 1 < end_row && found >= rows[i + 1].begin - begin) ++i;
    }
    const BlockRow& row = rows[i];
    if (!MatchesFields(query_, block, row, origins)) continue;
    auto text = folded_.empty() ? std::string_view()
                                : std::string_view(folded_).substr(row.begin - begin, row.bytes);
    bool has_all = std::ranges::all_of(query_.terms, [&](const std::string& term) {
      return FindTerm(text, term, 0) != std::string_view::npos;
    });
    if (has_all) Offer(block, i, first_sequence + i);
  }
}

bool LogSearch::IsPast(LogPosition position) const {
  if (bound_ && position >= *bound_) return true;
  return found_.size() >= limit_ && found_.front().position < position;
}

void LogSearch::Offer(const Block& block, size_t row, uint64_t sequence) {
  LogPosition position = PositionOf(block.rows()[row].time, sequence, query_.order);
  if (query_.after && position <= *query_.after) return;
  if (IsPast(position)) {
    bound_ = std::min(bound_.value_or(position), position);
    return;
  }
  Found found{.position = position, .entry = block.Entry(row)};
  found.entry.sequence = sequence;
  found.bytes = block.rows()[row].bytes + sizeof(Found);
  found_bytes_ += found.bytes;
  found_.push_back(std::move(found));
  std::ranges::push_heap(found_, {}, &Found::position);
  while (found_.size() > limit_ || (found_bytes_ > kMaxPageBytes && found_.size() > 1)) {
    std::ranges::pop_heap(found_, {}, &Found::position);
    bound_ = found_.back().position;  // below the one before, for nothing past that was taken
    found_bytes_ -= found_.back().bytes;
    found_.pop_back();
  }
}

LogPage LogSearch::TakePage() {
  page_.timed_out = !candidates_.empty();
  std::ranges::sort_heap(found_, {}, &Found::position);
  bool has_more = bound_ || may_have_more_;
  if (page_.timed_out && (!bound_ || candidates_.top().first <= *bound_)) {
    // All before `first` was searched.
    LogPosition first = candidates_.top().first;
    std::erase_if(found_, [&](const Found& found) { return found.position >= first; });
    page_.next = first.tie > 0 ? LogPosition{first.rank, first.tie - 1}
                               : LogPosition{first.rank - 1, std::numeric_limits<uint64_t>::max()};
    // A block may begin before the place that was asked for.
    if (query_.after) page_.next = std::max(*page_.next, *query_.after);
  } else if (has_more && !found_.empty()) {
    page_.timed_out = false;
    page_.next = found_.back().position;
  }
  for (Found& found : found_) page_.entries.push_back(std::move(found.entry));
  return std::move(page_);
}

void LogSearch::AddProblem(std::string text, uint64_t lines) {
  page_.unread_lines += lines;
  if (page_.problems.size() < kMaxListedProblems) page_.problems.push_back(std::move(text));
}

}  // namespace meridian::watch
