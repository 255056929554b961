// SystemDisk: implements Disk by the machine's files and a pool of blocking threads. Owned by main;
// one thread: the loop's. Its files may be used by fibers of several loops (their descriptors never
// change, and reads and writes name their offsets). It and its files must be destroyed before the
// pool.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/file/disk.hpp"

namespace meridian::io {

class SystemDisk final : public Disk {
 public:
  explicit SystemDisk(BlockingPool& pool) : pool_(pool) {}

  // Creates files with mode 0600 and folders with 0700.
  Task<Result<std::unique_ptr<File>>> Open(std::string path, OpenMode mode) override;
  Task<Result<void>> Rename(std::string from, std::string to) override;
  Task<Result<void>> Remove(std::string path) override;
  Task<Result<void>> MakeFolder(std::string path) override;
  Task<Result<std::vector<std::string>>> List(std::string folder) override;
  Task<Result<std::vector<ListedFile>>> ListSizes(std::string folder) override;
  Task<Result<std::vector<std::string>>> ListFolders(std::string folder) override;
  Task<Result<void>> SyncFolder(std::string folder) override;
  Task<Result<void>> RemoveFolder(std::string folder) override;
  // Adjoining writes of one file become one.
  Task<Result<void>> WriteFiles(std::span<const FileWrite> writes) override;
  Task<Result<void>> SyncFiles(std::span<File* const> files,
                               std::span<const std::string> folders) override;
  Task<Result<uint64_t>> FreeBytes(std::string folder) override;

 private:
  static Result<void> WriteNow(std::span<const FileWrite> writes);
  static Result<void> SyncNow(std::span<File* const> files, std::span<const std::string> folders);

  BlockingPool& pool_;
};

}  // namespace meridian::io
