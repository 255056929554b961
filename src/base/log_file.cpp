#include "base/log_file.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/result.hpp"

namespace meridian {
namespace {

constexpr mode_t kLogFileMode = 0600;

// Whether `path` still names the open file.
bool IsCurrent(const std::string& path, const struct stat& open_file) {
  struct stat named{};
  return ::stat(path.c_str(), &named) == 0 && named.st_ino == open_file.st_ino &&
         named.st_dev == open_file.st_dev;
}

}  // namespace

Result<std::unique_ptr<LogFile>> LogFile::Open(LogFileOptions options) {
  std::unique_ptr<LogFile> file(new LogFile(std::move(options)));
  if (!file->Reopen()) return FailErrno(errno, file->options_.path);
  return file;
}

LogFile::~LogFile() {
  if (fd_ >= 0 && !options_.redirect_stdio) close(fd_);
}

std::string LogFile::RotatedPath(int number) const {
  return number == 0 ? options_.path : fmt::format("{}.{}", options_.path, number);
}

bool LogFile::Reopen() {
  int opened =
      ::open(options_.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kLogFileMode);
  if (opened < 0) return false;
  if (options_.redirect_stdio) {
    dup2(opened, STDOUT_FILENO);
    dup2(opened, STDERR_FILENO);
    close(opened);
    fd_ = STDERR_FILENO;
  } else if (fd_ < 0) {
    fd_ = opened;
  } else {
    // Another thread may be writing to fd_, so the descriptor's number must stay open and
    // unchanged.
    dup3(opened, fd_, O_CLOEXEC);
    close(opened);
  }
  ends_in_line_ = false;
  return true;
}

void LogFile::Rotate() {
  // Only one of the processes that share the file moves it; the others find it moved.
  int moved = fd_;
  if (flock(moved, LOCK_EX | LOCK_NB) != 0) return;
  struct stat open_file{};
  bool mine = fstat(moved, &open_file) == 0 && IsCurrent(options_.path, open_file);
  bool done = mine;
  for (int number = options_.max_rotated_files; mine && number > 0; --number) {
    bool renamed = std::rename(RotatedPath(number - 1).c_str(), RotatedPath(number).c_str()) == 0;
    if (number == 1) done = renamed;
  }
  if (mine && (!done || options_.max_rotated_files == 0)) (void)!ftruncate(moved, 0);
  flock(moved, LOCK_UN);
}

void LogFile::KeepBounds(size_t line_bytes) {
  struct stat open_file{};
  if (fstat(fd_, &open_file) != 0) return;
  if (!IsCurrent(options_.path, open_file)) {
    (void)Reopen();
    if (fstat(fd_, &open_file) != 0) return;
  }
  if (static_cast<uint64_t>(open_file.st_size) + line_bytes <= options_.max_bytes) return;
  Rotate();
  if (fstat(fd_, &open_file) == 0 && !IsCurrent(options_.path, open_file)) (void)Reopen();
}

bool LogFile::Write(std::string_view lines) {
  {
    std::unique_lock turn(mutex_, std::try_to_lock);
    if (turn) KeepBounds(lines.size());
  }
  // iovec takes pointers to non-const for readv(2).
  char newline = '\n';
  const bool torn = ends_in_line_.exchange(false);
  const std::array<iovec, 2> pieces = {
      iovec{&newline, torn ? 1U : 0U},
      iovec{const_cast<char*>(lines.data()), lines.size()}};  // NOLINT(*-const-cast)
  const size_t all = lines.size() + (torn ? 1 : 0);
  const ssize_t written = writev(fd_, pieces.data(), pieces.size());
  if (written == static_cast<ssize_t>(all)) return true;
  if (written <= 0) {
    ends_in_line_ = torn;
    return false;
  }
  const auto kept = static_cast<size_t>(written) - (torn ? 1 : 0);
  ends_in_line_ = kept > 0 && lines[kept - 1] != '\n';
  errno = ENOSPC;  // write(2) tells the reason of a short write only to the next call
  return false;
}

}  // namespace meridian
