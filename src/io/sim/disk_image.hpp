// DiskImage: the disk of one simulated machine: what programs see now, and what of it would survive
// a crash. It outlives the processes that use it. Owned by the SimProcess; one thread. No time
// passes here: SimDisk adds that.
//
// Faults: a full disk, bits that flip, and at a crash every write, truncation and change of a name
// that was not synced is kept, lost, or (a write) torn at a sector, as the seed draws; names change
// in the order in which they were changed, data in any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"

namespace meridian::io::sim {

struct DiskFaults {
  uint64_t capacity_bytes = UINT64_MAX;  // of all files together; past it kUnavailable
  double flips_per_write = 0;            // chance that a written bit is stored wrong
  double sync_failures = 0;              // chance that a sync fails, and has synced nothing
  Duration latency = std::chrono::microseconds{100};
  Duration jitter = std::chrono::microseconds{100};  // added, uniformly drawn
};

class DiskImage {
 public:
  explicit DiskImage(uint64_t seed) : random_(seed) {}

  DiskFaults faults;

  // A file's content, whatever its name; shared by those who have it open.
  struct Inode {
    // What a program did and has not synced.
    struct Change {
      uint64_t offset = 0;  // of a write; the new length of a truncation
      std::string bytes;    // empty: a truncation
    };
    std::string content;
    std::string durable;
    std::vector<Change> unsynced;
    size_t synced_changes = 0;  // ever
  };

  Result<std::shared_ptr<Inode>> Open(const std::string& path, OpenMode mode);
  Result<void> Write(Inode& inode, uint64_t offset, Bytes data);
  Result<void> Truncate(Inode& inode, uint64_t bytes);
  // The first `changes` of what is unsynced become durable.
  Result<void> Sync(Inode& inode, size_t changes);
  Result<void> Rename(const std::string& from, const std::string& to);
  Result<void> Remove(const std::string& path);
  void MakeFolder(const std::string& path) { folders_.insert(path); }
  Result<std::vector<std::string>> List(const std::string& folder) const;
  Result<std::vector<std::string>> ListFolders(const std::string& folder) const;
  Result<void> SyncFolder(const std::string& folder);

  // What an operator does, and is safe at once: an empty disk in place of this one; another name
  // for a folder and all in it.
  void Replace();
  void MoveFolder(const std::string& from, const std::string& to);
  // The machine crashed.
  void LoseUnsynced();
  // Flips one bit of a file that is there, on the platter and for who reads it.
  void FlipBit(const std::string& path, uint64_t bit);
  // Of all files that have a name, as programs see them.
  uint64_t used_bytes() const;
  Random& random() { return random_; }

 private:
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  // A name that was changed and whose folder was not synced. Null: removed.
  struct NameChange {
    std::string path;
    std::shared_ptr<Inode> inode;
  };
  void SetName(const std::string& path, std::shared_ptr<Inode> inode);
  static void Apply(const NameChange& change, Names& names);
  static void Apply(const Inode::Change& change, std::string& content);
  void LoseUnsynced(Inode& inode);
  // What is left of a change after a crash; true when anything is.
  bool Survives(Inode::Change& change);

  Random random_;
  Names names_;
  Names durable_names_;
  std::vector<NameChange> unsynced_names_;
  std::set<std::string> folders_{""};  // the first: where paths begin
};

}  // namespace meridian::io::sim
