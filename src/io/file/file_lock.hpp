// A lock on a file among processes. Blocks for what a disk takes: for starting up, not for a loop's
// thread.
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"

namespace meridian::io {

// An exclusive lock on a file, which names its holder's process id; the kernel gives it up when the
// holder ends, however it ends. Not inherited by child processes. Move only.
class FileLock {
 public:
  // kExists when another has it; the message then says which process. `what` names it in there.
  static Result<FileLock> TryAcquire(const std::filesystem::path& file, std::string_view what);
  // Waits for it, at most `timeout`.
  static Result<FileLock> Acquire(const std::filesystem::path& file, std::string_view what,
                                  Duration timeout);
  // The process that holds the lock, or 0: nobody, or it cannot be told.
  static pid_t Holder(const std::filesystem::path& file);

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace meridian::io
