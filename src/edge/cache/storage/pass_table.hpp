// PassTable (hit-for-miss): keys whose last response could not be stored, or was too large.
// Requests for such a key are not coalesced: they would wait in vain. Each key has one slot by its
// hash; a newer key overwrites it, which costs the older key one wait. Owned by the edge, shared by
// its loops; any thread. Misses use it, hits do not: a few mutexes by slot suffice.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/storage/optional_mutex.hpp"

namespace meridian::edge {

class PassTable {
 public:
  explicit PassTable(bool shared = false, Duration time = kPassTime) : time_(time) {
    for (auto& mutex : mutexes_) mutex = std::make_unique<OptionalMutex>(shared);
  }

  bool Passes(uint64_t key, TimePoint now) const {
    const OptionalLock lock(MutexOf(key));
    const Slot& slot = slots_[key % slots_.size()];
    return slot.key == key && now < slot.until;
  }
  void Add(uint64_t key, TimePoint now) {
    const OptionalLock lock(MutexOf(key));
    slots_[key % slots_.size()] = {.key = key, .until = now + time_};
  }
  void Remove(uint64_t key) {
    const OptionalLock lock(MutexOf(key));
    Slot& slot = slots_[key % slots_.size()];
    if (slot.key == key) slot = {};
  }

 private:
  struct Slot {
    uint64_t key = 0;
    TimePoint until = TimePoint::min();
  };
  static_assert(kPassSlots % kPassMutexes == 0);  // so that a slot has one mutex
  OptionalMutex& MutexOf(uint64_t key) const { return *mutexes_[key % kPassMutexes]; }

  Duration time_;
  std::array<std::unique_ptr<OptionalMutex>, kPassMutexes> mutexes_;
  std::array<Slot, kPassSlots> slots_;
};

}  // namespace meridian::edge
