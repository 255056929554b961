// Replica: a copy of another data center's log, kept up to date and applied to a state here.
//
//   auto replica = co_await Replica::Open(loop, disk, {.source = "us-west", .folder = ...});
//   co_await (*replica)->Replay(applier, applied);      // what had come before this start
//   (*replica)->Start(mirror_options, dial, applier);   // what comes from now on
//
// A MirrorClient fills the copy, and a fiber of its own reads and applies what is durable in it. So
// replay and following are one path, and a slow state does not hold up the mirror. Records that the
// copy no longer has were replaced by a snapshot, which is loaded in their place.
//
// The copy outlives the process; the state may not. The owner keeps applied() beside the state,
// under the id of the copied log (an offset of one log means nothing in another), and hands it to
// Replay.
//
// Owned by the owner of the state; one thread: the loop's. Close before it goes; the applier
// outlives Close. Invariant: all of the copy below applied() was applied.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "store/applier.hpp"
#include "store/disk_failure.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/mirror/mirror_client.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::store {

struct ReplicaOptions {
  std::string source;  // the data center
  std::string log;     // the log's name there
  std::string folder;  // of the copy; made when it is not there, its parent must be
  uint64_t segment_bytes = kSegmentBytes;
  uint64_t headroom_bytes = kHeadroomBytes;
  OnDiskFailure on_disk_failure = EndProcessOnDiskFailure;
};

class Replica {
 public:
  // By the id of a log: the end offset of what is applied of it.
  using AppliedOffsets = std::map<uint64_t, uint64_t>;

  // Errors: those of Snapshots and Log.
  static io::Task<Result<std::unique_ptr<Replica>>> Open(io::Loop& loop, io::Disk& disk,
                                                         ReplicaOptions options);
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // Applies what the copy has and `applied` does not; all of it when `applied` does not know the
  // copied log. kIo: it cannot be read; kInvalid: the applier did not accept it.
  io::Task<Result<void>> Replay(Applier& applier, const AppliedOffsets& applied);
  // Follows the source from now on. After Replay. Of `options`, source and log are set here.
  void Start(MirrorClientOptions options, MirrorClient::Dial dial, Applier& applier);
  // Copies nothing more until Resume; what is in the copy is still applied.
  io::Task<void> Pause();
  void Resume();
  // Removes the copy, so that another log is copied from its beginning. Call it while paused, when
  // all of the copy is applied and nothing of it is needed again; then Resume. Errors: those of
  // Disk, Snapshots and Log; a part of the copy is left, and problem() says what to do.
  io::Task<Result<void>> RemoveCopy();
  // Another writer is in force: sources of an older epoch are refused from now on.
  void RaiseLeastEpoch(uint32_t epoch) {
    min_epoch_ = std::max(min_epoch_, epoch);
    if (mirror_) mirror_->RaiseLeastEpoch(epoch);
  }
  io::Task<void> Close();

  const std::string& source() const { return options_.source; }
  const std::string& folder() const { return options_.folder; }
  // Of the log that is copied; 0: none yet.
  uint64_t log_id() const { return copy_->id(); }
  // The end offset of what is applied, without a change whose records have come only in part.
  uint64_t applied() const { return applied_; }
  // Why records of the copy cannot be applied. Empty: they can.
  const std::string& problem() const { return problem_; }
  uint64_t copy_bytes() const { return copy_->bytes(); }
  // The end offset of what was received.
  uint64_t received() const { return copy_->end_offset(); }
  // All of the copy is durable and applied.
  bool applied_all() const { return next_ == copy_->end_offset(); }
  // The copy need not keep what is below.
  void Release(uint64_t end_offset) { copy_->SetRetention({.released_before = end_offset}); }
  // The source was heard of in another way: it is dialled at once if it is not followed.
  void RedialNow() {
    if (mirror_) mirror_->RedialNow();
  }
  // Null before Start, and while the copy is removed.
  const MirrorClient* mirror() const { return mirror_.get(); }

 private:
  Replica(io::Loop& loop, io::Disk& disk, ReplicaOptions options);
  io::Task<Result<void>> OpenAll();
  io::Task<Result<void>> RemoveFiles(std::string folder);
  void StartApplying();
  io::Task<void> ApplyAsItComes(Applier& applier);
  io::Task<Result<void>> ApplyNew(Applier& applier);
  io::Task<Result<void>> LoadSnapshot(Applier& applier);

  io::Loop& loop_;
  io::Disk& disk_;
  ReplicaOptions options_;
  std::unique_ptr<Log> copy_;
  std::unique_ptr<Snapshots> snapshots_;
  std::unique_ptr<MirrorClient> mirror_;
  uint64_t next_ = 0;     // to be read
  uint64_t applied_ = 0;  // the last boundary at or below it
  std::string problem_;
  uint32_t min_epoch_ = 0;
  std::unique_ptr<MirrorClientOptions> mirror_options_;
  MirrorClient::Dial dial_;
  Applier* applier_ = nullptr;            // null before Start
  std::unique_ptr<io::Scope> following_;  // null: paused
  std::unique_ptr<io::Scope> applying_;   // null before Start
};

}  // namespace meridian::store
