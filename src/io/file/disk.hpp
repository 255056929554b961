// Disk and File: the interface of files that must survive a crash. Implementations: SystemDisk
// (io/file/system_disk.hpp), and the simulated disk.
//
// Written data is safe only after File::Sync. The name of a new, renamed or removed file is safe
// only after Disk::SyncFolder. An earlier crash may keep, lose or tear the change.
//
// One thread: the loop's. But the awaits of a File may be called from fibers of several loops where
// it says so (SystemDisk): a shared_ptr then keeps it open, and the last one closes it on any of
// their threads. Operations of different fibers may overlap; on one file they take effect in any
// order. Work that has begun cannot be undone, so these awaits ignore deadlines and
// cancellation. A fiber that was cancelled before the call begins nothing (kCancelled).
//
// Errors of all functions: kNotFound, kExists, kPermission, kIo; kUnavailable: the disk is full.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/task.hpp"

namespace meridian::io {

class SocketStream;
class SystemDisk;
namespace sim {
class SimDisk;
class SimStream;
}  // namespace sim

// An open file. The destructor closes it and syncs nothing.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  // Reads up to `into.size()` bytes at `offset`; fewer only at the end of the file, 0 past it.
  virtual Task<Result<size_t>> ReadAt(uint64_t offset, MutableBytes into) = 0;
  // Writes all of `data`, which must stay valid until the await ends. A gap before `offset` reads
  // as zeros. After an error any part may have been written.
  virtual Task<Result<void>> WriteAt(uint64_t offset, Bytes data) = 0;
  // Cuts or extends (with zeros) the file to `bytes` bytes.
  virtual Task<Result<void>> Truncate(uint64_t bytes) = 0;
  // After success, all earlier writes and truncations are safe. After an error no write since the
  // last successful Sync is safe: write the data again, to another file (Rebello et al. 2020, "Can
  // Applications Recover from fsync Failures?").
  virtual Task<Result<void>> Sync() = 0;
  virtual Task<Result<uint64_t>> Size() = 0;
  // WriteAt, then Sync, in one hand-over to the disk's thread. A failed sync is always kIo or
  // kCancelled; no other error leaves the sync's outcome unknown.
  virtual Task<Result<void>> WriteAndSync(uint64_t offset, Bytes data);

 private:
  // How streams send from the file and disks write to several: a descriptor of the machine, or -1;
  // the present content from `offset` on, where it is in this process's memory. Both hold while the
  // file is open. Any thread.
  friend class SocketStream;
  friend class SystemDisk;
  friend class sim::SimStream;
  virtual int descriptor() const { return -1; }
  virtual std::optional<Bytes> InMemory(uint64_t /*offset*/) const { return std::nullopt; }
};

// One of several writes; as WriteAt.
struct FileWrite {
  File* file = nullptr;
  uint64_t offset = 0;
  Bytes data;
};

// A file's name in its folder, and its length.
struct ListedFile {
  std::string name;
  uint64_t bytes = 0;

  bool operator==(const ListedFile&) const = default;
};

enum class OpenMode : uint8_t {
  kRead,       // kNotFound if the file does not exist
  kWrite,      // reads and writes; kNotFound if the file does not exist
  kCreate,     // kWrite; creates the file if it does not exist
  kCreateNew,  // kWrite; creates the file; kExists if it exists
};

// The error for a failed sync, which must never be retried.
std::unexpected<Error> SyncFailure(const Error& error);

class Disk {
 public:
  virtual ~Disk() = default;

  virtual Task<Result<std::unique_ptr<File>>> Open(std::string path, OpenMode mode) = 0;
  // Replaces the file at `to`, if any. Both paths must be in one file system.
  virtual Task<Result<void>> Rename(std::string from, std::string to) = 0;
  virtual Task<Result<void>> Remove(std::string path) = 0;
  // Creates a folder whose parent exists; an existing folder is no error. After success the folder
  // survives a crash, except where we may not read the parent or the file system does not sync
  // folders.
  virtual Task<Result<void>> MakeFolder(std::string path) = 0;
  // Names of the files (not folders) in `folder`, sorted.
  virtual Task<Result<std::vector<std::string>>> List(std::string folder) = 0;
  // The same files with their lengths; one hand-over for all.
  virtual Task<Result<std::vector<ListedFile>>> ListSizes(std::string folder) = 0;
  // Names of the folders in `folder`, sorted.
  virtual Task<Result<std::vector<std::string>>> ListFolders(std::string folder) = 0;
  // After success, the names in the folder survive a crash.
  virtual Task<Result<void>> SyncFolder(std::string folder) = 0;
  // Removes an empty folder.
  virtual Task<Result<void>> RemoveFolder(std::string folder) = 0;
  // Writes to files of this disk, in one hand-over to the disk's thread: the group commit of a tier
  // with many files. Ends at the first error; any part of the writes may have been done then.
  virtual Task<Result<void>> WriteFiles(std::span<const FileWrite> writes);
  // File::Sync of each file, then SyncFolder of each folder, in one hand-over. An error is that of
  // a failed sync (see SyncFailure); the syncs behind it were not done.
  virtual Task<Result<void>> SyncFiles(std::span<File* const> files,
                                       std::span<const std::string> folders);
  // Free space of the folder's file system.
  virtual Task<Result<uint64_t>> FreeBytes(std::string folder) = 0;
};

}  // namespace meridian::io
