// Which batches of another data center's copy may be written over damaged ones. Pure.
//
// Both copies have the same history (the caller has seen to it by the leader epoch), so nothing but
// the same bytes fits: the batch before the damage is the same in both, offsets and leader epochs
// are those that are known here, each checksum is right, and the batches end exactly where the
// damage ends.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "queue/partition/segment.hpp"
#include "queue/partition/segment_scan.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

struct DamagedPlace {
  BadBatches bad;
  // The sound batches before and behind it here, where there are such.
  std::optional<wire::kafka::BatchHeader> before;
  std::optional<wire::kafka::BatchHeader> behind;
  std::vector<LeaderEpochStart> epochs;

  // From where to fetch: the batch before is fetched as well, to be compared.
  int64_t fetch_offset() const { return before ? before->base_offset : bad.begin_offset; }
};

// The part of `fetched` that belongs into the place, from its begin on; it may be the first part of
// what is missing. `fetched` may end within a batch. Empty: the batch before is the same, and all
// that came; the next one is in another segment there. kInvalid: it does not fit, and why.
Result<Bytes> PatchFor(const DamagedPlace& place, Bytes fetched);

}  // namespace meridian::queue
