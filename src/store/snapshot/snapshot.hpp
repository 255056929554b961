// Snapshots: files that replace all records of a log below some end offset, so that those need not
// be kept. The owner of the state writes them in slices, beside the traffic: no fork, and no second
// copy in memory.
//
//   auto writer = co_await snapshots.Begin({.log_id = log.id(), .end_offset = end, ...});
//   for (each item of the state) co_await (*writer)->Add(item);   // may let others run
//   co_await (*writer)->Commit();
//   log.SetRetention({.released_before = snapshots.newest()->end_offset});
//
// Changes that are made while a snapshot is written may be in it or not. The owner replays the log
// from the snapshot's end offset on top of it, so applying a record twice must change nothing (or
// the owner must keep old values aside). Take the end offset before the first item.
//
// Owned by a Journal or Replica; one thread. Invariant: a file with a snapshot's name is whole and
// synced; the one before stays until then. One writer at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::store {

class Snapshots;

class SnapshotWriter {
 public:
  ~SnapshotWriter();  // without Commit: the file is left behind, and removed by the next one
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  const SnapshotInfo& info() const { return info_; }
  // Adds an item; writes when a block is full. kTooLarge; otherwise as Disk.
  io::Task<Result<void>> Add(Bytes item);
  // Adds a block of another machine's snapshot as it is. kInvalid: it is damaged, or not the next.
  io::Task<Result<void>> AddBlock(Bytes block);
  // The last block was the end: only Commit is left.
  bool ended() const { return chain_.ended(); }
  // Syncs, gives it its name, and removes the snapshots before it.
  io::Task<Result<void>> Commit();

 private:
  friend class Snapshots;
  SnapshotWriter(Snapshots& snapshots, SnapshotInfo info, std::unique_ptr<io::File> file);
  io::Task<Result<void>> WriteItems();
  io::Task<Result<void>> Write(Bytes bytes);

  Snapshots& snapshots_;
  SnapshotInfo info_;
  std::unique_ptr<io::File> file_;
  uint64_t written_ = 0;
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
  // Errors: those of Disk.
  static io::Task<Result<std::unique_ptr<Snapshots>>> Open(io::Disk& disk, std::string folder);

  // Its checksums are verified when it is read.
  const std::optional<SnapshotInfo>& newest() const { return newest_; }

  // kExists: one is being written; kInvalid: the newest covers more.
  io::Task<Result<std::unique_ptr<SnapshotWriter>>> Begin(SnapshotInfo info);
  // kNotFound: there is none. The reader keeps working when a newer snapshot replaces it meanwhile.
  io::Task<Result<std::unique_ptr<SnapshotReader>>> ReadNewest();

 private:
  friend class SnapshotWriter;
  Snapshots(io::Disk& disk, std::string folder) : disk_(disk), folder_(std::move(folder)) {}
  std::string PathOf(const std::string& name) const { return folder_ + "/" + name; }
  io::Task<Result<void>> RemoveOthers();
  io::Task<Result<std::unique_ptr<SnapshotReader>>> OpenFile(std::string name);
  io::Task<Result<std::unique_ptr<io::File>>> BeginFile(SnapshotInfo info);

  io::Disk& disk_;
  std::string folder_;
  std::optional<SnapshotInfo> newest_;
  bool writing_ = false;
};

}  // namespace meridian::store
