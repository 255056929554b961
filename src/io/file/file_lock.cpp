#include "io/file/file_lock.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"

namespace meridian::io {
namespace {

constexpr mode_t kPrivateFile = 0600;
constexpr timespec kRetryEvery{.tv_sec = 0, .tv_nsec = 10'000'000};

// An open file description lock (fcntl(2)). Unlike with flock(2), the holder can be queried without
// taking the lock for a moment, in which a starting process would fail.
struct flock WholeFile(short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

// The process id in a lock file, or 0.
pid_t ReadPid(int descriptor) {
  std::array<char, 16> text{};
  ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  pid_t pid = 0;
  if (size > 0) std::from_chars(text.data(), text.data() + size, pid);
  return pid;
}

Result<> WritePid(int descriptor, const std::filesystem::path& file) {
  std::string text = fmt::format("{}\n", getpid());
  bool written = ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text.data(), text.size(), 0) ==
                                                      static_cast<ssize_t>(text.size());
  if (!written) return FailErrno(errno, file.native());
  return {};
}

}  // namespace

Result<FileLock> FileLock::TryAcquire(const std::filesystem::path& file, std::string_view what) {
  Fd fd(open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kPrivateFile));
  if (!fd) return FailErrno(errno, file.native());
  struct flock whole = WholeFile(F_WRLCK);
  if (fcntl(fd.get(), F_OFD_SETLK, &whole) != 0) {
    if (errno != EAGAIN && errno != EACCES) return FailErrno(errno, file.native());
    pid_t holder = ReadPid(fd.get());
    if (holder == 0) return Fail(Errc::kExists, "{} is held by another process", what);
    return Fail(Errc::kExists, "{} is held by process {}", what, holder);
  }
  Result<> named = WritePid(fd.get(), file);
  if (!named) return Fail(named.error());
  return FileLock(std::move(fd));
}

Result<FileLock> FileLock::Acquire(const std::filesystem::path& file, std::string_view what,
                                   Duration timeout) {
  SystemClock clock;
  TimePoint deadline = clock.Now() + timeout;
  while (true) {
    Result<FileLock> lock = TryAcquire(file, what);
    bool wait = !lock && lock.error().code == Errc::kExists;
    if (!wait || clock.Now() >= deadline) return lock;
    nanosleep(&kRetryEvery, nullptr);
  }
}

pid_t FileLock::Holder(const std::filesystem::path& file) {
  Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return 0;
  struct flock whole = WholeFile(F_WRLCK);  // queries the holder only; takes no lock
  bool known = fcntl(fd.get(), F_OFD_GETLK, &whole) == 0;
  return known && whole.l_type != F_UNLCK ? ReadPid(fd.get()) : 0;
}

}  // namespace meridian::io
