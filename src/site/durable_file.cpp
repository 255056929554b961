#include "site/durable_file.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meridian::site {
namespace {

constexpr mode_t kPrivateFile = 0600;
constexpr mode_t kPrivateFolder = 0700;
constexpr Duration kRetryEvery = std::chrono::milliseconds{10};

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags)
      : number_(open(path.c_str(), flags | O_CLOEXEC, kPrivateFile)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }
  bool ok() const { return number_ >= 0; }
  int Release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

Result<> WriteAll(int descriptor, std::string_view content, const std::filesystem::path& file) {
  while (!content.empty()) {
    ssize_t written = write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FailErrno(errno, file.native());
    content.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

// An open file description's lock (fcntl(2)): like flock(2), but one can ask who has it without
// taking it for a moment, in which a starting process would be turned away.
struct flock WholeFile(short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

// The process id that a lock file names, or 0.
pid_t ReadPid(int descriptor) {
  std::array<char, 16> text{};
  ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  pid_t pid = 0;
  if (size > 0) std::from_chars(text.data(), text.data() + size, pid);
  return pid;
}

Result<> WritePid(int descriptor, const std::filesystem::path& file) {
  std::string text = fmt::format("{}\n", getpid());
  if (ftruncate(descriptor, 0) != 0) return FailErrno(errno, file.native());
  return WriteAll(descriptor, text, file);
}

}  // namespace

Result<> ReplaceFile(const std::filesystem::path& file, std::string_view content) {
  std::filesystem::path fresh = file;
  fresh += ".new";
  {
    Descriptor descriptor(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    if (!descriptor.ok()) return FailErrno(errno, fresh.native());
    Result<> written = WriteAll(descriptor.number(), content, fresh);
    if (written && fsync(descriptor.number()) != 0) written = FailErrno(errno, fresh.native());
    if (!written) {
      unlink(fresh.c_str());
      return written;
    }
  }
  if (rename(fresh.c_str(), file.c_str()) != 0) return FailErrno(errno, file.native());
  Descriptor folder(file.parent_path(), O_RDONLY | O_DIRECTORY);
  if (!folder.ok() || fsync(folder.number()) != 0) return FailErrno(errno, file.native());
  return {};
}

Result<std::string> ReadFile(const std::filesystem::path& file, size_t max_bytes) {
  Descriptor descriptor(file, O_RDONLY);
  if (!descriptor.ok()) return FailErrno(errno, file.native());
  std::string content(max_bytes + 1, '\0');
  size_t size = 0;
  while (size < content.size()) {
    ssize_t count = read(descriptor.number(), content.data() + size, content.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FailErrno(errno, file.native());
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  if (size > max_bytes) return Fail(Errc::kTooLarge, "{}: over {} bytes", file.native(), max_bytes);
  content.resize(size);
  return content;
}

Result<> EnsurePrivateFolder(const std::filesystem::path& folder) {
  if (mkdir(folder.c_str(), kPrivateFolder) != 0 && errno != EEXIST) {
    return FailErrno(errno, folder.native());
  }
  struct stat facts{};
  if (stat(folder.c_str(), &facts) != 0) return FailErrno(errno, folder.native());
  if (!S_ISDIR(facts.st_mode)) return Fail(Errc::kExists, "{} is not a folder", folder.native());
  if (facts.st_uid != geteuid()) {
    return Fail(Errc::kPermission, "{} belongs to another user", folder.native());
  }
  if ((facts.st_mode & 077) != 0) {
    return Fail(Errc::kPermission, "{0} is open to other users; chmod 700 {0}", folder.native());
  }
  return {};
}

Result<FileLock> FileLock::TryAcquire(const std::filesystem::path& file, std::string_view what) {
  Descriptor descriptor(file, O_RDWR | O_CREAT | O_NOFOLLOW);
  if (!descriptor.ok()) return FailErrno(errno, file.native());
  struct flock whole = WholeFile(F_WRLCK);
  if (fcntl(descriptor.number(), F_OFD_SETLK, &whole) != 0) {
    if (errno != EAGAIN && errno != EACCES) return FailErrno(errno, file.native());
    pid_t holder = ReadPid(descriptor.number());
    if (holder == 0) return Fail(Errc::kExists, "{} is held by another process", what);
    return Fail(Errc::kExists, "{} is held by process {}", what, holder);
  }
  Result<> named = WritePid(descriptor.number(), file);
  if (!named) return Fail(named.error());
  return FileLock(descriptor.Release());
}

Result<FileLock> FileLock::Acquire(const std::filesystem::path& file, std::string_view what,
                                   Duration patience) {
  TimePoint deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    Result<FileLock> lock = TryAcquire(file, what);
    bool wait = !lock && lock.error().code == Errc::kExists;
    if (!wait || std::chrono::steady_clock::now() >= deadline) return lock;
    std::this_thread::sleep_for(kRetryEvery);
  }
}

pid_t FileLock::Holder(const std::filesystem::path& file) {
  Descriptor descriptor(file, O_RDONLY);
  if (!descriptor.ok()) return 0;
  struct flock whole = WholeFile(F_WRLCK);  // asks only; takes nothing
  bool known = fcntl(descriptor.number(), F_OFD_GETLK, &whole) == 0;
  return known && whole.l_type != F_UNLCK ? ReadPid(descriptor.number()) : 0;
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace meridian::site
