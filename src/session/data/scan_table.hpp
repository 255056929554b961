// ScanTable: a hash table that owns its items, for the keyspace and for large hashes and sets. It
// grows and shrinks by one segment at a time (Fagin et al. 1979, "Extendible Hashing"), so no
// operation takes longer than moving a segment's 512 pointers. It can be walked with a cursor while
// it changes: every item that is there all the time is visited, and some perhaps twice.
//
// An item is on the heap, with `std::string_view key() const` and `static void Destroy(Item*)`.
//
// One thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/hash.hpp"
#include "base/random.hpp"
#include "session/data/scan_segment.hpp"

namespace meridian::session {

template <class Item>
class ScanTable {
  using Segment = ScanSegment;
  using SegmentPointer = ScanSegmentPointer;

 public:
  static constexpr size_t kSlotBytes = sizeof(uint64_t);
  static constexpr int64_t kNeverDue = Segment::kNeverDue;
  static constexpr int64_t kDrop = std::numeric_limits<int64_t>::min();

  explicit ScanTable(uint64_t seed) : seed_(seed) {
    directory_.push_back(SegmentPointer::To(NewSegment(Segment::kSmallestLog2, 0)));
  }
  ScanTable(const ScanTable&) = delete;
  ScanTable& operator=(const ScanTable&) = delete;
  ~ScanTable() { Remains(std::move(directory_), depth_, size_); }

  // The items of a table that was emptied, to be freed a segment at a time, or all by the
  // destructor.
  class Remains {
   public:
    using value_type = Item;
    Remains(Remains&& other) noexcept { *this = std::move(other); }
    Remains& operator=(Remains&& other) noexcept {
      std::swap(directory_, other.directory_);
      std::swap(depth_, other.depth_);
      std::swap(at_, other.at_);
      std::swap(size_, other.size_);
      return *this;
    }
    ~Remains() {
      while (!empty()) FreeSegment([](Item* item) { Item::Destroy(item); });
    }

    bool empty() const { return at_ == directory_.size(); }
    size_t size() const { return size_; }
    // Passes a segment's items, at most 384 unless keys have the same hash, to `destroy`; their
    // number.
    template <class Destroy>
    size_t FreeSegment(Destroy destroy) {
      std::unique_ptr<Segment> segment(directory_[at_].segment);
      at_ += size_t{1} << (depth_ - segment->depth);
      segment->ForEach([&](uint64_t slot) { destroy(ItemOf(slot)); });
      size_ -= segment->count;
      return segment->count;
    }

   private:
    friend class ScanTable;
    Remains(std::vector<SegmentPointer> directory, int depth, size_t size)
        : directory_(std::move(directory)), depth_(depth), size_(size) {}

    std::vector<SegmentPointer> directory_;
    int depth_ = 0;
    size_t at_ = 0;
    size_t size_ = 0;
  };

  size_t size() const { return size_; }
  // Of the table, without its items.
  size_t memory_bytes() const { return slot_bytes_ + directory_.size() * sizeof(SegmentPointer); }
  uint64_t HashOf(std::string_view key) const { return Hash64(key, seed_); }

  // Null when it is not there.
  Item* Find(std::string_view key) const { return Find(key, HashOf(key)); }
  Item* Find(std::string_view key, uint64_t hash) const {
    const uint64_t* slot = SlotWhere(hash, [&](uint64_t other) {
      return Segment::TagIn(other) == Segment::TagOf(hash) && ItemOf(other)->key() == key;
    });
    return slot == nullptr ? nullptr : ItemOf(*slot);
  }

  // Prefetches what Find reads first, and then, when that has arrived, the item. Both return at
  // once; do other work between the two.
  void PrefetchSlot(uint64_t hash) const {
    const SegmentPointer& pointer = directory_[IndexOf(hash)];
    __builtin_prefetch(&pointer.slots()[SlotOfHome(pointer, hash)]);
  }
  void PrefetchItem(uint64_t hash) const {
    const uint64_t* slot = SlotWhere(
        hash, [&](uint64_t other) { return Segment::TagIn(other) == Segment::TagOf(hash); });
    if (slot == nullptr) return;
    const char* item = reinterpret_cast<const char*>(ItemOf(*slot));
    for (size_t at = 0; at < kPrefetchedBytes; at += 64) __builtin_prefetch(item + at);
  }

  // There must be no item with its key.
  void Insert(Item* item, uint64_t hash) {
    Segment* segment = SegmentOf(hash);
    while (segment->count >= segment->most()) {
      Grow(segment, hash);
      segment = SegmentOf(hash);
    }
    segment->Place(Segment::Packed(item, hash));
    ++segment->count;
    ++size_;
  }

  // Puts `item` in the place of `old`, which has the same key. The caller owns `old` from then on.
  void Replace(const Item* old, Item* item, uint64_t hash) {
    *SlotOf(old, hash) = Segment::Packed(item, hash);
  }

  // Removes the item. The caller owns it from then on.
  void Remove(const Item* item, uint64_t hash) {
    Segment* segment = SegmentOf(hash);
    segment->Vacate(static_cast<size_t>(SlotOf(item, hash) - segment->slots.get()));
    --segment->count;
    --size_;
    if (segment->count * 8 < segment->capacity()) Shrink(segment, hash);
  }

  // Leaves it empty: O(1).
  Remains TakeAll() {
    Remains remains(std::move(directory_), depth_, size_);
    slot_bytes_ = 0;
    directory_ = {SegmentPointer::To(NewSegment(Segment::kSmallestLog2, 0))};
    depth_ = 0;
    size_ = 0;
    return remains;
  }

  // Visits about `count` items from `cursor` on (0: the beginning); returns the next cursor, or 0
  // at the end. It fits in 38 bits. `visit` must not change the table.
  template <class Visit>
  uint64_t Scan(uint64_t cursor, size_t count, Visit visit) const {
    Cursor at = Unpack(cursor);
    size_t visited = 0;
    while (true) {
      const Segment& segment = *directory_[at.prefix >> (kMaxDepth - depth_)].segment;
      at.prefix &= ~((uint64_t{1} << (kMaxDepth - segment.depth)) - 1);
      // Two segments were joined since: which items of the other were visited is unknown.
      if (segment.depth < at.depth) at.home = 0;
      for (; at.home < Segment::kHomes; ++at.home) {
        if (visited >= count) return Pack({at.prefix, segment.depth, at.home});
        visited += segment.VisitHome(at.home, [&](uint64_t slot) { visit(*ItemOf(slot)); });
      }
      at = {at.prefix + (uint64_t{1} << (kMaxDepth - segment.depth)), 0, 0};
      if (at.prefix >> kMaxDepth != 0) return 0;
      if (visited >= count) {
        const Segment& next = *directory_[at.prefix >> (kMaxDepth - depth_)].segment;
        return Pack({at.prefix, next.depth, 0});
      }
    }
  }

  // As Scan, but an item that was there all the time is visited once: by whole segments. A position
  // is the first hash that is still to come, as kMaxDepth bits.
  template <class Visit>
  uint64_t Walk(uint64_t position, size_t count, Visit visit) const {
    for (size_t visited = 0; visited < count;) {
      const Segment& segment = *directory_[position >> (kMaxDepth - depth_)].segment;
      uint64_t span = uint64_t{1} << (kMaxDepth - segment.depth);
      uint64_t begin = position & ~(span - 1);
      segment.ForEach([&](uint64_t slot) {
        const Item& item = *ItemOf(slot);
        // Two segments were joined since: the first of them was visited.
        if (begin < position && HashOf(item.key()) >> (64 - kMaxDepth) < position) return;
        visit(item);
      });
      visited += segment.count + 1;
      position = begin + span;
      if (position >> kMaxDepth != 0) return 0;
    }
    return position;
  }

  template <class Visit>
  void ForEach(Visit visit) const {
    (void)Scan(0, std::numeric_limits<size_t>::max(), visit);
  }

  // A random item; the table is not empty. Items in emptier segments are a little more likely.
  Item* Sample(Random& random) const {
    CHECK(size_ > 0);
    while (true) {
      const Segment& segment = *directory_[random.Below(directory_.size())].segment;
      if (segment.count == 0) continue;
      uint64_t slot = 0;
      while (slot == 0) slot = segment.slots[random.Below(segment.capacity())];
      return ItemOf(slot);
    }
  }

  // The item with this hash is due at `at`: a sweep then, or later, visits it.
  void NoteDue(uint64_t hash, int64_t at) {
    Segment* segment = SegmentOf(hash);
    segment->due = std::min(segment->due, at);
  }

  struct SweepLimits {
    size_t segments = 0;      // that are looked at
    size_t due_segments = 0;  // whose every item is looked at
  };
  // Visits every item in segments that are due at `now`, from `position` on, within `limits`, which
  // it lowers by what it visited. `visit` returns when an item is due next (kNeverDue: never), or
  // kDrop: then the item is removed and passed to `dropped`. Returns the next position; 0 after the
  // last.
  template <class Visit, class Dropped>
  uint64_t Sweep(uint64_t position, SweepLimits* limits, int64_t now, Visit visit,
                 Dropped dropped) {
    for (; limits->segments > 0 && limits->due_segments > 0; --limits->segments) {
      Segment* segment = directory_[position >> (kMaxDepth - depth_)].segment;
      uint64_t span = uint64_t{1} << (kMaxDepth - segment->depth);
      uint64_t after = (position & ~(span - 1)) + span;
      if (segment->due <= now) {
        SweepSegment(segment, visit, dropped);
        --limits->due_segments;
      }
      if (after >> kMaxDepth != 0) return 0;
      position = after;
    }
    return position;
  }

 private:
  // At this depth segments grow instead of splitting: only keys whose hashes are nearly the same
  // reach it.
  static constexpr int kMaxDepth = 24;
  static constexpr size_t kPrefetchedBytes = 128;  // of an item; the processor guesses the rest

  struct Cursor {
    uint64_t prefix = 0;  // kMaxDepth bits: where a segment's hashes begin
    int depth = 0;        // of that segment, when the cursor was made
    size_t home = 0;
  };

  static Item* ItemOf(uint64_t slot) { return static_cast<Item*>(Segment::PointerOf(slot)); }
  static size_t SlotOfHome(const SegmentPointer& pointer, uint64_t hash) {
    return Segment::SlotOfHome(pointer.capacity_log2(), Segment::HomeOf(Segment::TagOf(hash)));
  }
  static Cursor Unpack(uint64_t cursor) {
    uint64_t prefix = (cursor >> (Segment::kHomeBits + 5)) & ((uint64_t{1} << kMaxDepth) - 1);
    return {.prefix = prefix,
            .depth = static_cast<int>((cursor >> Segment::kHomeBits) & 31),
            .home = cursor & (Segment::kHomes - 1)};
  }
  static uint64_t Pack(const Cursor& at) {
    return (at.prefix << 5 | static_cast<uint64_t>(at.depth)) << Segment::kHomeBits | at.home;
  }

  Segment* NewSegment(uint8_t capacity_log2, uint8_t depth) {
    auto* segment = new Segment(capacity_log2, depth);
    slot_bytes_ += segment->memory_bytes();
    return segment;
  }

  size_t IndexOf(uint64_t hash) const { return depth_ == 0 ? 0 : hash >> (64 - depth_); }
  Segment* SegmentOf(uint64_t hash) const { return directory_[IndexOf(hash)].segment; }
  // After the slots or hashes of a segment have changed, of which `hash` is one.
  void Point(Segment* segment, uint64_t hash) {
    size_t span = size_t{1} << (depth_ - segment->depth);
    size_t first = IndexOf(hash) & ~(span - 1);
    std::fill_n(directory_.begin() + static_cast<std::ptrdiff_t>(first), span,
                SegmentPointer::To(segment));
  }

  // The first slot from the hash's home on for which `is` returns true; null: there is none.
  template <class Is>
  uint64_t* SlotWhere(uint64_t hash, Is is) const {
    const SegmentPointer& pointer = directory_[IndexOf(hash)];
    uint64_t* slots = pointer.slots();
    size_t mask = (size_t{1} << pointer.capacity_log2()) - 1;
    size_t i = SlotOfHome(pointer, hash);
    for (; slots[i] != 0; i = (i + 1) & mask) {
      if (is(slots[i])) return &slots[i];
    }
    return nullptr;
  }
  uint64_t* SlotOf(const Item* item, uint64_t hash) const {
    uint64_t wanted = Segment::Packed(item, hash);
    uint64_t* slot = SlotWhere(hash, [&](uint64_t other) { return other == wanted; });
    CHECK(slot != nullptr);
    return slot;
  }

  void Grow(Segment* segment, uint64_t hash) {
    if (segment->capacity_log2 < Segment::kUsualLog2 || segment->depth == kMaxDepth) {
      slot_bytes_ -= segment->memory_bytes();
      segment->Resize(static_cast<uint8_t>(segment->capacity_log2 + 1));
      slot_bytes_ += segment->memory_bytes();
      Point(segment, hash);
      return;
    }
    if (segment->depth == depth_) {
      std::vector<SegmentPointer> doubled(directory_.size() * 2);
      for (size_t i = 0; i < doubled.size(); ++i) doubled[i] = directory_[i / 2];
      directory_ = std::move(doubled);
      ++depth_;
    }
    Split(segment, hash);
  }

  void Split(Segment* segment, uint64_t hash) {
    uint8_t depth = static_cast<uint8_t>(segment->depth + 1);
    Segment* upper = NewSegment(segment->capacity_log2, depth);
    upper->due = segment->due;
    std::unique_ptr<uint64_t[]> old = std::move(segment->slots);
    segment->slots = std::make_unique<uint64_t[]>(segment->capacity());
    segment->depth = depth;
    segment->count = 0;
    uint64_t upper_bit = uint64_t{1} << (64 - depth);
    Point(segment, hash & ~upper_bit);
    Point(upper, hash | upper_bit);
    for (size_t i = 0; i < segment->capacity(); ++i) {
      if (old[i] == 0) continue;
      Segment* half = (HashOf(ItemOf(old[i])->key()) & upper_bit) != 0 ? upper : segment;
      half->Place(old[i]);
      ++half->count;
    }
  }

  // Joins a segment with the segment that it was split from, when both are nearly empty.
  void Shrink(Segment* segment, uint64_t hash) {
    if (segment->depth == 0 || segment->capacity_log2 != Segment::kUsualLog2) return;
    size_t span = size_t{1} << (depth_ - segment->depth);
    size_t first = IndexOf(hash) & ~(span * 2 - 1);
    Segment* lower = directory_[first].segment;
    Segment* upper = directory_[first + span].segment;
    bool same = lower->depth == upper->depth && lower->capacity_log2 == upper->capacity_log2;
    if (!same || (lower->count + upper->count) * 8 > lower->capacity() * 3) return;
    upper->ForEach([&](uint64_t slot) { lower->Place(slot); });
    lower->count += upper->count;
    lower->due = std::min(lower->due, upper->due);
    --lower->depth;
    Point(lower, hash);
    slot_bytes_ -= upper->memory_bytes();
    delete upper;
  }

  template <class Visit, class Dropped>
  void SweepSegment(Segment* segment, Visit& visit, Dropped& dropped) {
    int64_t due = kNeverDue;
    std::vector<Item*> leaving;
    segment->ForEach([&](uint64_t slot) {
      Item* item = ItemOf(slot);
      int64_t next = visit(*item);
      if (next == kDrop) {
        leaving.push_back(item);
      } else {
        due = std::min(due, next);
      }
    });
    segment->due = due;
    // A removal may join the segment with another: it is not read from here on.
    for (Item* item : leaving) {
      Remove(item, HashOf(item->key()));
      dropped(item);
    }
  }

  uint64_t seed_;
  std::vector<SegmentPointer> directory_;  // by the first depth_ bits of the hash
  int depth_ = 0;
  size_t size_ = 0;
  size_t slot_bytes_ = 0;
};

}  // namespace meridian::session
