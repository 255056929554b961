// Keyspace: every key of the tier in this data center, and the rules by which commands change it.
// It knows neither sockets nor the protocol, and reads no wall clock: SetNow and the HybridClock
// give it the time.
//
// A command that writes calls BeginWrite, which gives it its stamp, and then any number of the
// functions below. Their changes are added to change(), to be journaled; Apply merges them at the
// next start and in other data centers (merge.hpp). Keys that begin with the cache's prefix are
// evicted when memory is full; others are not.
//
// It is made of the stored keys (KeyTable), merging (KeyMerger), the tombstones of deleted keys
// (Tombstones), and expiry and eviction (Removal). Times of expiry are in Unix milliseconds.
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

// The change that a write makes to a key's expiry.
struct ExpiryChange {
  enum class Kind : uint8_t {
    kClear,  // the key never expires
    kKeep,   // the key keeps its expiry
    kAt,     // the key expires at `at_ms`
  };
  Kind kind = Kind::kClear;
  int64_t at_ms = 0;  // Unix ms, with kAt; not 0
};

enum class IncrementResult : uint8_t { kDone, kWrongType, kNotInteger, kOverflow };

class Keyspace {
 public:
  struct Options {
    uint8_t replica_id = 0;  // this data center's index in site.toml
    uint64_t seed = 0;       // of hashing and of random choices; secret
    std::string cache_prefix;
    bool journaled = false;  // change() collects the changes
  };
  Keyspace(Options options, HybridClock& clock);

  void set_listener(KeyListener* listener) { table_.set_listener(listener); }
  // See Tombstones.
  void set_stability_horizon(HybridTime stability_horizon) {
    tombstones_.set_horizon(stability_horizon);
  }
  HybridTime stability_horizon() const { return tombstones_.horizon(); }

  // Sets the time by which keys have expired or not, until the next call. A time before the last
  // one changes nothing.
  void SetNow(WallTime now);
  int64_t now_ms() const { return table_.now_ms(); }
  // Gives the writes of one command their stamp, and raises the time of SetNow to it. kUnavailable:
  // the clock has no stamp now.
  Result<void> BeginWrite();

  // The changes since they were last taken. Empty unless Options::journaled.
  ChangeWriter& change() { return change_; }
  // True if a key outside of the cache was changed since the last call.
  bool TakeMustSync() { return std::exchange(must_sync_, false); }

  // Brings a key that will soon be looked up into the processor's cache, in two steps: the second
  // comes with FinishPrefetches, or when kMaxPrefetches are under way.
  void Prefetch(std::string_view key) { table_.Prefetch(key); }
  void FinishPrefetches() { table_.FinishPrefetches(); }

  // Null when there is no such key, or it has expired. Valid until the next write, Apply, Sweep or
  // EvictTo, and until the next Find or Peek of the same key.
  Entry* Find(std::string_view key);
  // The same, which does not count as an access.
  Entry* Peek(std::string_view key);
  // The value of a string, or the total of a counter in decimal. Only for the type kString. Valid
  // until the next call of TextOf, and for as long as the entry.
  std::string_view TextOf(const Entry& entry);

  // SetText to Flush, and Edit, are writes: call them only between BeginWrite and the end of the
  // command.

  // Makes the key this string, whatever it was before.
  void SetText(std::string_view key, std::string_view value, ExpiryChange expiry);
  // Adds `delta` to the number in the key, which is made if it is not there; with kDone, `*result`
  // is the new total. After any other result the key is unchanged.
  IncrementResult Add(std::string_view key, int64_t delta, int64_t* result);
  // False: there was no such key.
  bool Erase(std::string_view key);
  // Sets the expiry of a key that exists, in Unix ms; 0: it never expires. For a time that has
  // passed, call Erase instead.
  void SetExpiry(Entry& entry, int64_t at_ms);
  // Makes `to` a copy of `from`, which must exist, with its expiry; replaces what `to` was.
  void Copy(std::string_view from, std::string_view to);
  // Removes all keys. Their memory is freed by Sweep.
  void Flush();

  // A write to a hash or set, which is made if it is not there. The key must have no other type. If
  // the hash or set is empty when the Edit is destroyed, the key is removed.
  class Edit {
   public:
    Edit(Keyspace& keyspace, std::string_view key);
    Edit(const Edit&) = delete;
    Edit& operator=(const Edit&) = delete;
    ~Edit();

    Fields& fields();
    Members& members();
    // True: it was added. False: there was such a field or member before.
    bool SetField(std::string_view name, std::string_view value);
    bool AddMember(std::string_view name);
    // True: it was removed. False: there was no such field or member.
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
  // The number of keys that exist. A key that has expired is counted until a command or Sweep finds
  // it.
  size_t size() const { return table_.size(); }
  // The number of those keys that have an expiry.
  size_t expiring() const { return table_.expiring(); }
  // The memory of all keys, of tombstones and of the tables.
  size_t used_bytes() const { return table_.used_bytes(); }
  // The number of stored keys: those of size(), and those that are kept as tombstones.
  size_t entries() const { return table_.stored(); }
  // The number of tombstones: of keys, fields and members.
  size_t tombstones() const { return table_.tombstones(); }
  // The number of removed items whose memory is not freed yet; Sweep frees it.
  size_t unfreed() const { return table_.unfreed(); }
  // True if the key begins with the cache's prefix.
  bool IsCache(std::string_view key) const { return table_.IsCache(key); }

  // Visits about `count` keys that exist, from `cursor` on (0: the beginning); returns the next
  // cursor, or 0 at the end. A key that exists during the whole scan is visited at least once, and
  // may be visited twice. `visit` must not change the keyspace.
  template <class Visit>
  uint64_t Scan(uint64_t cursor, size_t count, Visit visit) const {
    return table_.Scan(cursor, count, visit);
  }
  // The same, but a key that exists during the whole walk is visited exactly once.
  template <class Visit>
  uint64_t Walk(uint64_t cursor, size_t count, Visit visit) const {
    return table_.Walk(cursor, count, visit);
  }
  // Visits every key that exists.
  template <class Visit>
  void ForEach(Visit visit) const {
    uint64_t cursor = 0;
    do {
      cursor = Scan(cursor, SIZE_MAX, visit);
    } while (cursor != 0);
  }
  // A random key that exists; null when none is found.
  Entry* Sample() { return table_.Sample(); }

  // Does a bounded amount of work, for one loop iteration: removes keys that have expired or were
  // flushed and tombstones that are not needed any more, and frees memory. False: work is left.
  bool Sweep();
  // Evicts keys of the cache, and its tombstones, until at most `bytes` are used, but at most
  // `max_keys` of them. True if at most `bytes` are used.
  bool EvictTo(size_t bytes, int max_keys = kMaxEvictions) {
    return removal_.EvictTo(bytes, max_keys);
  }
  // True if EvictTo has something to evict.
  bool has_evictable() const { return table_.stored_in_cache() > 0; }

  // Appends the next slice of a snapshot to `items`: changes that have the state of about `count`
  // keys, or of so many fields or members of a large key, or about kSnapshotSliceBytes. To be
  // called until walk->done(); commands may run between two calls. A key, field or member that
  // exists during the whole walk is in the items, with a state that it had at some moment of the
  // walk.
  void Snapshot(SnapshotWalk* walk, size_t count, std::vector<std::string>* items) const {
    walk->Next(table_, count, items);
  }

  // Merges a change of this data center or another. The clock must have observed its stamps.
  // kInvalid: it cannot be decoded, and nothing was changed.
  Result<void> Apply(Bytes record) { return merger_.Apply(record); }

  // The numbers of keys that have expired and that were evicted, since ResetCounts.
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
