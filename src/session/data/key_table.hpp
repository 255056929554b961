// KeyTable: every key that is stored here, in two tables (the cache's keys, and all others); which
// of them are alive; how many, and how much memory they take.
//
// A key that is stored and not alive has expired, or was deleted and is kept as a tombstone, or is
// older than a flush that was not applied to it yet.
//
// Owned by the Keyspace; one thread: the loop's. Invariants: a key is in one table at most; size()
// is the number of entries whose standing is kLasting or kExpiring, expiring() of the latter.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "session/data/entry.hpp"
#include "session/data/key_listener.hpp"
#include "session/data/lazy_free.hpp"
#include "session/data/scan_table.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"

namespace meridian::session {

class KeyTable {
 public:
  using Table = ScanTable<Entry>;

  // Keys that begin with `cache_prefix` are the cache's; empty: none are.
  KeyTable(std::string cache_prefix, Random& random)
      : cache_prefix_(std::move(cache_prefix)),
        random_(random),
        main_(random.Next()),
        cache_(random.Next()) {}

  void set_listener(KeyListener* listener) { listener_ = listener; }
  // Null: none.
  KeyListener* listener() const { return listener_; }
  void Modified(std::string_view key) {
    if (listener_ != nullptr) listener_->OnModified(key);
  }

  // The time at which keys have expired or not; it never goes back.
  void SetNow(int64_t now_ms) { now_ms_ = std::max(now_ms_, now_ms); }
  int64_t now_ms() const { return now_ms_; }

  // --- Reading
  bool IsCache(std::string_view key) const {
    return !cache_prefix_.empty() && key.starts_with(cache_prefix_);
  }
  Table& TableOf(std::string_view key) { return IsCache(key) ? cache_ : main_; }
  // The key's entry, alive or not; null: it is not stored.
  Entry* Find(std::string_view key) { return TableOf(key).Find(key); }
  const Entry* Find(std::string_view key) const {
    return (IsCache(key) ? cache_ : main_).Find(key);
  }
  bool Alive(const Entry& entry) const {
    if (flushing() && NewestOf(entry) < flushed_) return false;
    return HasContent(entry);
  }
  // By the secret seed.
  uint64_t HashOf(std::string_view text) const { return main_.HashOf(text); }
  // See Keyspace.
  void Prefetch(std::string_view key);
  void FinishPrefetches();

  // Visits about `count` living keys from `cursor` on; the next cursor, 0 at the end.
  template <class Visit>
  uint64_t Scan(uint64_t cursor, size_t count, Visit visit) const;
  // As Scan, but a key that was there all the time is visited once.
  template <class Visit>
  uint64_t Walk(uint64_t cursor, size_t count, Visit visit) const;
  // As Scan, for all stored keys.
  template <class Visit>
  uint64_t ScanStored(uint64_t cursor, size_t count, Visit visit) const;
  // A random living key; null when none is found.
  Entry* Sample();
  // A random key of the cache, alive or not; there must be one.
  Entry* SampleCache() { return cache_.Sample(random_); }

  size_t size() const { return living_; }
  size_t expiring() const { return expiring_; }
  size_t stored() const { return main_.size() + cache_.size(); }
  size_t stored_in_cache() const { return cache_.size(); }
  // Keys, fields and members that are gone and still stored.
  size_t tombstones() const { return stored() - living_ + item_tombstones_; }
  size_t used_bytes() const { return item_bytes_ + main_.memory_bytes() + cache_.memory_bytes(); }
  // Removed items whose memory is not freed yet.
  size_t unfreed() const { return freed_.pending(); }

  // --- Changing
  void Insert(Entry* entry);
  void Insert(Table& table, uint64_t hash, Entry* entry) {
    table.Insert(entry, hash);
    Account(0, entry->memory_bytes());
  }
  // Puts `entry` in the place of `old`, which has the same key.
  void Replace(Table& table, uint64_t hash, Entry* old, Entry* entry);
  void Drop(Entry* entry);
  // The entry as one of the kind kParts.
  Entry* AsParts(Entry* entry);
  // Back to the kind kText, where nothing but a string is in the entry.
  void Compact(Entry* entry);
  // Drops what is older than `delete_stamp` from an entry of the kind kParts.
  void Clear(Entry* entry, const Stamp& delete_stamp);
  // The memory of an entry has changed.
  void Account(size_t before, size_t after) { item_bytes_ += after - before; }
  // After a change to an entry's content or expiry: counts it as what it is now.
  void Recount(Entry* entry);
  // The sweep is to visit the key at `at_ms`.
  void NoteDue(std::string_view key, int64_t at_ms) {
    Table& table = TableOf(key);
    table.NoteDue(table.HashOf(key), at_ms);
  }
  // For new Fields and Members.
  size_t* item_tombstones() { return &item_tombstones_; }
  // One loop iteration of visiting the keys that are due. `visit` returns when the entry is due
  // again, or Table::kDrop. False: more keys are due than one loop iteration may visit.
  template <class Visit>
  bool SweepDue(Visit visit);
  void FreeSome(size_t items) { freed_.FreeSome(items); }

  // --- FLUSHALL
  // No entry has a newer stamp than those that were noted.
  void NoteStamp(const Stamp& stamp) { newest_ = std::max(newest_, stamp); }
  // Everything older than `stamp` is gone; nothing older is kept when it arrives later. Keys that
  // may have something newer stay stored until NextUnflushed has returned them.
  void Flush(const Stamp& stamp);
  const Stamp& flushed() const { return flushed_; }
  // Some keys that the flush was not applied to yet. Empty does not mean that there are no more.
  std::vector<std::string> NextUnflushed();
  bool flushing() const { return flush_cursor_ != kNotFlushing; }

 private:
  static constexpr uint64_t kNotFlushing = UINT64_MAX;
  struct Prefetching {
    Table* table = nullptr;
    uint64_t hash = 0;
  };

  bool HasContent(const Entry& entry) const {
    return !entry.expired(now_ms_) && TypeOf(entry) != ValueType::kNone;
  }
  void CountAs(Entry* entry, Entry::Standing standing);
  void Swap(Entry* old, Entry* entry);

  std::string cache_prefix_;
  Random& random_;
  KeyListener* listener_ = nullptr;
  size_t item_tombstones_ = 0;  // of fields and members; outlives those in the tables
  Table main_;
  Table cache_;
  LazyFree freed_;
  std::array<Prefetching, kMaxPrefetches> prefetching_;
  size_t prefetches_ = 0;
  int64_t now_ms_ = 0;
  size_t item_bytes_ = 0;
  size_t living_ = 0;
  size_t expiring_ = 0;
  Stamp flushed_;
  Stamp newest_;
  uint64_t flush_cursor_ = kNotFlushing;  // as ScanStored's: how far the last flush is applied
  uint64_t main_sweep_ = 0;
  uint64_t cache_sweep_ = 0;
};

template <class Visit>
uint64_t KeyTable::ScanStored(uint64_t cursor, size_t count, Visit visit) const {
  // The cursor's last bit says which table.
  bool in_main = (cursor & 1) == 0;
  uint64_t next = (in_main ? main_ : cache_).Scan(cursor >> 1, count, visit);
  if (next != 0) return next << 1 | (cursor & 1);
  return in_main ? 1 : 0;
}

template <class Visit>
uint64_t KeyTable::Walk(uint64_t cursor, size_t count, Visit visit) const {
  auto living = [&](const Entry& entry) {
    if (Alive(entry)) visit(entry);
  };
  bool in_main = (cursor & 1) == 0;
  uint64_t next = (in_main ? main_ : cache_).Walk(cursor >> 1, count, living);
  if (next != 0) return next << 1 | (cursor & 1);
  return in_main && cache_.size() > 0 ? 1 : 0;
}

template <class Visit>
uint64_t KeyTable::Scan(uint64_t cursor, size_t count, Visit visit) const {
  size_t seen = 0;
  auto living = [&](const Entry& entry) {
    ++seen;
    if (Alive(entry)) visit(entry);
  };
  if ((cursor & 1) == 0) {
    cursor = main_.Scan(cursor >> 1, count, living) << 1;
    if (cursor != 0) return cursor;
    if (cache_.size() == 0) return 0;
    if (seen >= count) return 1;
  }
  cursor = cache_.Scan(cursor >> 1, count - seen, living);
  return cursor == 0 ? 0 : cursor << 1 | 1;
}

template <class Visit>
bool KeyTable::SweepDue(Visit visit) {
  auto dropped = [this](Entry* entry) {
    Account(entry->memory_bytes(), 0);
    CountAs(entry, Entry::Standing::kNone);
    freed_.Take(entry);
  };
  Table::SweepLimits main{.segments = kSweepSegments, .due_segments = kSweepDueSegments};
  Table::SweepLimits cache = main;
  main_sweep_ = main_.Sweep(main_sweep_, &main, now_ms_, visit, dropped);
  cache_sweep_ = cache_.Sweep(cache_sweep_, &cache, now_ms_, visit, dropped);
  return main.due_segments > 0 && cache.due_segments > 0;
}

}  // namespace meridian::session
