// Keyspace: every key of the tier in this data center, and the rules by which commands change it.
// It knows neither sockets nor the protocol; time is handed to it.
//
// A command that writes calls BeginWrite, which gives it its stamp, and then any number of the
// functions below. What they change is in change(), to be journaled, and is what Apply merges at
// the next start and in other data centers (merge.hpp). Keys that begin with the cache's prefix are
// evicted when memory is full; others are not.
//
// It is made of the stored keys (KeyTable), merging (KeyMerger), the tombstones of what is gone
// (Tombstones), and expiry and eviction (Removal).
//
// Owned by the Engine; one thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "session/data/change.hpp"
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/key_listener.hpp"
#include "session/data/key_merger.hpp"
#include "session/data/key_table.hpp"
#include "session/data/removal.hpp"
#include "session/data/snapshot_walk.hpp"
#include "session/data/stamp.hpp"
#include "session/data/tombstones.hpp"
#include "session/limits.hpp"

namespace meridian::session {

// What a write does to a key's expiry.
struct ExpiryChange {
  enum class Kind : uint8_t { kClear, kKeep, kAt };
  Kind kind = Kind::kClear;
  int64_t at_ms = 0;  // with kAt; not 0
};

enum class Increment : uint8_t { kDone, kWrongType, kNotInteger, kOverflow };

class Keyspace {
 public:
  struct Options {
    uint8_t replica_id = 0;  // this data center's index in site.toml
    uint64_t seed = 0;       // of hashing and of chance; secret
    std::string cache_prefix;
    bool journaled = false;  // whether change() is wanted
  };
  Keyspace(Options options, HybridClock& clock);

  void set_listener(KeyListener* listener) { table_.set_listener(listener); }
  // See Tombstones.
  void set_stability_horizon(HybridTime stability_horizon) {
    tombstones_.set_horizon(stability_horizon);
  }
  HybridTime stability_horizon() const { return tombstones_.horizon(); }

  // The time at which keys have expired or not, until the next call; it never goes back.
  void SetNow(WallTime now);
  int64_t now_ms() const { return table_.now_ms(); }
  // A stamp for the writes of one command. kUnavailable: the clock has none now.
  Result<void> BeginWrite();

  // What was changed since it was last taken.
  ChangeWriter& change() { return change_; }
  // Whether a key outside of the cache was changed; false from then on.
  bool TakeMustSync() { return std::exchange(must_sync_, false); }

  // Brings a key that will soon be looked up into the processor's cache, in two steps: the second
  // comes with FinishPrefetches, or when kMaxPrefetches are under way.
  void Prefetch(std::string_view key) { table_.Prefetch(key); }
  void FinishPrefetches() { table_.FinishPrefetches(); }

  // Null when there is no such key, or it has expired. Valid until the next write.
  Entry* Find(std::string_view key);
  // The same, which does not count as an access.
  Entry* Peek(std::string_view key);
  // With kString. Valid until the next call.
  std::string_view TextOf(const Entry& entry);

  // The following are between BeginWrite and the end of a command.
  void SetText(std::string_view key, std::string_view value, ExpiryChange expiry);
  Increment Add(std::string_view key, int64_t delta, int64_t* result);
  bool Erase(std::string_view key);
  // 0: never. The key exists; a time that has passed is for Erase.
  void SetExpiry(Entry& entry, int64_t at_ms);
  // Makes `to` a copy of `from`, which exists, with its expiry.
  void Copy(std::string_view from, std::string_view to);
  void Flush();

  // A hash or set being changed; made if it is not there. The key must have no other type. If it is
  // empty at the end, the key is gone.
  class Edit {
   public:
    Edit(Keyspace& keyspace, std::string_view key);
    Edit(const Edit&) = delete;
    Edit& operator=(const Edit&) = delete;
    ~Edit();

    Fields& fields();
    Members& members();
    // True: there was no such field or member before.
    bool SetField(std::string_view name, std::string_view value);
    bool AddMember(std::string_view name);
    // False: there was none.
    bool RemoveField(std::string_view name);
    bool RemoveMember(std::string_view name);

   private:
    Keyspace& keyspace_;
    Entry* entry_;
    size_t bytes_before_;
    bool modified_ = false;  // as clients see it
  };

  // By the secret seed.
  uint64_t HashOf(std::string_view text) const { return table_.HashOf(text); }
  // Keys that have content and were not seen to expire.
  size_t size() const { return table_.size(); }
  // Those of them that have an expiry.
  size_t expiring() const { return table_.expiring(); }
  size_t used_bytes() const { return table_.used_bytes(); }
  // Keys that a walk over all keys visits: also tombstones.
  size_t entries() const { return table_.stored(); }
  // Of keys, fields and members.
  size_t tombstones() const { return table_.tombstones(); }
  // Removed items whose memory is not freed yet; Sweep goes on with that.
  size_t unfreed() const { return table_.unfreed(); }
  bool IsCache(std::string_view key) const { return table_.IsCache(key); }

  // Visits about `count` keys that have not expired, from `cursor` on; the next cursor, 0 at the
  // end.
  template <class Visit>
  uint64_t Scan(uint64_t cursor, size_t count, Visit visit) const {
    return table_.Scan(cursor, count, visit);
  }
  // As Scan, but a key that was there all the time is visited once.
  template <class Visit>
  uint64_t Walk(uint64_t cursor, size_t count, Visit visit) const {
    return table_.Walk(cursor, count, visit);
  }
  // Visits every key that has not expired.
  template <class Visit>
  void ForEach(Visit visit) const {
    uint64_t cursor = 0;
    do {
      cursor = Scan(cursor, SIZE_MAX, visit);
    } while (cursor != 0);
  }
  // A random key; null when there is none.
  Entry* Sample() { return table_.Sample(); }

  // One loop iteration of removing what has expired, was flushed or is not needed any more, and of
  // freeing memory. False: there was more than one loop iteration may do.
  bool Sweep();
  // Evicts keys of the cache until at most `bytes` are used, at most `max_keys`. Whether at most
  // `bytes` are used.
  bool EvictTo(size_t bytes, int max_keys = kMaxEvictions) {
    return removal_.EvictTo(bytes, max_keys);
  }
  bool has_evictable() const { return table_.stored_in_cache() > 0; }

  // Appends changes with the state of about `count` keys at most, or of so many fields or members
  // of a large one, or about kSnapshotSliceBytes, to `items`, until walk->done(). Everything that
  // was there all the time is in them, as it was at some moment.
  void Snapshot(SnapshotWalk* walk, size_t count, std::vector<std::string>* items) const {
    walk->Next(table_, count, items);
  }

  // Merges a change of this data center or another. kInvalid: nothing was changed. The clock must
  // have observed its stamps.
  Result<void> Apply(Bytes record) { return merger_.Apply(record); }

  uint64_t expired() const { return removal_.expired(); }
  uint64_t evicted() const { return removal_.evicted(); }
  void ResetCounts() { removal_.ResetCounts(); }

 private:
  using Table = KeyTable::Table;

  void Note(std::string_view key);
  void RecountWritten(Entry* entry);
  // An entry of the kind kParts for a change to its parts.
  Entry* OpenParts(std::string_view key);
  void ForgetExpired(Entry* entry);

  Options options_;
  HybridClock& clock_;
  Random random_;
  KeyTable table_;
  Tombstones tombstones_;
  KeyMerger merger_;
  Removal removal_;
  Stamp stamp_;  // of the command
  ChangeWriter change_;
  bool must_sync_ = false;
  std::string text_;  // of a counter, for TextOf
};

}  // namespace meridian::session
