// SimDisk: the io::Disk of one process in a simulated world. It runs operations on its machine's
// DiskImage and lets each take time. An operation in progress at a crash may have taken effect.
// Owned by the process's life; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/sim/disk_image.hpp"
#include "io/task.hpp"

namespace meridian::io::sim {

class World;

class SimDisk final : public Disk {
 public:
  SimDisk(World& world, DiskImage& image) : world_(world), image_(image) {}

  Task<Result<std::unique_ptr<File>>> Open(std::string path, OpenMode mode) override;
  Task<Result<void>> Rename(std::string from, std::string to) override;
  Task<Result<void>> Remove(std::string path) override;
  Task<Result<void>> MakeFolder(std::string path) override;
  Task<Result<std::vector<std::string>>> List(std::string folder) override;
  Task<Result<std::vector<ListedFile>>> ListSizes(std::string folder) override;
  Task<Result<std::vector<std::string>>> ListFolders(std::string folder) override;
  Task<Result<void>> SyncFolder(std::string folder) override;
  Task<Result<void>> RemoveFolder(std::string folder) override;
  Task<Result<uint64_t>> FreeBytes(std::string folder) override;

  // Call when the process crashed: waiting operations end with kCancelled, and no later operation
  // changes the image.
  void Sever();

 private:
  class SimFile;
  class Delay;
  // Waits for the time of one operation. kCancelled: the operation must not take effect.
  Task<Result<void>> Begin();
  Duration TimeOfOne();

  World& world_;
  DiskImage& image_;
  std::vector<Delay*> waiting_;
  bool severed_ = false;
};

}  // namespace meridian::io::sim
