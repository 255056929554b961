// Small private files that survive a crash whole, and locks on files. All of these block, for what
// a disk takes, and are for starting up, not for a reactor's thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian::site {

// Makes the file hold exactly `content`, mode 0600: written beside it as NAME.new, synced, renamed,
// and the folder synced. A crash leaves the old file or the new one. One writer of a file at a
// time.
Result<> ReplaceFile(const std::filesystem::path& file, std::string_view content);

// The whole file. kNotFound when there is none, kTooLarge past `max_bytes`.
Result<std::string> ReadFile(const std::filesystem::path& file, size_t max_bytes);

// Makes the folder (not its parents) with mode 0700, or checks that the one that is there belongs
// to this user and is closed to all others (kPermission).
Result<> EnsurePrivateFolder(const std::filesystem::path& folder);

// An exclusive lock on a file, which names its holder's process id; the kernel gives it up when the
// holder ends, however it ends. Not inherited by child processes. Move only.
class FileLock {
 public:
  // kExists when another has it; the message then says which process. `what` names it in there.
  static Result<FileLock> TryAcquire(const std::filesystem::path& file, std::string_view what);
  // Waits for it, at most `patience`.
  static Result<FileLock> Acquire(const std::filesystem::path& file, std::string_view what,
                                  Duration patience);
  // The process that holds the lock, or 0: nobody, or it cannot be told.
  static pid_t Holder(const std::filesystem::path& file);

  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace meridian::site
