#include "watch/copies/log_copy.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <sys/types.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/fiber.hpp"
#include "io/file/file.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "watch/copies/copy_frame.hpp"
#include "watch/copies/copy_position.hpp"
#include "watch/copies/limits.hpp"
#include "watch/limits.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/log_store.hpp"
#include "watch/log/overlap.hpp"
#include "watch/log/remote/limits.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/segment/log_files.hpp"

namespace meridian::watch {
namespace {

constexpr mode_t kPositionMode = 0600;
constexpr size_t kMaxPositionBytes = 4096;

}  // namespace

LogCopy::LogCopy(LogCopyOptions options, io::Loop& loop, io::BlockingPool& pool, LogFiles& files)
    : options_(std::move(options)), loop_(loop), pool_(pool), files_(files) {}

LogCopy::~LogCopy() = default;

std::string LogCopy::PositionFile() const { return options_.folder / "position"; }

LogCopyStatus LogCopy::status() const {
  LogCopyStatus status{.connected = connected_,
                       .entries = entries_,
                       .gaps = gaps_,
                       .until = until_,
                       .problem = open_problem_};
  if (store_) {
    const LogStoreStatus store = store_->status();
    status.bytes = store.bytes;
    if (status.problem.empty()) status.problem = store.problem;
  }
  const bool is_missing =
      !connected_ && loop_.Now() >= SaturatingAdd(disconnected_at_, options_.missing_after);
  if (status.problem.empty() && is_missing) status.problem = connection_problem_.text();
  return status;
}

io::Task<void> LogCopy::Run() {
  while (!co_await Open()) {
    if (!co_await io::Sleep(kOpenRetryInterval)) co_return;
  }
  io::Scope storing(loop_);
  storing.Spawn(store_->Run());
  const bool restored = co_await Restore();
  if (restored) co_await Follow();
  storing.Cancel();
  co_await storing.Join();
  // Else the next start goes on from the position that is there.
  if (restored && !HasLost()) co_await WritePosition(Position(store_->synced_sequence()));
}

// --- The start

io::Task<Result<void>> LogCopy::Open() {
  Result<void> opened = co_await io::RunBlocking(pool_, [this] {
    Result<void> made;
    for (const auto& each :
         {options_.folder.parent_path(), options_.folder, options_.folder / "log"}) {
      if (made) made = io::EnsurePrivateFolder(each.string());
    }
    return made;
  });
  if (opened) {
    auto store = co_await LogStore::Open(
        {.folder = options_.folder / "log", .max_bytes = options_.max_bytes}, loop_, pool_, files_);
    if (store) store_ = std::move(*store);
    if (!store) opened = Fail(std::move(store.error()));
  }
  if (!opened && open_problem_ != opened.error().message) {
    LOG_ERROR("the copy of another data center's lines cannot be opened",
              {"datacenter", options_.data_center}, {"problem", opened.error().message});
  }
  open_problem_ = opened ? "" : opened.error().message;
  co_return opened;
}

// An error that says that there is no good position, or kCancelled. What cannot be read for a
// moment is read again: a new position in its place would send all lines twice.
io::Task<Result<std::string>> LogCopy::ReadPosition() {
  while (true) {
    auto text = co_await io::RunBlocking(
        pool_, [this] { return io::ReadFile(PositionFile(), kMaxPositionBytes); });
    if (text || text.error().code == Errc::kNotFound || text.error().code == Errc::kTooLarge) {
      position_problem_.OnSolved();
      open_problem_.clear();
      co_return text;
    }
    open_problem_ = fmt::format("the position cannot be read: {}", text.error().message);
    if (position_problem_.OnProblem(text.error().message, loop_.Now())) {
      LOG_WARNING("the position in another data center's lines cannot be read now",
                  {"file", PositionFile()}, {"problem", text.error().message});
    }
    if (!co_await io::Sleep(kCopyPositionRetry)) co_return Fail(Errc::kCancelled, "it is stopped");
  }
}

io::Task<bool> LogCopy::Restore() {
  auto text = co_await ReadPosition();
  if (!text && text.error().code == Errc::kCancelled) co_return false;
  auto kept = text ? ReadCopyPosition(*text) : Fail(text.error());
  if (!kept) {
    if (kept.error().code != Errc::kNotFound) {
      LOG_WARNING("the position in another data center's lines is lost; some are stored twice",
                  {"file", PositionFile()}, {"problem", kept.error().message});
    }
    // Before a line is taken: after kill -9 it says behind what lines may come again.
    co_await WritePosition({.sequence = store_->end_sequence()});
    written_at_ = TimePoint::min();
    co_return true;
  }
  written_ = *kept;
  cursor_ = kept->cursor;
  until_ = kept->until;
  co_await RememberOverlap(kept->sequence);
  co_return true;
}

io::Task<void> LogCopy::RememberOverlap(uint64_t sequence) {
  LogQuery query{.order = LogOrder::kArrival, .limit = kMaxPageEntries};
  if (sequence > 0) query.after = PositionOf({}, sequence - 1, LogOrder::kArrival);
  stored_.Clear();
  stored_from_ = sequence;
  bool fits = true;
  while (fits) {
    auto page = co_await store_->Search(query, loop_.After(kSearchTimeout));
    if (!page && page.error().code == Errc::kCancelled) co_return;
    if (!page) break;
    for (const LogEntry& entry : page->entries) fits = fits && stored_.Add(EntryHash(entry));
    if (!page->next) {
      if (stored_.size() == 0) stored_from_.reset();
      co_return;
    }
    query.after = page->next;
  }
  LOG_WARNING("not all copied lines behind the last position are known; some are stored twice",
              {"datacenter", options_.data_center}, {"known", stored_.size()});
}

bool LogCopy::HasLost() const { return store_->status().lost > known_loss_; }

// Goes back to the last written position, which is before the lost lines. The lines behind it that
// the store still has are left out when they come again.
io::Task<void> LogCopy::GoBack() {
  known_loss_ = store_->status().lost;
  LOG_WARNING("the disk has lost copied lines, which are copied again",
              {"datacenter", options_.data_center}, {"lost", known_loss_});
  checkpoint_.reset();
  cursor_ = written_.cursor;
  until_ = written_.until;
  co_await RememberOverlap(written_.sequence);
}

// --- Copying

io::Task<void> LogCopy::Follow() {
  disconnected_at_ = loop_.Now();
  while (true) {
    Result<void> ended = co_await Exchange();
    if (connected_) disconnected_at_ = loop_.Now();
    connected_ = false;
    if (ended.error().code == Errc::kCancelled) co_return;
    if (connection_problem_.OnProblem(ended.error().message, loop_.Now())) {
      LOG_WARNING("another data center's lines are not copied now",
                  {"datacenter", options_.data_center}, {"problem", ended.error().message});
    }
    if (!co_await io::Sleep(kCopyRetry)) co_return;
  }
}

// Never succeeds: why the connection ended.
io::Task<Result<void>> LogCopy::Exchange() {
  if (HasLost()) {
    Result<void> room = co_await AwaitRoom();
    if (!room) co_return room;
    co_await GoBack();
  }
  auto dialled = co_await options_.dial(loop_.After(kCopyDialTimeout));
  if (!dialled) co_return Fail(std::move(dialled.error()));
  io::Stream& stream = **dialled;
  const std::string request = EncodeCopyRequest(
      {.from = cursor_, .max_bytes = options_.max_bytes, .data_center = options_.here});
  Result<void> sent = co_await stream.Write(AsBytes(request), loop_.After(kCopySilence));
  if (!sent) co_return Fail(std::move(sent.error()));
  Buffer in(kMaxPageMessageBytes + kCopyFrameHeadBytes);
  TimePoint silent = loop_.After(kCopySilence);
  while (true) {
    auto frame = TakeCopyFrame(in);
    if (!frame) co_return Fail(std::move(frame.error()));
    if (*frame) {
      // Before it is taken: of a frame that was taken in part, a part would be stored twice.
      Result<void> taken = co_await AwaitRoom();
      if (taken && HasLost()) taken = Fail(Errc::kIo, "the disk of the copy has lost lines");
      if (taken) taken = Take(std::move(**frame));
      if (!taken) co_return taken;
      co_await KeepPosition();
      const uint8_t byte = kCopyTaken;
      sent = co_await stream.Write(Bytes(&byte, 1), loop_.After(kCopySilence));
      if (!sent) co_return Fail(std::move(sent.error()));
      in.ReleaseIfEmpty();
      silent = loop_.After(kCopySilence);
      continue;
    }
    auto got = co_await stream.Read(in.Prepare(kCopyReadBytes), silent);
    if (!got) co_return Fail(std::move(got.error()));
    if (*got == 0) co_return Fail(Errc::kClosed, "it closed the connection");
    in.Commit(*got);
    // A large frame on a short link comes slowly.
    silent = loop_.After(kCopySilence);
  }
}

Result<void> LogCopy::Take(CopyFrame frame) {
  LogTime last = until_;
  for (LogEntry& entry : frame.page.entries) {
    // What a store says of itself has none.
    if (entry.origin.dc.empty()) entry.origin.dc = options_.data_center;
    if (entry.origin.dc != options_.data_center) {
      return Fail(Errc::kInvalid, "it sends lines of another data center");
    }
    last = std::max(last, entry.arrival);
  }
  NoteProcess(frame);
  if (frame.gap) {
    Result<void> told = StoreGap();
    if (!told) return told;
  }
  for (LogEntry& entry : frame.page.entries) {
    const uint64_t hash = EntryHash(entry);
    recent_.push_back({.sequence = entry.sequence, .hash = hash});
    if (recent_.size() > kMaxRecentCopies) recent_.pop_front();
    if (stored_.Take(hash) || returning_.Take(hash)) continue;
    Result<void> stored = Store(std::move(entry));
    if (!stored) return stored;
    ++entries_;
  }
  const bool only_urgent = frame.cursor.rest == cursor_.rest && !frame.current;
  cursor_ = frame.cursor;
  if (frame.current) {
    // Also the lines whose time is of a clock that is ahead. Not up to now: the frame may have been
    // on its way for long, or have waited for the disk.
    until_ = std::max(until_, std::min(frame.searched, ToLogTime(loop_.Wall())));
    stored_.Clear();
  } else if (!only_urgent) {
    until_ = std::min(last, ToLogTime(loop_.Wall()));
  }
  if (stored_.size() == 0) stored_from_.reset();
  if (!connected_) {
    connected_ = true;
    if (connection_problem_.OnSolved()) {
      LOG_INFO("another data center's lines are copied again",
               {"datacenter", options_.data_center});
    }
  }
  return {};
}

Result<void> LogCopy::Store(LogEntry entry) {
  if (store_->Add(std::move(entry))) return {};
  return Fail(Errc::kUnavailable, "the disk of the copy is too slow");
}

// Where they are missing: behind what is whole.
Result<void> LogCopy::StoreGap() {
  ++gaps_;
  const LogTime now = ToLogTime(loop_.Wall());
  LogEntry entry{.origin = {.dc = options_.data_center, .tier = "watch"},
                 .time = until_ == LogTime{} ? now : until_,
                 .arrival = now,
                 .severity = Severity::kWarning};
  entry.marks.Set(EntryMark::kDropped);
  entry.text =
      fmt::format("lines may be missing: they were gone before {} could copy them", options_.here);
  return Store(std::move(entry));
}

void LogCopy::NoteProcess(const CopyFrame& frame) {
  if (loop_.Now() >= return_end_) {
    returning_.Clear();
    return_end_ = kNever;
  }
  if (frame.first == process_) return;
  if (process_ != 0) {
    for (const Recent& each : recent_) {
      const bool is_lost = each.sequence >= frame.kept && each.sequence < frame.first;
      if (is_lost) (void)returning_.Add(each.hash);
    }
    return_end_ = loop_.After(kReturnTime);
  }
  process_ = frame.first;
}

// Nothing is acknowledged while the disk does not keep up or fails, so the other side waits.
io::Task<Result<void>> LogCopy::AwaitRoom() {
  while (!store_->has_room()) {
    Result<void> slept = co_await io::Sleep(kCopyRoomInterval);
    if (!slept) co_return slept;
  }
  co_return Result<void>{};
}

// `end`: of the entries that the store has synced, with the cursor behind them.
CopyPosition LogCopy::Position(uint64_t end) const {
  return {.sequence = stored_from_.value_or(end), .cursor = cursor_, .until = until_};
}

io::Task<void> LogCopy::KeepPosition() {
  if (HasLost()) co_return;
  if (!checkpoint_) {
    const bool has_new = cursor_ != written_.cursor;
    if (!has_new && until_ == written_.until) co_return;
    const Duration interval = has_new ? kCopyPositionInterval : kCopyIdlePositionInterval;
    const bool is_first = written_at_ == TimePoint::min();
    if (!is_first && loop_.Now() < written_at_ + interval) co_return;
    const uint64_t end = store_->end_sequence();
    checkpoint_ = Checkpoint{.position = Position(end), .end = end};
  }
  if (store_->synced_sequence() < checkpoint_->end) co_return;
  co_await WritePosition(checkpoint_->position);
  checkpoint_.reset();
}

io::Task<void> LogCopy::WritePosition(CopyPosition position) {
  written_at_ = loop_.Now();
  const std::string text = EncodeCopyPosition(position);
  Result<void> kept = co_await io::RunBlocking(pool_, [this, &text] {
    return io::WriteFileAtomically(PositionFile(), text, kPositionMode);
  });
  if (kept) {
    written_ = position;
    position_problem_.OnSolved();
  } else if (position_problem_.OnProblem(kept.error().message, loop_.Now())) {
    LOG_WARNING("the position in another data center's lines cannot be kept",
                {"file", PositionFile()}, {"problem", kept.error().message});
  }
}

}  // namespace meridian::watch
