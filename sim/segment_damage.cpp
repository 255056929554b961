#include "sim/segment_damage.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "io/file/disk.hpp"
#include "io/sim/disk_image.hpp"
#include "queue/partition/partition_log.hpp"
#include "queue/partition/segment.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::sim {
namespace {

// Bytes of a batch before its checksum's begin that no checksum covers, and that may be right by
// their form whatever they are.
bool IsUnchecked(uint64_t byte) { return byte < 8 || (byte >= 12 && byte < 16); }

// Narrows the damage to the batch that has the byte. False: the batch starts there with bytes that
// are not to be hit.
bool Narrow(SegmentDamage& damage, uint64_t byte, DamageKind kind) {
  uint64_t position = 0;
  for (Bytes rest = AsBytes(damage.before); !rest.empty();) {
    auto header = wire::kafka::ReadBatchHeader(rest);
    if (!header || header->bytes > rest.size()) return false;
    if (byte < position + header->bytes) {
      damage.begin_offset = header->base_offset;
      damage.next_offset = header->next_offset();
      return kind == DamageKind::kAnyByte || !IsUnchecked(byte - position);
    }
    position += header->bytes;
    rest = rest.subspan(header->bytes);
  }
  return false;
}

}  // namespace

std::optional<PlannedDamage> PlanDamage(const queue::PartitionLog& log, io::sim::DiskImage& disk,
                                        DamageKind kind, Random& random) {
  const std::vector<queue::SegmentPosition> synced = log.position().segments;
  if (synced.size() < 2) return std::nullopt;
  const queue::SegmentPosition& segment = synced[random.Below(synced.size() - 1)];
  PlannedDamage planned;
  planned.file_bytes = UINT64_MAX;
  SegmentDamage& damage = planned.damage;
  damage.path =
      log.folder() + "/" + queue::SegmentFileName(segment.base_offset, segment.generation);
  auto inode = disk.Open(damage.path, io::OpenMode::kRead);
  if (!inode || (*inode)->content.size() != segment.bytes) return std::nullopt;
  damage.before = (*inode)->content;
  damage.begin_offset = damage.segment_base_offset = segment.base_offset;
  damage.next_offset = damage.segment_end_offset = segment.end_offset;
  switch (random.Below(4)) {
    case 0:
      planned.removes = true;
      return planned;
    case 1:
      // An empty file may be one that retention has emptied.
      planned.file_bytes = 1 + random.Below(segment.bytes - 1);
      if (!Narrow(damage, planned.file_bytes, DamageKind::kAnyByte)) return std::nullopt;
      damage.next_offset = segment.end_offset;
      return planned;
    default:
      planned.flipped_byte = random.Below(segment.bytes);
      if (!Narrow(damage, *planned.flipped_byte, kind)) return std::nullopt;
      return planned;
  }
}

void Inflict(const PlannedDamage& planned, io::sim::DiskImage& disk, Random& random) {
  const std::string& path = planned.damage.path;
  if (planned.removes) return disk.Lose(path);
  if (planned.flipped_byte) return disk.FlipBit(path, *planned.flipped_byte * 8 + random.Below(8));
  disk.Shorten(path, planned.file_bytes);
}

}  // namespace meridian::sim
