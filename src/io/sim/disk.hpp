// SimDisk: io::Disk of one process in a simulated world: the operations of its machine's DiskImage,
// each taking time. What is under way when the process crashes has perhaps happened. Owned by the
// process's life; one thread.
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
  Task<Result<std::vector<std::string>>> ListFolders(std::string folder) override;
  Task<Result<void>> SyncFolder(std::string folder) override;
  Task<Result<uint64_t>> FreeBytes(std::string folder) override;

  // The process crashed: who waits is woken with kCancelled, and nothing changes the image any
  // more.
  void Sever();

 private:
  class SimFile;
  class Delay;
  // Passes the time of one operation. kCancelled: nothing may happen any more.
  Task<Result<void>> Begin();
  Duration TimeOfOne();

  World& world_;
  DiskImage& image_;
  std::vector<Delay*> waiting_;
  bool severed_ = false;
};

}  // namespace meridian::io::sim
