#include "store/snapshot/snapshot_format.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "base/result.hpp"
#include "store/limits.hpp"

namespace meridian::store {
namespace {

constexpr std::string_view kMagic = "MRDNSNP1";
constexpr size_t kMaxBlockBodyBytes = kSnapshotBlockBytes + kMaxSnapshotItemBytes + 4;

}  // namespace

void AppendSnapshotHeader(const SnapshotInfo& info, std::vector<uint8_t>& into) {
  uint8_t bytes[kSnapshotHeaderBytes];
  ByteWriter writer(bytes);
  writer.Append(AsBytes(kMagic));
  writer.U64(info.log_id);
  writer.U64(info.end_offset);
  writer.U64(info.time.bits);
  writer.U32(info.epoch);
  writer.U32(Crc32c(writer.written()));
  into.insert(into.end(), bytes, bytes + kSnapshotHeaderBytes);
}

Result<SnapshotInfo> ParseSnapshotHeader(Bytes bytes) {
  ByteReader reader(bytes);
  if (AsText(reader.Take(kMagic.size())) != kMagic) {
    return Fail(Errc::kInvalid, "this is no snapshot");
  }
  SnapshotInfo info;
  info.log_id = reader.U64();
  info.end_offset = reader.U64();
  info.time = {reader.U64()};
  info.epoch = reader.U32();
  if (!reader.ok()) return Fail(Errc::kInvalid, "a snapshot's header is cut off");
  Bytes fields = bytes.first(reader.offset());
  if (reader.U32() != Crc32c(fields) || !reader.ok() || info.end_offset > kMaxOffset) {
    return Fail(Errc::kInvalid, "a snapshot's header is damaged");
  }
  return info;
}

void AppendItem(Bytes item, std::vector<uint8_t>& into) {
  uint8_t bytes[4];
  ByteWriter(bytes).U32(static_cast<uint32_t>(item.size()));
  into.insert(into.end(), bytes, bytes + sizeof(bytes));
  into.insert(into.end(), item.begin(), item.end());
}

Result<size_t> BlockBodyBytes(Bytes header) {
  ByteReader reader(header);
  uint32_t bytes = reader.U32();
  if (!reader.ok()) return Fail(Errc::kInvalid, "a snapshot ends within a block's header");
  if (bytes > kMaxBlockBodyBytes) {
    return Fail(Errc::kTooLarge, "a snapshot's block of {} bytes; at most {} are allowed", bytes,
                kMaxBlockBodyBytes);
  }
  return size_t{bytes};
}

void BlockChain::AppendBlock(Bytes items, std::vector<uint8_t>& into) {
  crc_ = Crc32c(items, crc_);
  ended_ = items.empty();
  uint8_t header[kBlockHeaderBytes];
  ByteWriter writer(header);
  writer.U32(static_cast<uint32_t>(items.size()));
  writer.U32(crc_);
  into.insert(into.end(), header, header + kBlockHeaderBytes);
  into.insert(into.end(), items.begin(), items.end());
}

Result<void> BlockChain::Take(Bytes block) {
  if (ended_) return Fail(Errc::kInvalid, "a snapshot goes on behind its end");
  ByteReader reader(block);
  Result<size_t> bytes = BlockBodyBytes(reader.Take(kBlockHeaderBytes));
  if (!bytes) return Fail(bytes.error());
  Bytes items = reader.Take(*bytes);
  if (!reader.ok() || reader.remaining() > 0) {
    return Fail(Errc::kInvalid, "a snapshot's block has another length than it says");
  }
  uint32_t crc = Crc32c(items, crc_);
  if (ByteReader(block.subspan(4)).U32() != crc) {
    return Fail(Errc::kInvalid, "a snapshot's block is damaged, or not the next one");
  }
  crc_ = crc;
  ended_ = items.empty();
  return {};
}

}  // namespace meridian::store
