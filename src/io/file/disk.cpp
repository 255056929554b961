#include "io/file/disk.hpp"

#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/task.hpp"

namespace meridian::io {

std::unexpected<Error> SyncFailure(const Error& error) {
  Errc code = error.code == Errc::kCancelled ? Errc::kCancelled : Errc::kIo;
  return Fail(code, "sync failed: {}", error.message);
}

Task<Result<void>> File::WriteAndSync(uint64_t offset, Bytes data) {
  if (auto written = co_await WriteAt(offset, data); !written) co_return written;
  if (auto synced = co_await Sync(); !synced) co_return SyncFailure(synced.error());
  co_return Result<void>{};
}

Task<Result<void>> Disk::WriteFiles(std::span<const FileWrite> writes) {
  for (const FileWrite& write : writes) {
    auto written = co_await write.file->WriteAt(write.offset, write.data);
    if (!written) co_return written;
  }
  co_return Result<void>{};
}

Task<Result<void>> Disk::SyncFiles(std::span<File* const> files,
                                   std::span<const std::string> folders) {
  for (File* file : files) {
    if (auto synced = co_await file->Sync(); !synced) co_return SyncFailure(synced.error());
  }
  for (const std::string& folder : folders) {
    if (auto synced = co_await SyncFolder(folder); !synced) co_return SyncFailure(synced.error());
  }
  co_return Result<void>{};
}

}  // namespace meridian::io
