// ClockFile: keeps the bound of a HybridClock on disk ahead of the clock, so that a restart never
// gives a stamp twice or steps back, whatever the wall clock does meanwhile.
//
// Two slots in sectors of their own are written in turn: a crash cannot tear the slot that was
// synced last. Owned by a Journal, or by a tier's main beside the clock; one thread. Close before
// it goes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/disk_failure.hpp"

namespace meridian::store {

struct ClockFileOptions {
  std::string folder;  // made when it is not there
  OnDiskFailure on_disk_failure = EndProcessOnDiskFailure;
};

class ClockFile {
 public:
  // Starts the clock where the last process had left it, sets its first bound, and raises it each
  // kClockBoundInterval from then on. kIo: the file is damaged; otherwise as Disk.
  static io::Task<Result<std::unique_ptr<ClockFile>>> Open(io::Loop& loop, io::Disk& disk,
                                                           HybridClock& clock,
                                                           ClockFileOptions options);
  io::Task<void> Close();

  // HybridClock::Observe, after raising the bound if that is needed. kInvalid: the stamp is too far
  // in the future.
  io::Task<Result<void>> Observe(HybridTime remote);

 private:
  ClockFile(io::Loop& loop, io::Disk& disk, HybridClock& clock, ClockFileOptions options);
  std::string Path() const { return options_.folder + "/clock"; }
  io::Task<Result<void>> Load();
  io::Task<Result<void>> Make();
  io::Task<Result<void>> Raise(HybridTime above);
  io::Task<Result<void>> Write(HybridTime bound);
  io::Task<void> KeepRaising();

  io::Disk& disk_;
  HybridClock& clock_;
  ClockFileOptions options_;
  std::unique_ptr<io::File> file_;
  HybridTime written_;
  uint64_t next_slot_ = 0;
  bool raising_ = false;
  bool failed_ = false;
  io::WaitQueue raised_;
  io::Scope scope_;
};

}  // namespace meridian::store
