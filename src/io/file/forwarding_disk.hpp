// For tests: ForwardingDisk passes every call to another disk, so that a faulty disk overrides only
// the calls that fail. The other disk outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"

namespace meridian::io {

class ForwardingDisk : public Disk {
 public:
  explicit ForwardingDisk(Disk& disk) : disk_(disk) {}

  Task<Result<std::unique_ptr<File>>> Open(std::string path, OpenMode mode) override {
    return disk_.Open(std::move(path), mode);
  }
  Task<Result<void>> Rename(std::string from, std::string to) override {
    return disk_.Rename(std::move(from), std::move(to));
  }
  Task<Result<void>> Remove(std::string path) override { return disk_.Remove(std::move(path)); }
  Task<Result<void>> MakeFolder(std::string path) override {
    return disk_.MakeFolder(std::move(path));
  }
  Task<Result<std::vector<std::string>>> List(std::string folder) override {
    return disk_.List(std::move(folder));
  }
  Task<Result<std::vector<ListedFile>>> ListSizes(std::string folder) override {
    return disk_.ListSizes(std::move(folder));
  }
  Task<Result<std::vector<std::string>>> ListFolders(std::string folder) override {
    return disk_.ListFolders(std::move(folder));
  }
  Task<Result<void>> SyncFolder(std::string folder) override {
    return disk_.SyncFolder(std::move(folder));
  }
  Task<Result<void>> RemoveFolder(std::string folder) override {
    return disk_.RemoveFolder(std::move(folder));
  }
  Task<Result<void>> WriteFiles(std::span<const FileWrite> writes) override {
    return disk_.WriteFiles(writes);
  }
  Task<Result<void>> SyncFiles(std::span<File* const> files,
                               std::span<const std::string> folders) override {
    return disk_.SyncFiles(files, folders);
  }
  Task<Result<uint64_t>> FreeBytes(std::string folder) override {
    return disk_.FreeBytes(std::move(folder));
  }

 private:
  Disk& disk_;
};

}  // namespace meridian::io
