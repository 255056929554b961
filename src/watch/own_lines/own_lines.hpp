// OwnLines: follows the log files of Meridian's own processes of this data center (tiers, agent,
// guard; in the lab also the lab's) into the log store. Files, and not pipes: a process that writes
// its log waits for nobody, and what is written while this tier is away is read later, as long as
// rotation leaves it. Owned by the tier; one thread: the loop's; files are read on the pool.
//
// EACH LINE ONCE. The positions of the files are written when all entries before them are synced in
// the store. A start goes on from there, and leaves out the lines that the store has already
// (Overlap). While the disk fails nothing is read; what the store has lost is read again, from the
// positions that were written last. Lines are stored twice after a loss of the positions' file (the
// last kFirstTrailBytes of each file), and past kMaxOverlapEntries. A line is lost when its file
// was removed or emptied before it was read (an entry says so), and past its quota (an entry says
// how many).
//
// NO LOOP. Lines of this tier's own log are read too. Nothing here writes a line for a line:
// problems are told as RecurringProblem does, drops are entries and not lines, and the tier's own
// log has a small quota.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "proc/intake_quota.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/log_store.hpp"
#include "watch/log/overlap.hpp"
#include "watch/own_lines/trail_lines.hpp"
#include "watch/own_lines/trail_positions.hpp"

namespace meridian::watch {

struct OwnSource {
  std::string path;  // of the file that is written to at present
  // Of its entries; the tier is that of a line whose process is none of `processes`.
  std::string tier;
  std::string name;
  std::vector<std::string> processes;
  proc::IntakeLimits limits = {};
  bool skips_output = false;  // the agent's log repeats the application's output
};

struct OwnLinesOptions {
  std::string positions;  // the file in which they are kept
  std::string data_center;
  std::string host;
  std::vector<OwnSource> sources;  // at most kMaxOwnSources; with different file names
};

// Since the start.
struct OwnLineCounts {
  uint64_t bytes = 0;          // read
  uint64_t dropped_lines = 0;  // by the quotas
  uint64_t dropped_bytes = 0;
  uint64_t gaps = 0;          // files that were gone before they were read
  uint64_t unread_bytes = 0;  // at present
  uint64_t rounds = 0;        // looks at the files
};

class OwnLines {
 public:
  OwnLines(OwnLinesOptions options, io::Loop& loop, io::BlockingPool& pool);
  ~OwnLines();

  // Reads until its fiber is cancelled.
  io::Task<void> Run(LogStore& store);
  // When the store has been closed: writes the positions of all that is in it.
  io::Task<void> Finish(const LogStore& store);

  const OwnLineCounts& counts() const { return counts_; }

 private:
  struct Followed;

  // False: it was cancelled before the positions were known.
  io::Task<bool> Restore(LogStore& store);
  io::Task<Result<std::string>> ReadKept();
  // Reads on from the positions that were written last.
  void Begin();
  io::Task<void> RememberOverlap(LogStore& store, uint64_t sequence);
  // To the positions before what the store has lost.
  io::Task<void> GoBack(LogStore& store);
  bool HasLost(const LogStore& store) const;
  // All that was stored before the start may have been read again.
  void EndOverlap();
  struct Round {
    bool has_more = false;  // to read at once
    bool is_whole = false;  // all files were read to their ends, and all lines are entries
  };
  // One look at all files.
  io::Task<Round> ReadRound(LogStore& store);
  void OnRead(Followed& source, Result<std::optional<TrailRead>>& read, LogStore& store);
  void Deliver(Followed& source, LogStore& store);
  void Store(Followed& source, LogEntry entry, LogStore& store);
  io::Task<void> KeepPositions(const LogStore& store);
  io::Task<void> WritePositions(const TrailPositions& positions);
  // `end`: of the entries of the lines before the positions.
  TrailPositions Current(uint64_t end) const;

  OwnLinesOptions options_;
  io::Loop& loop_;
  io::BlockingPool& pool_;
  std::vector<std::unique_ptr<Followed>> followed_;
  Overlap overlap_;
  // The sequence of the first of its entries, until they have been read again: positions say where
  // they begin, so that a further start knows them too.
  std::optional<uint64_t> overlap_from_;
  TimePoint overlap_end_ = kNever;
  uint64_t known_loss_ = 0;  // entries that the store has lost, and that are read again
  // Waits until the store has synced all below `end`.
  struct Checkpoint {
    TrailPositions positions;
    uint64_t end = 0;
  };
  std::optional<Checkpoint> checkpoint_;
  TrailPositions written_;
  TimePoint next_checkpoint_ = TimePoint::min();
  RecurringProblem position_problem_;
  OwnLineCounts counts_;
};

}  // namespace meridian::watch
