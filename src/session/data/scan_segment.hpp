// ScanSegment: one segment of a ScanTable: a power of two of slots. A slot has 8 bytes: 48 bits of
// a pointer to an item, and a tag, 16 bits of the item's hash, of which 9 say where in the segment
// the item's home is; 0 is an empty slot. At most three quarters of the slots are filled.
//
// One thread. Invariant: between an item's home and its slot no slot is empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

namespace meridian::session {

struct ScanSegment {
  static constexpr int kHomeBits = 9;
  static constexpr size_t kHomes = size_t{1} << kHomeBits;
  static constexpr int kTagBits = 16;
  static constexpr int kPointerBits = 64 - kTagBits;
  static constexpr uint8_t kSmallestLog2 = 3;
  static constexpr uint8_t kUsualLog2 = kHomeBits;
  static constexpr int64_t kNeverDue = std::numeric_limits<int64_t>::max();

  std::unique_ptr<uint64_t[]> slots;
  int64_t due = kNeverDue;  // when something in it is, or earlier
  uint32_t count = 0;
  uint8_t capacity_log2 = 0;
  uint8_t depth = 0;  // all hashes in it have these first bits in common

  ScanSegment(uint8_t capacity_log2_of_it, uint8_t depth_of_it)
      : slots(std::make_unique<uint64_t[]>(size_t{1} << capacity_log2_of_it)),
        capacity_log2(capacity_log2_of_it),
        depth(depth_of_it) {}

  static uint64_t TagOf(uint64_t hash) { return hash & ((uint64_t{1} << kTagBits) - 1); }
  static uint64_t TagIn(uint64_t slot) { return slot >> kPointerBits; }
  static uint64_t Packed(const void* item, uint64_t hash) {
    return reinterpret_cast<uint64_t>(item) | TagOf(hash) << kPointerBits;
  }
  static void* PointerOf(uint64_t packed) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): half the memory of a pointer and a hash
    return reinterpret_cast<void*>(packed & ((uint64_t{1} << kPointerBits) - 1));
  }
  // The home is the tag's first bits, so that a segment of any capacity has its items in the same
  // order.
  static size_t HomeOf(uint64_t tag) { return tag >> (kTagBits - kHomeBits); }
  static size_t SlotOfHome(size_t capacity_log2, size_t home) {
    return (home << capacity_log2) >> kHomeBits;
  }

  size_t capacity() const { return size_t{1} << capacity_log2; }
  size_t most() const { return capacity() / 4 * 3; }
  size_t memory_bytes() const { return sizeof(ScanSegment) + capacity() * sizeof(uint64_t); }

  // Does not count it.
  void Place(uint64_t packed) {
    size_t mask = capacity() - 1;
    size_t i = SlotOfHome(capacity_log2, HomeOf(TagIn(packed)));
    while (slots[i] != 0) i = (i + 1) & mask;
    slots[i] = packed;
  }

  // Empties a slot, and moves back the items behind it that are not at home.
  void Vacate(size_t hole) {
    size_t mask = capacity() - 1;
    for (size_t i = (hole + 1) & mask; slots[i] != 0; i = (i + 1) & mask) {
      size_t home = SlotOfHome(capacity_log2, HomeOf(TagIn(slots[i])));
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      slots[hole] = slots[i];
      hole = i;
    }
    slots[hole] = 0;
  }

  // All that is in it, with other slots: `to_log2` is their number, as a logarithm.
  void Resize(uint8_t to_log2) {
    std::unique_ptr<uint64_t[]> old = std::move(slots);
    size_t old_capacity = capacity();
    capacity_log2 = to_log2;
    slots = std::make_unique<uint64_t[]>(capacity());
    for (size_t i = 0; i < old_capacity; ++i) {
      if (old[i] != 0) Place(old[i]);
    }
  }

  // Calls `visit` with the slot of each item.
  template <class Visit>
  void ForEach(Visit visit) const {
    for (size_t i = 0; i < capacity(); ++i) {
      if (slots[i] != 0) visit(slots[i]);
    }
  }

  // As ForEach, of the items with this home; how many.
  template <class Visit>
  size_t VisitHome(size_t home, Visit visit) const {
    size_t mask = capacity() - 1;
    size_t visited = 0;
    for (size_t i = SlotOfHome(capacity_log2, home); slots[i] != 0; i = (i + 1) & mask) {
      if (HomeOf(TagIn(slots[i])) != home) continue;
      visit(slots[i]);
      ++visited;
    }
    return visited;
  }
};

// Enough to find an item without reading the segment's own memory.
struct ScanSegmentPointer {
  ScanSegment* segment = nullptr;
  uint64_t packed = 0;  // where the slots are, and above kPointerBits how many, as a logarithm

  static ScanSegmentPointer To(ScanSegment* segment) {
    return {segment, reinterpret_cast<uint64_t>(segment->slots.get()) |
                         uint64_t{segment->capacity_log2} << ScanSegment::kPointerBits};
  }
  uint64_t* slots() const { return static_cast<uint64_t*>(ScanSegment::PointerOf(packed)); }
  size_t capacity_log2() const { return packed >> ScanSegment::kPointerBits; }
};

}  // namespace meridian::session
