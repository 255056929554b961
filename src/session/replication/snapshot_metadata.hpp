// SnapshotBasis: what a snapshot of the keyspace stands for beside the own log: how far the logs of
// the other data centers were applied, and what was known everywhere. It is the first item of a
// snapshot; those who read another's snapshot pass it over. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"

namespace meridian::session {

struct SnapshotMetadata {
  HybridTime stability_horizon;
  // By the id of a log: all of it below is in the snapshot. A data center may come back with
  // another log.
  std::map<uint64_t, uint64_t> applied;

  bool operator==(const SnapshotMetadata&) const = default;
};

std::string EncodeSnapshotMetadata(const SnapshotMetadata& metadata);
// Whether the item of a snapshot is a basis, and no record.
bool IsSnapshotMetadata(Bytes item);
// kInvalid.
Result<SnapshotMetadata> DecodeSnapshotMetadata(Bytes item);

}  // namespace meridian::session
