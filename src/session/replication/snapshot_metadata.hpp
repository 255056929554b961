// SnapshotMetadata: what a snapshot of the keyspace covers beside this data center's own log: how
// far the other logs were applied, and the stability horizon. It is the first item of a snapshot;
// other data centers skip it. Pure.
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
  // By the id of a log: the snapshot covers all of it below this end offset. A data center that
  // comes back with a new disk has a log with another id.
  std::map<uint64_t, uint64_t> applied;

  bool operator==(const SnapshotMetadata&) const = default;
};

std::string EncodeSnapshotMetadata(const SnapshotMetadata& metadata);
// Whether the item of a snapshot is metadata, and no change.
bool IsSnapshotMetadata(Bytes item);
// kInvalid.
Result<SnapshotMetadata> DecodeSnapshotMetadata(Bytes item);

}  // namespace meridian::session
