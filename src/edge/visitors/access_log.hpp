// AccessLog: writes a line for each request that the rule selects, into a rotated file of bounded
// size (base/log_file). The loop collects lines in a buffer; a thread writes them when they have
// kAccessFlushBytes, or after kAccessFlushInterval. While the disk is too slow, lines that find the
// buffer full are dropped and counted; no visitor waits.
//
// Each loop has one; one thread, the loop's. They share the sink. It must outlive the loop's
// fibers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "edge/visitors/access_line.hpp"
#include "edge/visitors/access_rule.hpp"
#include "io/blocking.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::edge {

// Writes whole lines. After an error some of them may be lost. Called on threads of the loops'
// pools, of several at the same time.
using AccessSink = std::function<Result<void>(std::string_view lines)>;

class AccessLog {
 public:
  AccessLog(io::Loop& loop, Metrics& metrics, AccessRule rule, AccessSink sink);

  bool Wants(int status, Random& random) const { return rule_.Wants(status, random); }
  void Add(const AccessEntry& entry);
  // Converts a time of the loop to wall-clock time.
  WallTime WallAt(TimePoint time) const { return wall_ + (time - wall_read_at_); }
  // Writes collected lines until it is cancelled, and then the rest.
  io::Task<void> Run();

  // Called when lines begin to be lost, with the reason, and with "" when they are written again.
  // May be empty.
  std::function<void(std::string problem)> on_problem = {};

 private:
  struct Lines {
    std::string text;
    uint64_t count = 0;
  };
  io::Task<void> Flush();
  void OnWritten(const Result<void>& done, uint64_t lines);

  io::Loop& loop_;
  const AccessRule rule_;
  const AccessSink sink_;
  AccessLineWriter writer_;
  Lines gathered_;
  Lines written_;  // being written by the thread
  WallTime wall_;
  TimePoint wall_read_at_;
  io::WaitQueue enough_;
  RecurringProblem problem_;
  Counter& lines_;
  Counter& dropped_full_;
  Counter& dropped_unwritten_;
  io::BlockingPool pool_{1};
};

// Opens `path`, and makes its folder if that is not there.
Result<AccessSink> OpenAccessFile(const std::string& path);

}  // namespace meridian::edge
