#include "watch/own_lines/own_lines.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <sys/types.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/fiber.hpp"
#include "io/file/file.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/lines/line_reader.hpp"
#include "watch/log/log_store.hpp"
#include "watch/log/overlap.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/own_lines/limits.hpp"
#include "watch/own_lines/log_trail.hpp"
#include "watch/own_lines/own_line.hpp"
#include "watch/own_lines/trail_file.hpp"
#include "watch/own_lines/trail_lines.hpp"
#include "watch/own_lines/trail_positions.hpp"

namespace meridian::watch {
namespace {

constexpr mode_t kPositionsMode = 0600;

}  // namespace

struct OwnLines::Followed {
  OwnSource source;
  std::string file;  // its name without the folder
  TrailLines lines;
  std::vector<ArrivedLine> arrived = {};
  uint64_t refused = 0;  // entries that the store did not take
  uint64_t reported = 0;
  RecurringProblem problem = {};
};

OwnLines::OwnLines(OwnLinesOptions options, io::Loop& loop, io::BlockingPool& pool)
    : options_(std::move(options)), loop_(loop), pool_(pool) {
  CHECK(options_.sources.size() <= kMaxOwnSources);
}

OwnLines::~OwnLines() = default;

io::Task<void> OwnLines::Run(LogStore& store) {
  io::Fiber& fiber = co_await io::ThisFiber{};
  if (!co_await Restore(store)) co_return;
  while (!fiber.cancelled()) {
    // A store that is behind or fails is waited for: the files keep the lines.
    Round round;
    if (store.has_room()) {
      if (HasLost(store)) co_await GoBack(store);
      round = co_await ReadRound(store);
    }
    co_await KeepPositions(store);
    if (round.has_more) continue;
    if (round.is_whole || overlap_.size() == 0 || loop_.Now() >= overlap_end_) EndOverlap();
    if (!co_await io::Sleep(kOwnLinesInterval)) co_return;
  }
}

io::Task<void> OwnLines::Finish(const LogStore& store) {
  // After a loss the next start goes on from the positions before it.
  if (followed_.empty() || HasLost(store)) co_return;
  co_await WritePositions(Current(store.synced_sequence()));
}

// --- The start

// An error that says that there are no good positions, or kCancelled. What cannot be read for a
// moment is read again: new positions in its place would make all lines come twice.
io::Task<Result<std::string>> OwnLines::ReadKept() {
  while (true) {
    auto text = co_await io::RunBlocking(
        pool_, [this] { return io::ReadFile(options_.positions, kMaxPositionsBytes); });
    if (text || text.error().code == Errc::kNotFound || text.error().code == Errc::kTooLarge) {
      position_problem_.OnSolved();
      co_return text;
    }
    if (position_problem_.OnProblem(text.error().message, loop_.Now())) {
      LOG_WARNING("the positions in the log files cannot be read now", {"file", options_.positions},
                  {"problem", text.error().message});
    }
    if (!co_await io::Sleep(kPositionsRetry)) co_return Fail(Errc::kCancelled, "it is stopped");
  }
}

io::Task<bool> OwnLines::Restore(LogStore& store) {
  auto text = co_await ReadKept();
  if (!text && text.error().code == Errc::kCancelled) co_return false;
  auto kept = text ? ReadPositions(*text) : Fail(text.error());
  if (!kept && kept.error().code != Errc::kNotFound) {
    LOG_WARNING("the positions in the log files are lost; some lines are stored twice",
                {"file", options_.positions}, {"problem", kept.error().message});
  }
  if (kept) {
    written_ = *kept;
    co_await RememberOverlap(store, kept->sequence);
  } else {
    // Before a line is read: after kill -9 it says behind what lines may come again.
    co_await WritePositions({.sequence = store.end_sequence()});
  }
  Begin();
  co_return true;
}

void OwnLines::Begin() {
  followed_.clear();
  for (const OwnSource& source : options_.sources) {
    std::string file = std::filesystem::path(source.path).filename();
    auto position = written_.files.find(file);
    std::optional<TrailPosition> start;
    if (position != written_.files.end()) start = position->second;
    followed_.push_back(std::make_unique<Followed>(
        Followed{.source = source,
                 .file = std::move(file),
                 .lines = TrailLines(source.limits, start, source.skips_output)}));
  }
}

bool OwnLines::HasLost(const LogStore& store) const { return store.status().lost > known_loss_; }

io::Task<void> OwnLines::GoBack(LogStore& store) {
  known_loss_ = store.status().lost;
  checkpoint_.reset();
  co_await RememberOverlap(store, written_.sequence);
  Begin();
}

void OwnLines::EndOverlap() {
  overlap_.Clear();
  overlap_from_.reset();
  overlap_end_ = kNever;
}

io::Task<void> OwnLines::RememberOverlap(LogStore& store, uint64_t sequence) {
  overlap_.Clear();
  overlap_from_ = sequence;
  overlap_end_ = loop_.After(kMaxOverlapTime);
  LogQuery query{.order = LogOrder::kArrival, .limit = kMaxPageEntries};
  query.origin.dc = options_.data_center;
  if (sequence > 0) query.after = PositionOf({}, sequence - 1, LogOrder::kArrival);
  const TimePoint deadline = loop_.After(kOverlapTimeout);
  bool fits = true;
  while (fits && loop_.Now() < deadline) {
    auto page = co_await store.Search(query, deadline);
    if (!page && page.error().code == Errc::kCancelled) co_return;
    if (!page) {
      // Others search: later.
      if (!co_await io::Sleep(kOwnLinesInterval)) co_return;
      continue;
    }
    for (const LogEntry& entry : page->entries) {
      const bool own = entry.origin.tier != "app" && entry.origin.tier != "worker";
      // An entry about drops is of no line.
      const bool is_line = own && !entry.marks.Has(EntryMark::kDropped);
      fits = fits && (!is_line || overlap_.Add(LineHash(entry)));
    }
    if (!page->next) co_return;
    query.after = page->next;
  }
  LOG_WARNING("not all lines behind the last positions are known; some are stored twice",
              {"known", overlap_.size()});
}

// --- Reading

io::Task<OwnLines::Round> OwnLines::ReadRound(LogStore& store) {
  struct Wanted {
    const std::string& path;
    const std::optional<TrailPosition>& position;
  };
  std::vector<Wanted> wanted;
  for (const auto& each : followed_) wanted.push_back({each->source.path, each->lines.next()});
  const WallTime now = loop_.Wall();
  auto reads = co_await io::RunBlocking(pool_, [&wanted, now] {
    std::vector<Result<std::optional<TrailRead>>> all;
    all.reserve(wanted.size());
    for (const Wanted& each : wanted) all.push_back(ReadTrail(each.path, each.position, now));
    return all;
  });
  const uint64_t before = counts_.bytes;
  counts_.unread_bytes = 0;
  ++counts_.rounds;
  for (size_t i = 0; i < followed_.size(); ++i) OnRead(*followed_[i], reads[i], store);
  const bool all_read = std::ranges::all_of(reads, [](const auto& read) { return bool{read}; });
  const bool holds =
      std::ranges::any_of(followed_, [](const auto& each) { return each->lines.holds(); });
  co_return Round{.has_more = counts_.unread_bytes > 0 && counts_.bytes > before,
                  .is_whole = all_read && counts_.unread_bytes == 0 && !holds};
}

void OwnLines::OnRead(Followed& source, Result<std::optional<TrailRead>>& read, LogStore& store) {
  const Arrival at{loop_.Now(), loop_.Wall()};
  const uint64_t dropped_lines = source.lines.dropped_lines();
  const uint64_t dropped_bytes = source.lines.dropped_bytes();
  if (!read) {
    if (source.problem.OnProblem(read.error().message, at.now)) {
      LOG_WARNING("a log file cannot be read", {"file", source.source.path},
                  {"problem", read.error().message});
    }
  } else {
    source.problem.OnSolved();
  }
  if (read && *read) {
    if ((*read)->step.gap) {
      ++counts_.gaps;
      LogEntry entry{.severity = Severity::kWarning};
      entry.time = entry.arrival = ToLogTime(at.wall);
      entry.marks.Set(EntryMark::kDropped);
      entry.text = "lines may be missing: their file was removed or emptied before it was read";
      Store(source, std::move(entry), store);
    }
    const uint64_t offset = (*read)->position.offset;
    source.lines.Take(**read, at, &source.arrived);
    const uint64_t taken = source.lines.next()->offset - offset;
    counts_.bytes += taken;
    counts_.unread_bytes += (*read)->unread_bytes + ((*read)->bytes.size() - taken);
  }
  source.lines.Expire(at, &source.arrived);
  Deliver(source, store);
  counts_.dropped_lines += source.lines.dropped_lines() - dropped_lines;
  counts_.dropped_bytes += source.lines.dropped_bytes() - dropped_bytes;
}

void OwnLines::Deliver(Followed& source, LogStore& store) {
  const LogTime now = ToLogTime(loop_.Wall());
  for (ArrivedLine& arrived : source.arrived) {
    LogLine& line = arrived.line;
    LogEntry entry{.time = line.time.value_or(arrived.arrival),
                   // Equal times: the line has none (Overlap).
                   .arrival = line.time ? now : arrived.arrival,
                   .severity = line.severity,
                   .marks = line.marks,
                   .trace_id = std::move(line.trace_id),
                   .text = std::move(line.text),
                   .fields = std::move(line.fields)};
    entry.origin.tier = TakeProcess(source.source.processes, &entry.fields);
    Store(source, std::move(entry), store);
  }
  source.arrived.clear();
}

void OwnLines::Store(Followed& source, LogEntry entry, LogStore& store) {
  entry.origin.dc = options_.data_center;
  entry.origin.host = options_.host;
  entry.origin.name = source.source.name;
  if (entry.origin.tier.empty()) entry.origin.tier = source.source.tier;
  if (!entry.marks.Has(EntryMark::kDropped) && overlap_.Take(LineHash(entry))) return;
  if (source.refused > source.reported) {
    LogEntry note{.origin = entry.origin, .severity = Severity::kWarning};
    note.time = note.arrival = ToLogTime(loop_.Wall());
    note.marks.Set(EntryMark::kDropped);
    note.text = fmt::format("{} entries dropped: the disk of the log store is too slow",
                            source.refused - source.reported);
    if (store.Add(std::move(note))) source.reported = source.refused;
  }
  if (!store.Add(std::move(entry))) ++source.refused;
}

// --- Positions

TrailPositions OwnLines::Current(uint64_t end) const {
  // Those of logs that are not followed at present (an access log) stay.
  TrailPositions positions{.sequence = overlap_from_.value_or(end), .files = written_.files};
  for (const auto& each : followed_) {
    if (each->lines.safe()) positions.files[each->file] = *each->lines.safe();
  }
  return positions;
}

io::Task<void> OwnLines::KeepPositions(const LogStore& store) {
  if (loop_.Now() < next_checkpoint_ || HasLost(store)) co_return;
  if (!checkpoint_) {
    const uint64_t end = store.end_sequence();
    TrailPositions current = Current(end);
    if (current.files == written_.files) co_return;
    checkpoint_ = Checkpoint{.positions = std::move(current), .end = end};
  }
  if (store.synced_sequence() < checkpoint_->end) co_return;
  next_checkpoint_ = loop_.After(kPositionInterval);
  co_await WritePositions(checkpoint_->positions);
  checkpoint_.reset();
}

io::Task<void> OwnLines::WritePositions(const TrailPositions& positions) {
  const std::string text = EncodePositions(positions);
  Result<void> kept = co_await io::RunBlocking(pool_, [this, &text] {
    return io::WriteFileAtomically(options_.positions, text, kPositionsMode);
  });
  if (kept) {
    written_ = positions;
    position_problem_.OnSolved();
  } else if (position_problem_.OnProblem(kept.error().message, loop_.Now())) {
    LOG_WARNING("the positions in the log files cannot be kept", {"file", options_.positions},
                {"problem", kept.error().message});
  }
}

}  // namespace meridian::watch
