// LogCopy: the lines of another data center, copied from its watch tier into a store of their own
// (copies/copy_frame.hpp), so that they can be searched when that data center is lost. Owned by
// Copies; one thread: the loop's; files are on the pool.
//
// A line comes as soon as the other tier has it. Each is stored once: the position is written when
// the entries before it are synced, and a start leaves out those behind it that are in the store
// (Overlap). While the disk fails nothing is taken; what the store has lost is copied again, from
// the position that was written last. What the other tier had not written when it was killed stays
// in the copy, and is left out if it comes again. (If both are killed at the same time, or
// the other is killed again before this one has heard from it, that is stored twice.) After a
// longer time without a connection only what the copy's quota holds is sent. Where lines are
// missing that the other side no longer has, or cannot read, an entry says so. A data center can
// only send lines of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "watch/copies/copy_frame.hpp"
#include "watch/copies/copy_position.hpp"
#include "watch/copies/limits.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/log_store.hpp"
#include "watch/log/overlap.hpp"
#include "watch/log/segment/log_files.hpp"

namespace meridian::watch {

struct LogCopyOptions {
  std::string here;
  std::string data_center;       // whose lines are copied
  std::filesystem::path folder;  // is made with its parent, without rights for others
  uint64_t max_bytes = uint64_t{512} * 1024 * 1024;
  Duration missing_after = kCopyMissing;
  // Opens a connection to the other tier.
  std::function<io::Task<Result<std::unique_ptr<io::Stream>>>(TimePoint deadline)> dial;
};

struct LogCopyStatus {
  bool connected = false;
  uint64_t entries = 0;  // copied since the start
  uint64_t gaps = 0;     // lines that were gone before they could be copied, since the start
  uint64_t bytes = 0;    // of all files
  // All lines up to this time of the other side are in the copy; 1970: none were copied yet.
  LogTime until;
  std::string problem;  // of the store, or of a connection that is missing; empty: none
};

class LogCopy {
 public:
  LogCopy(LogCopyOptions options, io::Loop& loop, io::BlockingPool& pool, LogFiles& files);
  ~LogCopy();

  // Copies until its fiber is cancelled; then closes the store.
  io::Task<void> Run();

  const std::string& data_center() const { return options_.data_center; }
  // Null: it is not open.
  LogStore* store() { return store_.get(); }
  LogCopyStatus status() const;

 private:
  io::Task<Result<void>> Open();
  // False: it was cancelled before the position was known.
  io::Task<bool> Restore();
  io::Task<Result<std::string>> ReadPosition();
  io::Task<void> RememberOverlap(uint64_t sequence);
  // Whether the store has lost entries since the position was written or gone back to.
  bool HasLost() const;
  io::Task<void> GoBack();
  io::Task<void> Follow();
  io::Task<Result<void>> Exchange();
  Result<void> Take(CopyFrame frame);
  Result<void> Store(LogEntry entry);
  Result<void> StoreGap();
  // At the first frame of another process: which entries its store has lost.
  void NoteProcess(const CopyFrame& frame);
  io::Task<Result<void>> AwaitRoom();
  CopyPosition Position(uint64_t end) const;
  io::Task<void> KeepPosition();
  io::Task<void> WritePosition(CopyPosition position);
  std::string PositionFile() const;

  LogCopyOptions options_;
  io::Loop& loop_;
  io::BlockingPool& pool_;
  LogFiles& files_;
  std::unique_ptr<LogStore> store_;
  struct Recent {
    uint64_t sequence = 0;  // the other data center's
    uint64_t hash = 0;
  };
  Overlap stored_;  // behind the position of the start
  // Of the first of them, until they have come again: a position says where they begin, so that a
  // further start knows them too.
  std::optional<uint64_t> stored_from_;
  uint64_t known_loss_ = 0;  // entries that the store has lost, and that are copied again
  Overlap returning_;        // lost by the other store, so they may come again
  TimePoint return_end_ = kNever;
  std::deque<Recent> recent_;
  uint64_t process_ = 0;  // the first sequence of the process that sends; 0: none has
  CopyCursor cursor_;
  LogTime until_;
  bool connected_ = false;
  TimePoint disconnected_at_ = TimePoint::min();
  uint64_t entries_ = 0;
  uint64_t gaps_ = 0;
  std::string open_problem_;
  RecurringProblem connection_problem_;
  RecurringProblem position_problem_;
  // Waits until the store has synced all below `end`.
  struct Checkpoint {
    CopyPosition position;
    uint64_t end = 0;
  };
  std::optional<Checkpoint> checkpoint_;
  CopyPosition written_;
  TimePoint written_at_ = TimePoint::min();
};

}  // namespace meridian::watch
