#include "io/file/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/result.hpp"
#include "io/fd.hpp"

namespace meridian::io {
namespace {

constexpr size_t kReadPiece = 64 * 1024;
constexpr mode_t kPrivateFolderMode = 0700;

// "alice (uid 1000)"
std::string UserName(uid_t uid) {
  constexpr size_t kMaxEntryBytes = 16 * 1024;
  std::array<char, kMaxEntryBytes> text{};
  struct passwd entry{};
  struct passwd* found = nullptr;
  getpwuid_r(uid, &entry, text.data(), text.size(), &found);
  std::string number = "uid " + std::to_string(uid);
  return found == nullptr ? number : std::string(found->pw_name) + " (" + number + ")";
}

Result<void> WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FailErrno(errno, path);
    content.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Result<void> SyncDirectoryOf(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path();
  Fd fd(::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return FailErrno(errno, directory);
  return {};
}

Result<void> WriteAndSync(int fd, std::string_view content, mode_t mode, const std::string& path) {
  Result<void> written = WriteAll(fd, content, path);
  if (!written) return written;
  if (::fchmod(fd, mode) != 0 || ::fsync(fd) != 0) return FailErrno(errno, path);
  return {};
}

}  // namespace

Result<std::string> ReadFile(const std::string& path, size_t limit) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return FailErrno(errno, path);
  std::string content;
  for (;;) {
    size_t used = content.size();
    content.resize(used + std::min(kReadPiece, limit + 1 - used));
    ssize_t got = ::read(fd.get(), content.data() + used, content.size() - used);
    if (got < 0 && errno != EINTR) return FailErrno(errno, path);
    content.resize(used + static_cast<size_t>(std::max(got, ssize_t{0})));
    if (got == 0) return content;
    if (content.size() > limit) {
      return Fail(Errc::kTooLarge, "{} has more than {} bytes", path, limit);
    }
  }
}

Result<void> WriteFileAtomically(const std::string& path, std::string_view content, mode_t mode) {
  std::string temporary = path + ".new";
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!fd) return FailErrno(errno, path);
  Result<void> done = WriteAndSync(fd.get(), content, mode, path);
  if (done && ::rename(temporary.c_str(), path.c_str()) != 0) done = FailErrno(errno, path);
  if (!done) {
    ::unlink(temporary.c_str());
    return done;
  }
  return SyncDirectoryOf(path);
}

Result<void> EnsurePrivateFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), kPrivateFolderMode) != 0 && errno != EEXIST) {
    return FailErrno(errno, folder);
  }
  struct stat facts{};
  if (stat(folder.c_str(), &facts) != 0) return FailErrno(errno, folder);
  if (!S_ISDIR(facts.st_mode)) return Fail(Errc::kExists, "{} is not a folder", folder);
  if (facts.st_uid != geteuid()) {
    return Fail(Errc::kPermission, "{} belongs to another user: {}", folder,
                UserName(facts.st_uid));
  }
  if ((facts.st_mode & 077) != 0) {
    return Fail(Errc::kPermission, "{0} is open to other users; chmod 700 {0}", folder);
  }
  return {};
}

}  // namespace meridian::io
