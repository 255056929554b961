// DiskImage: the disk of one simulated machine: the present content, and the part of it that
// survives a crash. It outlives the processes that use it. Owned by the SimProcess; one thread.
// Operations take no time here: SimDisk adds that.
//
// Faults: a full disk, flipped bits, lost files. At a crash the seed decides for each unsynced
// write, truncation and change of a name whether it is kept, lost, or (a write) torn at a sector.
// Changes of names survive in their order, changes of data in any order.
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
  uint64_t capacity_bytes = UINT64_MAX;  // limit of all files together; past it kUnavailable
  double flips_per_write = 0;            // chance that a written bit is stored wrong
  double sync_failures = 0;              // chance that a sync fails and syncs nothing
  Duration latency = std::chrono::microseconds{100};
  Duration jitter = std::chrono::microseconds{100};  // added, uniformly drawn
};

class DiskImage {
 public:
  explicit DiskImage(uint64_t seed) : random_(seed) {}

  DiskFaults faults;

  // A file's content, independent of its name; shared by the processes that have it open.
  struct Inode {
    // An unsynced change.
    struct Change {
      uint64_t offset = 0;  // of a write; the new length of a truncation
      std::string bytes;    // empty for a truncation
    };
    std::string content;
    std::string durable;
    std::vector<Change> unsynced;
    size_t synced_changes = 0;  // number of changes ever synced
  };

  Result<std::shared_ptr<Inode>> Open(const std::string& path, OpenMode mode);
  Result<void> Write(Inode& inode, uint64_t offset, Bytes data);
  Result<void> Truncate(Inode& inode, uint64_t bytes);
  // Makes the first `changes` unsynced changes durable.
  Result<void> Sync(Inode& inode, size_t changes);
  Result<void> Rename(const std::string& from, const std::string& to);
  Result<void> Remove(const std::string& path);
  void MakeFolder(const std::string& path) { folders_.insert(path); }
  // An error if it has content.
  Result<void> RemoveFolder(const std::string& path);
  Result<std::vector<ListedFile>> ListSizes(const std::string& folder) const;
  Result<std::vector<std::string>> List(const std::string& folder) const;
  Result<std::vector<std::string>> ListFolders(const std::string& folder) const;
  Result<void> SyncFolder(const std::string& folder);

  // Actions of an operator, durable at once: replacing the disk by an empty one; renaming a folder
  // with its content.
  void Replace();
  void MoveFolder(const std::string& from, const std::string& to);
  // Call when the machine crashed.
  void LoseUnsynced();
  // Flips one bit of an existing file, in its durable and in its present content.
  void FlipBit(const std::string& path, uint64_t bit);
  // Removes a file, or its end, durably, as a broken file system does.
  void Lose(const std::string& path);
  void Shorten(const std::string& path, uint64_t bytes);
  // Bytes of all files that have a name, in the present content.
  uint64_t used_bytes() const;
  Random& random() { return random_; }

 private:
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  // A changed name whose folder was not synced. Null inode: the name was removed.
  struct NameChange {
    std::string path;
    std::shared_ptr<Inode> inode;
  };
  void SetName(const std::string& path, std::shared_ptr<Inode> inode);
  static void Apply(const NameChange& change, Names& names);
  static void Apply(const Inode::Change& change, std::string& content);
  bool HasRoomFor(uint64_t bytes) const;
  void LoseUnsynced(Inode& inode);
  // Reduces `change` to the part that survives a crash; false when nothing survives.
  bool Survives(Inode::Change& change);

  Random random_;
  Names names_;
  Names durable_names_;
  std::vector<NameChange> unsynced_names_;
  std::set<std::string> folders_{""};  // "" is the root folder
};

}  // namespace meridian::io::sim
