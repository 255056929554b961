// Tombstones: decides how long tombstones are kept. Other data centers may still send older
// versions of a key, field or member that was deleted or has expired; its tombstone keeps those
// from bringing it back. A tombstone up to the stability horizon (replication/matrix_clock.hpp) is
// dropped: older content that arrives after that is ignored because of its stamp.
//
// Owned by the Keyspace; one thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/hybrid_clock.hpp"
#include "session/data/entry.hpp"
#include "session/data/key_table.hpp"

namespace meridian::session {

class Tombstones {
 public:
  explicit Tombstones(KeyTable& table) : table_(table) {}

  // The stability horizon: every data center has applied all writes with a stamp up to it. Max, at
  // first: there are no other data centers, and no tombstones are kept.
  void set_horizon(HybridTime horizon) { horizon_ = horizon; }
  HybridTime horizon() const { return horizon_; }
  bool kept() const { return horizon_ != HybridTime::Max(); }

  // Whether an entry that is not alive can be dropped: all of it is up to the stability horizon.
  bool CanDrop(const Entry& entry) const;
  // When the sweep is to visit the entry; Table::kDrop when the entry can be dropped, kNeverDue.
  int64_t DueOf(const Entry& entry) const;

  // Limits the work of one loop iteration.
  void BeginCollecting();
  // Drops tombstones within a living key, if there are enough of them for a walk over all items.
  // When that is to be tried again; Table::kNeverDue: the key has none.
  int64_t Collect(Entry& entry);
  // The limit is reached.
  bool exhausted() const { return budget_ == 0; }

 private:
  KeyTable& table_;
  HybridTime horizon_ = HybridTime::Max();
  size_t budget_ = 0;  // items that this loop iteration may still visit
};

}  // namespace meridian::session
