// Damage to segment files of a simulated queue, as rotting bits and broken file systems do it: a
// flipped byte, a file that is missing or too short. It hits files that are synced and never
// written to again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/random.hpp"
#include "io/sim/disk_image.hpp"
#include "queue/partition/partition_log.hpp"

namespace meridian::sim {

struct SegmentDamage {
  std::string path;
  std::string before;  // what the file held
  int64_t segment_base_offset = 0;
  int64_t segment_end_offset = 0;
  // The batches that are damaged have these offsets.
  int64_t begin_offset = 0;
  int64_t next_offset = 0;
};

enum class DamageKind : uint8_t {
  kAnyByte,
  kCheckedByte,  // not of base offset and leader epoch, which no checksum covers
};

// A closed segment of the log, if there is one, and what will happen to it. Nothing: there is none.
struct PlannedDamage {
  SegmentDamage damage;
  uint64_t file_bytes = 0;               // that stay; UINT64_MAX: all
  bool removes = false;                  // the file
  std::optional<uint64_t> flipped_byte;  // its position
};
std::optional<PlannedDamage> PlanDamage(const queue::PartitionLog& log, io::sim::DiskImage& disk,
                                        DamageKind kind, Random& random);
void Inflict(const PlannedDamage& planned, io::sim::DiskImage& disk, Random& random);

}  // namespace meridian::sim
