// The files of the log store: calls of the machine that block, for a thread of the pool. LogFiles
// is the seam at which tests have a full or failing disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/fd.hpp"

namespace meridian::watch {

class LogFiles {
 public:
  LogFiles() = default;
  LogFiles(const LogFiles&) = delete;
  LogFiles& operator=(const LogFiles&) = delete;
  virtual ~LogFiles() = default;

  // Writes all of `data`; kUnavailable: the disk is full. After an error a part may be written.
  virtual Result<void> WriteAt(int fd, uint64_t offset, std::string_view data);
  // What was written survives a loss of power.
  virtual Result<void> Sync(int fd);
  // Free for this user, of the folder's file system.
  virtual Result<uint64_t> FreeBytes(const std::string& folder);
};

enum class LogFileMode : uint8_t { kRead, kWrite, kCreate };

// kCreate: for reading and writing; makes the file if it is missing. Errors: by errno, but kIo
// without a free descriptor.
Result<io::Fd> OpenLogFile(const std::string& path, LogFileMode mode);
Result<uint64_t> FileBytes(int fd);
// Exactly `bytes` at `offset`, replacing `into`. kInvalid: the file ends before.
Result<void> ReadAt(int fd, uint64_t offset, size_t bytes, std::string* into);
Result<void> TruncateFile(int fd, uint64_t bytes);
Result<void> RenameFile(const std::string& from, const std::string& to);
// Removes the file; it is no error if it is not there.
Result<void> RemoveFile(const std::string& path);
Result<void> SyncFolder(const std::string& folder);

}  // namespace meridian::watch
