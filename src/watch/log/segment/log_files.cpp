#include "watch/log/segment/log_files.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/result.hpp"
#include "io/fd.hpp"

namespace meridian::watch {
namespace {

// kUnavailable says that the disk is full, and then segments are removed: a process without free
// descriptors is another thing.
Error OpenError(int number, const std::string& path) {
  if (number != EMFILE && number != ENFILE) return ErrnoError(number, path);
  return {.code = Errc::kIo, .message = path + ": no free descriptor"};
}

}  // namespace

Result<void> LogFiles::WriteAt(int fd, uint64_t offset, std::string_view data) {
  while (!data.empty()) {
    ssize_t written = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FailErrno(errno, "write");
    data.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

Result<void> LogFiles::Sync(int fd) {
  if (::fdatasync(fd) != 0) return FailErrno(errno, "sync");
  return {};
}

Result<uint64_t> LogFiles::FreeBytes(const std::string& folder) {
  struct statvfs facts{};
  if (::statvfs(folder.c_str(), &facts) != 0) return FailErrno(errno, folder);
  return uint64_t{facts.f_bavail} * facts.f_frsize;
}

Result<io::Fd> OpenLogFile(const std::string& path, LogFileMode mode) {
  constexpr mode_t kPrivate = 0600;
  int flags = mode == LogFileMode::kRead ? O_RDONLY : O_RDWR;
  if (mode == LogFileMode::kCreate) flags |= O_CREAT;
  io::Fd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, kPrivate));
  if (!fd) return Fail(OpenError(errno, path));
  return fd;
}

Result<uint64_t> FileBytes(int fd) {
  struct stat facts{};
  if (::fstat(fd, &facts) != 0) return FailErrno(errno, "stat");
  return static_cast<uint64_t>(facts.st_size);
}

Result<void> ReadAt(int fd, uint64_t offset, size_t bytes, std::string* into) {
  into->resize(bytes);
  size_t done = 0;
  while (done < bytes) {
    ssize_t got = ::pread(fd, into->data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno(errno, "read");
    if (got == 0) return Fail(Errc::kInvalid, "the file ends at {}", offset + done);
    done += static_cast<size_t>(got);
  }
  return {};
}

Result<void> TruncateFile(int fd, uint64_t bytes) {
  if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0) return FailErrno(errno, "truncate");
  return {};
}

Result<void> RenameFile(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return FailErrno(errno, from);
  return {};
}

Result<void> RemoveFile(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FailErrno(errno, path);
  return {};
}

Result<void> SyncFolder(const std::string& folder) {
  io::Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return Fail(OpenError(errno, folder));
  if (::fsync(fd.get()) != 0) return FailErrno(errno, folder);
  return {};
}

}  // namespace meridian::watch
