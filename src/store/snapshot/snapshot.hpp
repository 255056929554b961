// Snapshots: files that replace all records of a log below some end offset, so that those need not
// be kept. The owner of the state writes them in slices, beside the traffic: no fork, and no second
// copy in memory.
//
//   auto writer = co_await snapshots.Begin({.log_id = log.id(), .end_offset = end, ...});
//   for (each item of the state) co_await (*writer)->Add(item);   // may let others run
//   co_await (*writer)->Commit();                                 // or Abandon()
//   log.SetRetention({.released_before = snapshots.newest()->end_offset});
//
// Changes that are made while a snapshot is written may be in it or not. The owner replays the log
// from the snapshot's end offset on top of it, so applying a record twice must change nothing (or
// the owner must keep old values aside). Take the end offset before the first item.
//
// Owned by a Journal or Replica; one thread. Invariants: a file with a snapshot's name is whole and
// synced; the one before stays until then. One writer at a time. A snapshot that fails leaves no
// file behind, and a reserve of free space stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "store/free_space.hpp"
#include "store/limits.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::store {

class Snapshots;

class SnapshotWriter {
 public:
  // Without Commit or Abandon the file is left behind, until the next Begin or Open.
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  const SnapshotInfo& info() const { return info_; }
  // Adds an item; writes when a block is full. kTooLarge; kUnavailable: the reserve would not stay
  // free; otherwise as Disk. After an error the snapshot is given up, and its file removed.
  io::Task<Result<void>> Add(Bytes item);
  // Adds a block of another machine's snapshot as it is. kInvalid: it is damaged, or not the next.
  io::Task<Result<void>> AddBlock(Bytes block);
  // The last block was the end: only Commit is left.
  bool ended() const { return chain_.ended(); }
  // Syncs, gives it its name, and removes the snapshots before it. After an error as Add.
  io::Task<Result<void>> Commit();
  // Gives it up: removes its file. Does nothing after Commit or an error.
  io::Task<void> Abandon();

 private:
  friend class Snapshots;
  SnapshotWriter(Snapshots& snapshots, SnapshotInfo info, std::unique_ptr<io::File> file);
  io::Task<Result<void>> WriteItems();
  io::Task<Result<void>> Write(Bytes bytes);
  io::Task<Result<void>> TakeRoom(uint64_t bytes);
  io::Task<Result<void>> Finish();

  Snapshots& snapshots_;
  SnapshotInfo info_;
  std::unique_ptr<io::File> file_;  // null: committed or given up
  FreeSpace space_;
  uint64_t written_ = 0;
  uint64_t next_reading_ = 0;  // of the free space, when so much is written
  std::vector<uint8_t> items_;
  BlockChain chain_;
};

class SnapshotReader {
 public:
  const SnapshotInfo& info() const { return info_; }
  // The next block, as it is in the file; nothing at the end. kIo: it is damaged.
  io::Task<Result<std::optional<std::vector<uint8_t>>>> NextBlock();

 private:
  friend class Snapshots;
  SnapshotReader(SnapshotInfo info, std::unique_ptr<io::File> file);

  SnapshotInfo info_;
  std::unique_ptr<io::File> file_;
  uint64_t position_;
  BlockChain chain_;
};

class Snapshots {
 public:
  // Finds the newest snapshot in `folder` (made when it is not there) and removes unfinished ones.
  // Snapshots leave `reserve_bytes` of the file system free. Errors: those of Disk.
  static io::Task<Result<std::unique_ptr<Snapshots>>> Open(
      io::Disk& disk, std::string folder,
      uint64_t reserve_bytes = kHeadroomBytes / kSnapshotReserveShare);

  // Its checksums are verified when it is read.
  const std::optional<SnapshotInfo>& newest() const { return newest_; }

  // kExists: one is being written; kInvalid: the newest covers more; kUnavailable: there is no room
  // for `min_bytes`, or for what one took that failed for lack of room within
  // kFailedSnapshotCounts.
  io::Task<Result<std::unique_ptr<SnapshotWriter>>> Begin(SnapshotInfo info,
                                                          uint64_t min_bytes = 0);
  // kNotFound: there is none. The reader keeps working when a newer snapshot replaces it meanwhile.
  io::Task<Result<std::unique_ptr<SnapshotReader>>> ReadNewest();

 private:
  friend class SnapshotWriter;
  Snapshots(io::Disk& disk, std::string folder, uint64_t reserve_bytes)
      : disk_(disk), folder_(std::move(folder)), reserve_bytes_(reserve_bytes) {}
  std::string PathOf(const std::string& name) const { return folder_ + "/" + name; }
  io::Task<Result<void>> RemoveOthers();
  io::Task<Result<std::unique_ptr<SnapshotReader>>> OpenFile(std::string name);
  io::Task<Result<std::unique_ptr<io::File>>> BeginFile(SnapshotInfo info, uint64_t min_bytes);
  io::Task<Result<void>> CheckRoom(uint64_t bytes);
  io::Task<Result<void>> RemovePartial();
  Error NoRoom(uint64_t bytes) const;

  io::Disk& disk_;
  std::string folder_;
  uint64_t reserve_bytes_;
  uint64_t failed_bytes_ = 0;  // of the last one that failed for lack of room, at failed_at_
  TimePoint failed_at_{};
  std::optional<SnapshotInfo> newest_;
  bool writing_ = false;
};

}  // namespace meridian::store
