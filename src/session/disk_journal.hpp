// DiskJournal: the journal on disk: records in a durable log (store/log.hpp), snapshots that stand
// for its oldest part, and the bound of the clock. Opening it brings back what was there.
//
// A record that is longer than one of the log's takes several; what the log has no room for at the
// moment waits here, in order. Offsets are the log's.
//
// Owned by the Session; one thread: the loop's. Close before it goes. Invariant: end_ is the log's
// end and what waits here together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "base/hybrid_clock.hpp"
#include "io/disk.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "session/journal.hpp"
#include "session/keyspace.hpp"
#include "store/clock_file.hpp"
#include "store/log.hpp"
#include "store/snapshot.hpp"

namespace meridian::session {

class DiskJournal final : public Journal {
 public:
  // Opens what is in `folder` (made when it is not there, as its parent must be), and sets the
  // clock.
  static io::Task<Result<std::unique_ptr<DiskJournal>>> Open(io::Loop& loop, io::Disk& disk,
                                                             HybridClock& clock,
                                                             std::string folder);
  ~DiskJournal() override;

  // Brings the keyspace, which is empty, to where it was. kIo: a part cannot be read.
  io::Task<Result<void>> Replay(Keyspace& keyspace);
  // Keeps the log short by snapshots of the keyspace, which must outlive the journal's Close.
  void StartSnapshots(Keyspace& keyspace);
  // Makes durable what was appended, and ends the journal's fibers.
  io::Task<void> Close();

  bool wants_records() const override { return true; }
  std::string refusal() const override;
  uint64_t Append(Bytes record) override;
  uint64_t durable() const override { return log_->durable_end(); }
  io::Task<Result<void>> AwaitDurable(uint64_t offset) override;

  const store::Log& log() const { return *log_; }

 private:
  DiskJournal(io::Loop& loop, HybridClock& clock);
  io::Task<Result<void>> OpenAll(io::Disk& disk, const std::string& folder);
  io::Task<Result<void>> ReplaySnapshot(Keyspace& keyspace);
  Result<void> ReplayPart(Keyspace& keyspace, Bytes part);
  bool AppendPart(Bytes part);
  io::Task<void> FeedLog();
  io::Task<void> SnapshotRegularly(Keyspace& keyspace);
  io::Task<Result<void>> WriteSnapshot(Keyspace& keyspace);

  io::Loop& loop_;
  HybridClock& clock_;
  std::unique_ptr<store::ClockFile> clock_file_;
  std::unique_ptr<store::Snapshots> snapshots_;
  std::unique_ptr<store::Log> log_;
  std::deque<std::string> waiting_;  // parts
  size_t waiting_bytes_ = 0;
  uint64_t end_ = 0;
  uint64_t long_begin_ = 0;  // of the last record that took several parts
  uint64_t long_end_ = 0;
  std::string unfinished_;  // of a record in several parts, while it is replayed
  std::string part_;        // that is being made
  io::Scope background_;
};

}  // namespace meridian::session
