#include "watch/own_lines/trail_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/log_file.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"
#include "watch/own_lines/limits.hpp"
#include "watch/own_lines/log_trail.hpp"

namespace meridian::watch {
namespace {

FileIdentity IdentityOf(const struct stat& file) {
  return {.device = file.st_dev, .inode = file.st_ino};
}

WallTime ToWallTime(const timespec& time) {
  return WallTime{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

// Fewer bytes only at the end of the file.
Result<size_t> ReadSome(int fd, uint64_t offset, char* into, size_t bytes) {
  size_t got = 0;
  while (got < bytes) {
    const ssize_t read = ::pread(fd, into + got, bytes - got, static_cast<off_t>(offset + got));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return FailErrno(errno, "read");
    if (read == 0) break;
    got += static_cast<size_t>(read);
  }
  return got;
}

struct OpenFiles {
  std::vector<SeenFile> seen;
  std::vector<io::Fd> fds;
};

// Adds the file, unless it is not there or is one of the others: it was renamed meanwhile.
Result<void> AddFile(const std::string& path, OpenFiles* files) {
  // A pipe in its place must not block us.
  io::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd && errno == ENOENT) return {};
  if (!fd) return FailErrno(errno, path);
  struct stat file{};
  if (::fstat(fd.get(), &file) != 0) return FailErrno(errno, path);
  if (!S_ISREG(file.st_mode)) return {};
  SeenFile seen{.identity = IdentityOf(file),
                .bytes = static_cast<uint64_t>(file.st_size),
                .written = ToWallTime(file.st_mtim),
                .changed = std::max(ToWallTime(file.st_mtim), ToWallTime(file.st_ctim))};
  if (std::ranges::find(files->seen, seen.identity, &SeenFile::identity) != files->seen.end()) {
    return {};
  }
  std::array<char, kTrailHeadBytes> head{};
  if (seen.bytes >= head.size()) {
    Result<size_t> got = ReadSome(fd.get(), 0, head.data(), head.size());
    if (!got) return Fail(got.error());
    if (*got == head.size()) seen.head = Hash64(std::string_view(head.data(), head.size()));
  }
  files->seen.push_back(seen);
  files->fds.push_back(std::move(fd));
  return {};
}

}  // namespace

Result<std::optional<TrailRead>> ReadTrail(const std::string& path,
                                           const std::optional<TrailPosition>& position,
                                           WallTime now) {
  struct stat present{};
  const bool is_there = ::stat(path.c_str(), &present) == 0;
  if (is_there && position && IdentityOf(present) == position->file &&
      static_cast<uint64_t>(present.st_size) == position->offset) {
    return std::nullopt;
  }
  // From the newest to the oldest: a file that is renamed meanwhile is seen twice rather than not.
  OpenFiles files;
  for (int number = 0; number <= kMaxRotatedLogFiles; ++number) {
    Result<void> added = AddFile(number == 0 ? path : fmt::format("{}.{}", path, number), &files);
    if (!added) return Fail(added.error());
  }
  std::optional<TrailStep> step = NextStep(position, files.seen, now);
  if (!step) {
    const uint64_t held_back = position ? UnreadBytes(*position, files.seen) : 0;
    if (held_back == 0) return std::nullopt;
    return TrailRead{.step = {.offset = position->offset},
                     .position = *position,
                     .bytes = {},
                     .unread_bytes = held_back};
  }
  const SeenFile& file = files.seen[step->file];
  TrailRead read{.step = *step,
                 .position = {.file = file.identity,
                              .head = file.head,
                              .offset = step->offset,
                              .written = file.written}};
  read.bytes.resize(std::min<uint64_t>(kTrailReadBytes, file.bytes - step->offset));
  Result<size_t> got =
      ReadSome(files.fds[step->file].get(), step->offset, read.bytes.data(), read.bytes.size());
  if (!got) return Fail(got.error());
  read.bytes.resize(*got);
  TrailPosition after = read.position;
  after.offset += *got;
  read.unread_bytes = UnreadBytes(after, files.seen);
  return read;
}

}  // namespace meridian::watch
