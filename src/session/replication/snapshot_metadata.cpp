#include "session/replication/snapshot_metadata.hpp"

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meridian::session {
namespace {

// No version of a change.
constexpr uint8_t kMetadataMark = 0xff;

void PutNumber(uint64_t number, std::string* into) {
  for (int shift = 56; shift >= 0; shift -= 8) *into += static_cast<char>(number >> shift);
}

}  // namespace

// The mark, u64 stability horizon, u64 count, then for each u64 log, u64 end offset; big-endian.
std::string EncodeSnapshotMetadata(const SnapshotMetadata& metadata) {
  std::string bytes(1, static_cast<char>(kMetadataMark));
  PutNumber(metadata.stability_horizon.bits, &bytes);
  PutNumber(metadata.applied.size(), &bytes);
  for (const auto& [log, offset] : metadata.applied) {
    PutNumber(log, &bytes);
    PutNumber(offset, &bytes);
  }
  return bytes;
}

bool IsSnapshotMetadata(Bytes item) { return !item.empty() && item[0] == kMetadataMark; }

Result<SnapshotMetadata> DecodeSnapshotMetadata(Bytes item) {
  ByteReader reader(item);
  SnapshotMetadata metadata;
  bool marked = reader.U8() == kMetadataMark;
  metadata.stability_horizon.bits = reader.U64();
  uint64_t count = reader.U64();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    uint64_t log = reader.U64();
    metadata.applied[log] = reader.U64();
  }
  if (!marked || !reader.ok() || reader.remaining() > 0) {
    return Fail(Errc::kInvalid, "the metadata of a session snapshot cannot be decoded");
  }
  return metadata;
}

}  // namespace meridian::session
