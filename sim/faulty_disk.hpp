// FaultyDisk: a disk whose syncs succeed without syncing, to plant bugs that simulations must
// catch; or a disk with one full folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/file/forwarding_disk.hpp"
#include "io/task.hpp"

namespace meridian::sim {

struct SyncFaults {
  bool files = false;                 // File::Sync does nothing
  std::string_view only_files_below;  // where not empty: of files whose paths begin with it
  bool folders = false;               // Disk::SyncFolder does nothing
  // While it names a folder, that folder has no room. Outlives the disk.
  const std::string* full_folder = nullptr;
};

class UnsyncedFile final : public io::File {
 public:
  explicit UnsyncedFile(std::unique_ptr<io::File> file) : file_(std::move(file)) {}
  io::Task<Result<size_t>> ReadAt(uint64_t offset, MutableBytes into) override {
    return file_->ReadAt(offset, into);
  }
  io::Task<Result<void>> WriteAt(uint64_t offset, Bytes data) override {
    return file_->WriteAt(offset, data);
  }
  io::Task<Result<void>> Truncate(uint64_t bytes) override { return file_->Truncate(bytes); }
  io::Task<Result<void>> Sync() override { co_return Result<void>{}; }
  io::Task<Result<uint64_t>> Size() override { return file_->Size(); }

 private:
  std::unique_ptr<io::File> file_;
};

class FaultyDisk final : public io::ForwardingDisk {
 public:
  FaultyDisk(io::Disk& disk, SyncFaults faults) : ForwardingDisk(disk), faults_(faults) {}

  io::Task<Result<std::unique_ptr<io::File>>> Open(std::string path, io::OpenMode mode) override {
    bool unsynced = faults_.files && path.starts_with(faults_.only_files_below);
    auto file = co_await ForwardingDisk::Open(std::move(path), mode);
    if (!file || !unsynced) co_return file;
    co_return std::make_unique<UnsyncedFile>(std::move(*file));
  }
  io::Task<Result<void>> SyncFolder(std::string folder) override {
    if (faults_.folders) co_return Result<void>{};
    co_return co_await ForwardingDisk::SyncFolder(std::move(folder));
  }
  io::Task<Result<uint64_t>> FreeBytes(std::string folder) override {
    if (faults_.full_folder != nullptr && folder == *faults_.full_folder) co_return uint64_t{0};
    co_return co_await ForwardingDisk::FreeBytes(std::move(folder));
  }

 private:
  SyncFaults faults_;
};

}  // namespace meridian::sim
