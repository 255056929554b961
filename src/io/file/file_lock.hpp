// A lock on a file between processes. Blocks for disk operations: for a program's start, not for a
// loop's thread.
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"

namespace meridian::io {

// An exclusive lock on a file that holds the process id of the lock's holder. The kernel releases
// it when the holder ends, however it ends. Not inherited by child processes. Move only.
class FileLock {
 public:
  // kExists: another process has the lock; the message names it. `what` names the lock in messages.
  static Result<FileLock> TryAcquire(const std::filesystem::path& file, std::string_view what);
  // Waits for the lock, at most `timeout`.
  static Result<FileLock> Acquire(const std::filesystem::path& file, std::string_view what,
                                  Duration timeout);
  // The process id of the holder, or 0 if the lock is free or its holder is unknown.
  static pid_t Holder(const std::filesystem::path& file);

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace meridian::io
