// Collection: the fields of a hash or the members of a set, in memory. A removed item leaves a
// tombstone, which is neither counted nor visited, until every data center knows of the removal.
//
// What differs between fields and members is in the Item (field.hpp, member.hpp), which has, beside
// what ScanTable asks of it:
//   Change         an addition or removal, with its name; present(), newest() and removed_at()
//   Merged         the item with a change merged in: the old one, changed in place, or a new one;
//                  null when the old one supersedes the change
//   Without        the item without what is older than a stamp: itself when nothing is, null when
//                  all is, else a new one
//   newest         the newest stamp in it
//   removed_at     of a tombstone: every stamp of the removal is below this
//   fits_small     whether it may be in a small collection, and its rank there; see small()
//
// Owned by a key's Parts; one thread: the loop's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "session/data/reading.hpp"
#include "session/data/scan_table.hpp"
#include "session/data/stamp.hpp"
#include "session/data/tombstone_times.hpp"
#include "session/limits.hpp"

namespace meridian::session {

template <class Item>
class Collection {
 public:
  using Change = typename Item::Change;

  // `all_tombstones` counts those of every collection that is given it; it outlives this.
  Collection(uint64_t seed, size_t* all_tombstones)
      : table_(seed), all_tombstones_(*all_tombstones) {}
  ~Collection() {
    readings_.BeforeChange();
    all_tombstones_ -= counted_tombstones_;
  }

  // Number of items that are present.
  size_t size() const { return present_; }
  // Number of tombstones.
  size_t tombstones() const { return table_.size() - present_; }
  // Neither items nor tombstones.
  bool blank() const { return table_.size() == 0; }
  size_t memory_bytes() const { return sizeof(Collection) + table_.memory_bytes() + item_bytes_; }

  bool Contains(std::string_view name) const { return Find(name) != nullptr; }
  // Null when it is not present.
  const Item* Find(std::string_view name) const {
    const Item* item = table_.Find(name);
    return item != nullptr && item->present() ? item : nullptr;
  }
  // The same, also for a tombstone.
  const Item* FindWithTombstones(std::string_view name) const { return table_.Find(name); }
  // Merges the change in. False: the item that was there has superseded it.
  bool Merge(const Change& change);
  // Drops the item, and leaves no tombstone.
  void Forget(std::string_view name);
  // Drops what is older.
  void DropBefore(const Stamp& delete_stamp);
  // Leaves nothing: O(1).
  ScanTable<Item>::Remains TakeAll();

  // When the first and the last tombstone were made.
  HybridTime oldest_tombstone() const { return tombstone_times_.oldest(); }
  HybridTime newest_tombstone() const { return tombstone_times_.newest(); }
  // No item, present or not, has a newer stamp.
  const Stamp& newest() const { return newest_; }
  // Goes on with dropping the tombstones made up to `horizon`, until about `*items` were visited,
  // which it lowers by what it visited. False: there is more to visit.
  bool DropTombstones(HybridTime horizon, size_t* items);

  template <class Visit>
  void ForEach(Visit visit) const {
    table_.ForEach([&](const Item& item) {
      if (item.present()) visit(item);
    });
  }
  template <class Visit>
  void ForEachWithTombstones(Visit visit) const {
    table_.ForEach(visit);
  }
  // Visits about `count` items from `cursor` on; the next cursor, 0 at the end.
  template <class Visit>
  uint64_t Scan(uint64_t cursor, size_t count, Visit visit) const {
    return table_.Scan(cursor, count, [&](const Item& item) {
      if (item.present()) visit(item);
    });
  }
  template <class Visit>
  uint64_t ScanWithTombstones(uint64_t cursor, size_t count, Visit visit) const {
    return table_.Scan(cursor, count, visit);
  }
  // A random item that is present; there must be one.
  const Item& Sample(Random& random) const;

  // Since it was last empty it has once had more than Item::kSmallItems, or one that does not fit.
  bool was_large() const { return was_large_; }
  // As Redis decides: by an argument that is not stored, or by the collection that this is a copy
  // of.
  void set_was_large() { was_large_ = true; }
  // Whether items are visited in order. With many tombstones it takes too long to find the items
  // among them.
  bool small() const { return !was_large_ && tombstones() < kReplyItemsPerIteration; }
  // As ForEach; those of a small collection by rank.
  template <class Visit>
  void ForEachInOrder(Visit visit) const {
    if (!small()) return ForEach(visit);
    std::array<Ranked, Item::kSmallItems> found;  // NOLINT: written by Sorted
    for (const Ranked& each : Sorted(found)) visit(*each.item);
  }
  Readings& readings() const { return readings_; }

 private:
  struct Ranked {
    int64_t rank;
    const Item* item;
  };

  void Insert(Item* item);
  void Remove(Item* item);
  void NoteSize(const Item& added);
  void CountTombstones() {
    all_tombstones_ += tombstones() - counted_tombstones_;
    counted_tombstones_ = tombstones();
  }
  uint32_t NextOrder()
    requires(Item::kKeepsOrder);
  std::span<Ranked> Sorted(std::span<Ranked, Item::kSmallItems> into) const;

  ScanTable<Item> table_;
  mutable Readings readings_;
  size_t& all_tombstones_;
  size_t counted_tombstones_ = 0;  // of ours, in all_tombstones_
  size_t present_ = 0;
  TombstoneTimes tombstone_times_;
  Stamp newest_;
  size_t item_bytes_ = 0;
  uint32_t next_order_ = 0;
  bool was_large_ = false;
};

}  // namespace meridian::session
