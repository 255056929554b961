// Disk and File: the interface of files that must survive a crash. Implementations: SystemDisk
// (io/file/system_disk.hpp), and the simulated disk.
//
// Written data is safe only after File::Sync. The name of a new, renamed or removed file is safe
// only after Disk::SyncFolder. An earlier crash may keep, lose or tear the change.
//
// One thread: the loop's. Operations of different fibers may overlap; on one file they take effect
// in any order. Work that has begun cannot be undone, so these awaits ignore deadlines and
// cancellation. A fiber that was cancelled before the call begins nothing (kCancelled).
//
// Errors of all functions: kNotFound, kExists, kPermission, kIo; kUnavailable: the disk is full.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/task.hpp"

namespace meridian::io {

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
  // Names of the folders in `folder`, sorted.
  virtual Task<Result<std::vector<std::string>>> ListFolders(std::string folder) = 0;
  // After success, the names in the folder survive a crash.
  virtual Task<Result<void>> SyncFolder(std::string folder) = 0;
  // Free space of the folder's file system.
  virtual Task<Result<uint64_t>> FreeBytes(std::string folder) = 0;
};

}  // namespace meridian::io
