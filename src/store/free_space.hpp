// FreeSpace: whether a file system keeps a reserve free: the last reading of its free space, less
// what was appended since. Without the second part appends between two readings use up the reserve.
//
// Pure; owned by whatever writes. One thread.
#pragma once

#include <cstdint>
#include <optional>

namespace meridian::store {

class FreeSpace {
 public:
  explicit FreeSpace(uint64_t reserve_bytes) : reserve_(reserve_bytes) {}

  // `bytes` will be written.
  void Charge(uint64_t bytes) { charged_ += bytes; }
  uint64_t charged() const { return charged_; }
  // A reading of the disk. `charged`: charged() before the disk was asked; of this, `unwritten`
  // bytes were not on the disk yet.
  void Take(uint64_t free_bytes, uint64_t charged, uint64_t unwritten) {
    free_ = free_bytes;
    charged_ = charged_ - charged + unwritten;
  }

  // Whether the reserve stays free when `bytes` more are written. Always before the first reading,
  // and where there is no reserve.
  bool HasRoomFor(uint64_t bytes) const {
    if (!free_ || reserve_ == 0) return true;
    uint64_t left = *free_ < charged_ ? 0 : *free_ - charged_;
    return left >= reserve_ && left - reserve_ >= bytes;
  }
  uint64_t reserve_bytes() const { return reserve_; }

 private:
  uint64_t reserve_;
  std::optional<uint64_t> free_;
  uint64_t charged_ = 0;
};

}  // namespace meridian::store
