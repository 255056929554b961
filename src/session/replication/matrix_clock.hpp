// MatrixClock: up to which stamp this data center has applied each other one's writes, and each
// other one has applied this one's: the own row and the own column of the matrix of Wuu and
// Bernstein 1984, "Efficient Solutions to the Replicated Log and Dictionary Problems". Once a
// second each data center appends a heartbeat to its own log. It says up to which stamp the data
// center has applied the writes of each. A log is in the order of its stamps, so a heartbeat also
// says that all earlier writes of its author were read.
//
// The stability horizon is the minimum of the two: all writes with a stamp up to it were applied
// here, and this data center's own ones were applied in every other. Whether other data centers
// have applied each other's writes is not part of it. Tombstones up to it are dropped. The
// tombstone is not needed here: older content that arrives later, in a log or in the snapshot of a
// data center that has not applied the deletion, has a stamp up to the horizon and is ignored
// (DropStable in session/data/merge.hpp). Nor is it needed elsewhere: a data center learns of a
// deletion from the log or snapshot of its author, and the author keeps the tombstone until that
// data center has acknowledged it. Two new writes of a data center that has not applied the
// deletion or expiry are an exception, as they extend older content that is not here any more: it
// adds to a counter, or sets another expiry. Then the key differs here.
//
// Does no I/O and reads no clock. Owned by the Replication; one thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"

namespace meridian::session {

struct Heartbeat {
  // Earlier records of its author have lower stamps, later ones higher.
  HybridTime time;
  // The site's data centers by replica id.
  std::vector<std::string> data_centers;
  // For each data center: the stamp up to which its writes are applied at the author.
  std::vector<HybridTime> applied;

  bool operator==(const Heartbeat&) const = default;
};
std::string EncodeHeartbeat(const Heartbeat& heartbeat);
// kInvalid.
Result<Heartbeat> DecodeHeartbeat(Bytes bytes);

class MatrixClock {
 public:
  // `own_id`: this data center's replica id.
  MatrixClock(std::vector<std::string> data_centers, size_t own_id);

  // To be called when a heartbeat of another data center, and everything before it in its log, was
  // applied here. kInvalid: its replica ids are not ours, so its stamps would mean something else.
  Result<void> Observe(size_t replica_id, const Heartbeat& heartbeat);
  // This data center's heartbeat; `now` is above all stamps that it gave.
  Heartbeat MakeHeartbeat(HybridTime now) const;

  // Zero until every other data center was heard; Max without other data centers.
  HybridTime stability_horizon() const;
  // The stamp up to which the writes of `replica_id` are applied here.
  HybridTime applied(size_t replica_id) const { return applied_[replica_id]; }
  // The stamp up to which our writes are applied there.
  HybridTime acknowledged(size_t replica_id) const { return acknowledged_[replica_id]; }
  const std::vector<std::string>& data_centers() const { return data_centers_; }
  size_t own_id() const { return own_id_; }

 private:
  std::vector<std::string> data_centers_;
  size_t own_id_;
  std::vector<HybridTime> applied_;
  std::vector<HybridTime> acknowledged_;
};

}  // namespace meridian::session
