// A snapshot's bytes, in its file and between data centers. Pure.
//
//   header:  "MRDNSNP1", u64 log id, u64 end offset, u64 hybrid time, u32 epoch,
//            u32 CRC-32C of these
//   blocks:  u32 bytes, u32 CRC-32C of the block before, continued over this one; then the items,
//            each u32 bytes and the item
//   end:     a block without items
// All big-endian. Each checksum continues the last, so missing or reordered blocks are detected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"

namespace meridian::store {

inline constexpr size_t kSnapshotHeaderBytes = 40;
inline constexpr size_t kBlockHeaderBytes = 8;

struct SnapshotInfo {
  uint64_t log_id = 0;
  uint64_t end_offset = 0;  // covers all records below
  HybridTime time;          // at or above that of all of them
  uint32_t epoch = 0;       // of the newest of them

  bool operator==(const SnapshotInfo&) const = default;
};

void AppendSnapshotHeader(const SnapshotInfo& info, std::vector<uint8_t>& into);
Result<SnapshotInfo> ParseSnapshotHeader(Bytes bytes);

void AppendItem(Bytes item, std::vector<uint8_t>& into);

// The bytes of items behind a block's header; kTooLarge: more than a block can have.
Result<size_t> BlockBodyBytes(Bytes header);

// The checksums along a snapshot's blocks.
class BlockChain {
 public:
  // Appends the header and the items as the next block; no items: the end.
  void AppendBlock(Bytes items, std::vector<uint8_t>& into);
  // Whether `block` is the next one, whole and undamaged.
  Result<void> Take(Bytes block);
  bool ended() const { return ended_; }

 private:
  uint32_t crc_ = 0;
  bool ended_ = false;
};

// Calls `visit(Bytes item)` for each item of a block that a SnapshotReader gave; kInvalid when they
// do not fill it exactly.
template <class Visit>
Result<void> ForEachItem(Bytes block, Visit visit) {
  ByteReader reader(block);
  reader.Skip(kBlockHeaderBytes);
  while (reader.ok() && reader.remaining() > 0) {
    uint32_t bytes = reader.U32();
    Bytes item = reader.Take(bytes);
    if (reader.ok()) visit(item);
  }
  if (!reader.ok()) return Fail(Errc::kInvalid, "a snapshot's block ends within an item");
  return {};
}

}  // namespace meridian::store
