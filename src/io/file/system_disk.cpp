#include "io/file/system_disk.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/fd.hpp"
#include "io/fiber.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"

namespace meridian::io {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;
// The limit of adjoining writes that become one.
constexpr size_t kMaxGatheredWrites = 64;

// Runs `work` on the pool, unless the fiber was cancelled before.
template <class Work>
Task<std::invoke_result_t<Work>> OnPool(BlockingPool& pool, Work work) {
  Fiber& fiber = co_await ThisFiber{};
  if (fiber.cancelled()) co_return Fail(Errc::kCancelled, "disk operation cancelled");
  co_return co_await RunBlocking(pool, std::move(work));
}

Result<void> ResultOf(int returned, const std::string& what) {
  if (returned != 0) return FailErrno(errno, what);
  return {};
}

int FlagsOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT;
    case OpenMode::kCreateNew:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

Result<size_t> ReadAll(int fd, uint64_t offset, MutableBytes into, const std::string& path) {
  size_t done = 0;
  while (done < into.size()) {
    ssize_t count =
        ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FailErrno(errno, path);
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

Result<void> WriteAll(int fd, uint64_t offset, Bytes data, const std::string& path) {
  while (!data.empty()) {
    ssize_t count = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FailErrno(errno, path);
    offset += static_cast<uint64_t>(count);
    data = data.subspan(static_cast<size_t>(count));
  }
  return {};
}

class SystemFile final : public File {
 public:
  SystemFile(BlockingPool& pool, Fd fd, std::string path)
      : pool_(pool), fd_(std::move(fd)), path_(std::move(path)) {}

  Task<Result<size_t>> ReadAt(uint64_t offset, MutableBytes into) override {
    return OnPool(pool_, [this, offset, into] { return ReadAll(fd_.get(), offset, into, path_); });
  }
  Task<Result<void>> WriteAt(uint64_t offset, Bytes data) override {
    return OnPool(pool_, [this, offset, data] { return WriteAll(fd_.get(), offset, data, path_); });
  }
  Task<Result<void>> Truncate(uint64_t bytes) override {
    return OnPool(pool_, [this, bytes] {
      return ResultOf(::ftruncate(fd_.get(), static_cast<off_t>(bytes)), path_);
    });
  }
  // Syncs the data, and the metadata that reading needs, such as the length.
  Task<Result<void>> Sync() override {
    return OnPool(pool_, [this] { return ResultOf(::fdatasync(fd_.get()), path_); });
  }
  Task<Result<void>> WriteAndSync(uint64_t offset, Bytes data) override {
    return OnPool(pool_, [this, offset, data]() -> Result<void> {
      if (auto written = WriteAll(fd_.get(), offset, data, path_); !written) return written;
      if (::fdatasync(fd_.get()) == 0) return {};
      Result<void> failed = FailErrno(errno, path_);
      return SyncFailure(failed.error());
    });
  }
  Task<Result<uint64_t>> Size() override {
    return OnPool(pool_, [this]() -> Result<uint64_t> {
      struct stat status{};
      if (::fstat(fd_.get(), &status) != 0) return FailErrno(errno, path_);
      return static_cast<uint64_t>(status.st_size);
    });
  }

 private:
  int descriptor() const override { return fd_.get(); }

  BlockingPool& pool_;
  Fd fd_;
  std::string path_;
};

// Calls `take` with each entry of this type.
template <class Take>
Result<void> ForEachEntry(const std::string& folder, std::filesystem::file_type wanted, Take take) {
  std::error_code failed;
  std::filesystem::directory_iterator entries(folder, failed);
  while (!failed && entries != std::filesystem::directory_iterator()) {
    std::error_code vanished;
    if (entries->status(vanished).type() == wanted) take(*entries);
    entries.increment(failed);
  }
  if (failed) return FailErrno(failed.value(), folder);
  return {};
}

Result<std::vector<std::string>> ListAll(const std::string& folder,
                                         std::filesystem::file_type wanted) {
  std::vector<std::string> names;
  Result<void> listed = ForEachEntry(
      folder, wanted, [&](const auto& entry) { names.push_back(entry.path().filename()); });
  if (!listed) return Fail(std::move(listed.error()));
  std::ranges::sort(names);
  return names;
}

Result<std::vector<ListedFile>> ListSizesNow(const std::string& folder) {
  std::vector<ListedFile> files;
  auto take = [&](const std::filesystem::directory_entry& entry) {
    std::error_code vanished;
    uintmax_t bytes = entry.file_size(vanished);
    if (!vanished) files.push_back({.name = entry.path().filename(), .bytes = bytes});
  };
  Result<void> listed = ForEachEntry(folder, std::filesystem::file_type::regular, take);
  if (!listed) return Fail(std::move(listed.error()));
  std::ranges::sort(files, {}, &ListedFile::name);
  return files;
}

// Writes `pieces` one behind the other; they are used up.
Result<void> WriteAllPieces(int fd, uint64_t offset, std::span<iovec> pieces) {
  while (!pieces.empty()) {
    ssize_t count =
        ::pwritev(fd, pieces.data(), static_cast<int>(pieces.size()), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FailErrno(errno, "write to several files");
    offset += static_cast<uint64_t>(count);
    auto left = static_cast<size_t>(count);
    while (!pieces.empty() && left >= pieces.front().iov_len) {
      left -= pieces.front().iov_len;
      pieces = pieces.subspan(1);
    }
    if (pieces.empty()) break;
    pieces.front().iov_base = static_cast<uint8_t*>(pieces.front().iov_base) + left;
    pieces.front().iov_len -= left;
  }
  return {};
}

Result<void> SyncFolderNow(const std::string& folder) {
  Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return FailErrno(errno, folder);
  return ResultOf(::fsync(fd.get()), folder);
}

std::string ParentOf(const std::string& folder) {
  std::filesystem::path path(folder);
  if (!path.has_filename()) path = path.parent_path();  // the path ended with a slash
  return path.has_parent_path() ? path.parent_path() : ".";
}

}  // namespace

Task<Result<std::unique_ptr<File>>> SystemDisk::Open(std::string path, OpenMode mode) {
  return OnPool(pool_, [this, path, mode]() -> Result<std::unique_ptr<File>> {
    Fd fd(::open(path.c_str(), FlagsOf(mode) | O_CLOEXEC, kFileMode));
    if (!fd) return FailErrno(errno, path);
    return std::make_unique<SystemFile>(pool_, std::move(fd), path);
  });
}

Task<Result<void>> SystemDisk::Rename(std::string from, std::string to) {
  return OnPool(pool_, [from, to] { return ResultOf(::rename(from.c_str(), to.c_str()), from); });
}

Task<Result<void>> SystemDisk::Remove(std::string path) {
  return OnPool(pool_, [path] { return ResultOf(::unlink(path.c_str()), path); });
}

Task<Result<void>> SystemDisk::MakeFolder(std::string path) {
  return OnPool(pool_, [path]() -> Result<void> {
    if (::mkdir(path.c_str(), kFolderMode) != 0 && errno != EEXIST) return FailErrno(errno, path);
    // Also for an existing folder: its creator may have been killed before the sync.
    Result<void> synced = SyncFolderNow(ParentOf(path));
    bool impossible = !synced && (synced.error().code == Errc::kPermission ||
                                  synced.error().code == Errc::kInvalid);
    return impossible ? Result<void>() : synced;
  });
}

Task<Result<std::vector<std::string>>> SystemDisk::List(std::string folder) {
  return OnPool(pool_, [folder] { return ListAll(folder, std::filesystem::file_type::regular); });
}

Task<Result<std::vector<ListedFile>>> SystemDisk::ListSizes(std::string folder) {
  return OnPool(pool_, [folder] { return ListSizesNow(folder); });
}

Task<Result<std::vector<std::string>>> SystemDisk::ListFolders(std::string folder) {
  return OnPool(pool_, [folder] { return ListAll(folder, std::filesystem::file_type::directory); });
}

Task<Result<void>> SystemDisk::SyncFolder(std::string folder) {
  return OnPool(pool_, [folder] { return SyncFolderNow(folder); });
}

Task<Result<void>> SystemDisk::RemoveFolder(std::string folder) {
  return OnPool(pool_, [folder] { return ResultOf(::rmdir(folder.c_str()), folder); });
}

Result<void> SystemDisk::WriteNow(std::span<const FileWrite> writes) {
  std::array<iovec, kMaxGatheredWrites> pieces;  // NOLINT: filled below
  while (!writes.empty()) {
    const FileWrite& first = writes.front();
    uint64_t end = first.offset;
    size_t count = 0;
    while (count < std::min(pieces.size(), writes.size())) {
      const FileWrite& next = writes[count];
      if (next.file != first.file || next.offset != end) break;
      end += next.data.size();
      pieces[count++] = {.iov_base = const_cast<uint8_t*>(next.data.data()),
                         .iov_len = next.data.size()};
    }
    auto written =
        WriteAllPieces(first.file->descriptor(), first.offset, std::span(pieces).first(count));
    if (!written) return written;
    writes = writes.subspan(count);
  }
  return {};
}

Task<Result<void>> SystemDisk::WriteFiles(std::span<const FileWrite> writes) {
  bool known = std::ranges::all_of(
      writes, [](const FileWrite& write) { return write.file->descriptor() >= 0; });
  if (!known) return Disk::WriteFiles(writes);
  return OnPool(pool_, [writes] { return WriteNow(writes); });
}

Result<void> SystemDisk::SyncNow(std::span<File* const> files,
                                 std::span<const std::string> folders) {
  for (File* file : files) {
    if (::fdatasync(file->descriptor()) == 0) continue;
    Result<void> failed = FailErrno(errno, "sync of several files");
    return SyncFailure(failed.error());
  }
  for (const std::string& folder : folders) {
    if (auto synced = SyncFolderNow(folder); !synced) return SyncFailure(synced.error());
  }
  return {};
}

Task<Result<void>> SystemDisk::SyncFiles(std::span<File* const> files,
                                         std::span<const std::string> folders) {
  bool known = std::ranges::all_of(files, [](File* file) { return file->descriptor() >= 0; });
  if (!known) return Disk::SyncFiles(files, folders);
  return OnPool(pool_, [files, folders] { return SyncNow(files, folders); });
}

Task<Result<uint64_t>> SystemDisk::FreeBytes(std::string folder) {
  return OnPool(pool_, [folder]() -> Result<uint64_t> {
    struct statvfs status{};
    if (::statvfs(folder.c_str(), &status) != 0) return FailErrno(errno, folder);
    return uint64_t{status.f_bavail} * status.f_frsize;
  });
}

}  // namespace meridian::io
