// MatrixClock: what each data center has applied of every other one's writes (Wuu and Bernstein
// 1984, "Efficient Solutions to the Replicated Log and Dictionary Problems"). Once a second each
// data center appends a heartbeat to its own log. It says up to which time the data center has
// applied the writes of each. A log is in the order of its stamps, so a heartbeat also says that
// all earlier writes of its author were read.
//
// The stability horizon: everything with a stamp up to it was applied in every data center, and all
// of that was applied here. Tombstones up to it can be dropped: no log will bring older versions
// here again, and no data center needs to learn of the deletion from here.
//
// Pure. Owned by the Replication; one thread.
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
  // For each data center: up to when its writes are applied at the author.
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

  // A heartbeat of another data center, and all before it in its log, was applied here. kInvalid:
  // its replica ids are not ours, so its stamps would mean something else.
  Result<void> Observe(size_t replica_id, const Heartbeat& heartbeat);
  // This data center's heartbeat; `now` is above all stamps that it gave.
  Heartbeat MakeHeartbeat(HybridTime now) const;

  HybridTime stability_horizon() const;
  // Up to when the writes of `replica_id` are applied here.
  HybridTime applied(size_t replica_id) const { return applied_[replica_id]; }
  // Up to when our writes are applied there.
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
