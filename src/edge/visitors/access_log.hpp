// AccessLog: one line for each request that the rule wants, into a file that is kept within bounds
// (base/log_file). Lines are gathered in a buffer of the loop's and written by a thread of their
// own, when there are kAccessFlushBytes of them or kAccessFlushInterval has passed. While the disk
// does not keep up, lines that find the buffer full are dropped and counted; no visitor waits.
//
// Owned by the edge; one thread: the loop's. It must outlive `scope`'s fibers.
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
#include "edge/visitors/access_line.hpp"
#include "edge/visitors/access_rule.hpp"
#include "io/blocking.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::edge {

// Whole lines. False: they could not be written. Called on a thread of the pool.
using AccessSink = std::function<bool(std::string_view lines)>;

class AccessLog {
 public:
  AccessLog(io::Loop& loop, Metrics& metrics, AccessRule rule, AccessSink sink);

  bool Wants(int status, Random& random) const { return rule_.Wants(status, random); }
  void Add(const AccessEntry& entry);
  // The wall clock's time at a time of the loop.
  WallTime WallAt(TimePoint time) const { return wall_ + (time - wall_read_at_); }
  // Writes what is gathered, until it is cancelled, and then the rest.
  io::Task<void> Run();

 private:
  struct Lines {
    std::string text;
    uint64_t count = 0;
  };
  io::Task<void> Flush();

  io::Loop& loop_;
  const AccessRule rule_;
  const AccessSink sink_;
  AccessLineWriter writer_;
  Lines gathered_;
  Lines written_;  // while a thread writes them
  WallTime wall_;
  TimePoint wall_read_at_;
  io::WaitQueue enough_;
  Counter& lines_;
  Counter& dropped_full_;
  Counter& dropped_unwritten_;
  io::BlockingPool pool_{1};
};

// Opens `path`, and makes its folder if that is not there.
Result<AccessSink> OpenAccessFile(const std::string& path);

}  // namespace meridian::edge
