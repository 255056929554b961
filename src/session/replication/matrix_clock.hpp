// MatrixClock: up to which stamp each data center has applied the writes of each other one, as far
// as this data center knows: the matrix of Wuu and Bernstein 1984, "Efficient Solutions to the
// Replicated Log and Dictionary Problems". Once a second each data center appends a heartbeat to
// its own log, with the stamps up to which it has applied the writes of each. A log is in the order
// of its stamps, so a heartbeat also says that all earlier writes of its author were read.
//
// The stability horizon is the minimum of the matrix: every data center has applied all writes with
// a stamp up to it. Tombstones up to it are dropped. Older content that arrives here later, in a
// log or in a snapshot, is ignored because of its stamp (DropStable in session/data/merge.hpp), and
// no data center can still extend such content, as adding to a counter or another expiry would: it
// has applied the deletion. While two data centers cannot hear each other, the horizon stands still
// in all of them.
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
  // For each data center: the stamp up to which it has applied the writes of all.
  std::vector<HybridTime> complete_;
};

}  // namespace meridian::session
