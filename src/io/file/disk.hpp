// Disk and File: files as fibers see them, for what must outlive a crash. The seam that the
// simulated disk fills; the real one is SystemDisk (io/file/system_disk.hpp).
//
// What is written is safe only after File::Sync, and the name of a file that was made, changed or
// removed only after Disk::SyncFolder: a crash before may keep it, lose it, or keep a part.
//
// One thread: the loop's; operations of different fibers may overlap, and on one file they take
// effect in any order. Work that has begun cannot be undone, so these awaits ignore deadlines and
// cancellation; a fiber that was cancelled before begins nothing (kCancelled).
//
// Errors of all: kNotFound, kExists, kPermission, kIo; kUnavailable: the disk is full.
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

// An open file. Destroying it closes it, and syncs nothing.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  // Reads up to `into.size()` bytes at `offset`; fewer only at the end, 0 behind it.
  virtual Task<Result<size_t>> ReadAt(uint64_t offset, MutableBytes into) = 0;
  // Writes all of `data`, which must stay until then; a gap before it reads as zeros. After an
  // error any part may have been written.
  virtual Task<Result<void>> WriteAt(uint64_t offset, Bytes data) = 0;
  // Cuts the file off, or extends it with zeros.
  virtual Task<Result<void>> Truncate(uint64_t bytes) = 0;
  // Once this has succeeded, all that was written or truncated before is safe. After an error
  // nothing written since the last success may be believed: it must be written again, elsewhere
  // (Rebello et al. 2020, "Can Applications Recover from fsync Failures?").
  virtual Task<Result<void>> Sync() = 0;
  virtual Task<Result<uint64_t>> Size() = 0;
  // WriteAt and then Sync, in one trip to where the disk's work is done. A sync that failed is kIo,
  // for whatever reason, or kCancelled: no other error leaves a doubt about it.
  virtual Task<Result<void>> WriteAndSync(uint64_t offset, Bytes data);
};

enum class OpenMode : uint8_t {
  kRead,       // kNotFound without it
  kWrite,      // reads and writes; kNotFound without it
  kCreate,     // kWrite, made if it is not there
  kCreateNew,  // kWrite; kExists when it is there
};

// What a sync that failed is told as: it must never be tried again.
std::unexpected<Error> SyncFailure(const Error& error);

class Disk {
 public:
  virtual ~Disk() = default;

  virtual Task<Result<std::unique_ptr<File>>> Open(std::string path, OpenMode mode) = 0;
  // Replaces what is at `to`. Both in one file system.
  virtual Task<Result<void>> Rename(std::string from, std::string to) = 0;
  virtual Task<Result<void>> Remove(std::string path) = 0;
  // Its parent must be there. One that exists is no error. Once this has succeeded, it is safe, but
  // where we may not read the parent or its file system does not sync folders.
  virtual Task<Result<void>> MakeFolder(std::string path) = 0;
  // Names of the files (not folders) in it, sorted.
  virtual Task<Result<std::vector<std::string>>> List(std::string folder) = 0;
  // Names of the folders in it, sorted.
  virtual Task<Result<std::vector<std::string>>> ListFolders(std::string folder) = 0;
  // Once this has succeeded, the names in the folder are safe.
  virtual Task<Result<void>> SyncFolder(std::string folder) = 0;
  // What can yet be written to the file system that the folder is in.
  virtual Task<Result<uint64_t>> FreeBytes(std::string folder) = 0;
};

}  // namespace meridian::io
