// PassTable (hit-for-miss): keys whose last response could not be stored, or was too large.
// Requests for such a key are not coalesced: they would wait in vain. Each key has one slot by its
// hash; a newer key overwrites it, which costs the older key one wait. Owned by the edge; one
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "edge/cache/limits.hpp"

namespace meridian::edge {

class PassTable {
 public:
  explicit PassTable(Duration time = kPassTime) : time_(time) {}

  bool Passes(uint64_t key, TimePoint now) const {
    const Slot& slot = slots_[key % slots_.size()];
    return slot.key == key && now < slot.until;
  }
  void Add(uint64_t key, TimePoint now) {
    slots_[key % slots_.size()] = {.key = key, .until = now + time_};
  }
  void Remove(uint64_t key) {
    Slot& slot = slots_[key % slots_.size()];
    if (slot.key == key) slot = {};
  }

 private:
  struct Slot {
    uint64_t key = 0;
    TimePoint until = TimePoint::min();
  };
  Duration time_;
  std::array<Slot, kPassSlots> slots_;
};

}  // namespace meridian::edge
