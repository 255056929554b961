// Keyspace: every key of the tier in this data center, and the rules by which commands change it.
// It knows neither sockets nor the protocol; time is handed to it.
//
// A command that writes calls BeginWrite, which gives it its stamp, and then any number of the
// functions below; what they change stands in record(), to be journaled, and is what Apply merges
// at the next start and in other data centers (merge.hpp). Keys that begin with the cache's prefix
// live in a table of their own: only they are evicted.
//
// Owned by the Server; one thread: the loop's. Invariants: a key is in one table at most; with
// set_known(HybridTime::Max()), the default, nothing is kept of a key that is gone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "session/data/entry.hpp"
#include "session/data/lazy_free.hpp"
#include "session/data/merge.hpp"
#include "session/data/record.hpp"
#include "session/data/scan_table.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"

namespace meridian::session {

enum class ValueType : uint8_t { kNone, kString, kHash, kSet };
std::string_view ValueTypeName(ValueType type);

// Who is told of what happens to keys. The seam between the keyspace and WATCH and keyspace events.
class KeyspaceListener {
 public:
  virtual ~KeyspaceListener() = default;
  // By a command, by another data center, or by its end.
  virtual void OnModified(std::string_view key) = 0;
  // By a command: there was none of that name.
  virtual void OnNew(std::string_view key) = 0;
  // All keys are about to be.
  virtual void OnFlushing() = 0;
  virtual void OnExpired(std::string_view key) = 0;
  virtual void OnEvicted(std::string_view key) = 0;
};

// What a write does to a key's end.
struct ExpiryChange {
  enum class Kind : uint8_t { kClear, kKeep, kAt };
  Kind kind = Kind::kClear;
  int64_t at_ms = 0;  // with kAt; not 0
};

// How far a snapshot of a keyspace has come.
class SnapshotWalk {
 public:
  bool done() const { return at_end_ && large_.empty(); }

 private:
  friend class Keyspace;
  uint64_t cursor_ = 0;
  bool at_end_ = false;
  std::deque<std::string> large_;  // keys that were passed over, for turns of their own
  bool has_head_ = false;          // the first of them: what is beside fields and members
  uint64_t within_ = 0;            // a cursor in its fields, then its members
  bool in_members_ = false;
};

enum class Increment : uint8_t { kDone, kWrongType, kNotInteger, kOverflow };

class Keyspace {
 public:
  struct Options {
    uint8_t origin = 0;  // this data center's place in site.toml
    uint64_t seed = 0;   // of hashing and of chance; secret
    std::string cache_prefix;
    bool records = false;  // whether record() is wanted
  };
  Keyspace(Options options, HybridClock& clock);

  void set_listener(KeyspaceListener* listener) { listener_ = listener; }
  // Every data center has applied what has a stamp up to this, and this one knows that it has all
  // of it too: traces of it are not needed, and what of it still arrives has been here before.
  void set_known(HybridTime known) { known_ = known; }
  HybridTime known() const { return known_; }

  // The time by which keys have ended, until the next call; it never goes back.
  void SetNow(WallTime now);
  int64_t now_ms() const { return now_ms_; }
  // A stamp for the writes of one command. kUnavailable: there is none to be had now.
  Result<void> BeginWrite();

  // What was changed since it was last taken.
  RecordWriter& record() { return record_; }
  // Whether a key outside of the cache was among it; false from then on.
  bool TakeMustSync() { return std::exchange(must_sync_, false); }

  // Brings a key that will soon be asked for into the processor's cache, in two steps: the second
  // comes with FinishPrefetches, or when as many as may be are under way.
  void Prefetch(std::string_view key);
  void FinishPrefetches();

  // Null when there is no such key, or it has ended. Valid until the next write.
  Entry* Find(std::string_view key);
  // The same, which does not count as an access.
  Entry* Peek(std::string_view key);
  ValueType TypeOf(const Entry& entry) const;
  // With kString. Valid until the next call.
  std::string_view TextOf(const Entry& entry);
  // Null when it is no hash (set).
  const Fields* FieldsOf(const Entry* entry) const;
  const Members* MembersOf(const Entry* entry) const;

  // What follows is between BeginWrite and the end of a command.
  void SetText(std::string_view key, std::string_view value, ExpiryChange expiry);
  Increment Add(std::string_view key, int64_t delta, int64_t* result);
  bool Erase(std::string_view key);
  // 0: never. The key exists; a time that has passed is for Erase.
  void SetExpiry(Entry& entry, int64_t at_ms);
  // Makes `to` what `from`, which exists, is, with its end.
  void Copy(std::string_view from, std::string_view to);
  void Flush();

  // A hash (set) being changed; made if it is not there. The key must have no other type. At the
  // end of its life an empty one is gone.
  class Edit {
   public:
    Edit(Keyspace& keyspace, std::string_view key);
    Edit(const Edit&) = delete;
    Edit& operator=(const Edit&) = delete;
    ~Edit();

    Fields& fields();
    Members& members();
    // True: there was none with this name before.
    bool SetField(std::string_view name, std::string_view value);
    bool RemoveField(std::string_view name);
    bool AddMember(std::string_view name);
    bool RemoveMember(std::string_view name);

   private:
    Keyspace& keyspace_;
    Entry* entry_;
    size_t bytes_before_;
    bool modified_ = false;  // as clients see it
  };

  // By the secret seed.
  uint64_t HashOf(std::string_view text) const { return main_.HashOf(text); }
  // Keys that have content and have not been seen to end.
  size_t size() const { return living_; }
  // Those of them that will end.
  size_t ending() const { return ending_; }
  size_t used_bytes() const;
  // Keys that are looked at when all are: also those that are gone and leave a trace.
  size_t entries() const { return main_.size() + cache_.size(); }
  // What is kept of keys, fields and members that are gone.
  size_t traces() const { return main_.size() + cache_.size() - living_ + item_traces_; }
  // Items that are gone and whose memory is not given back yet; Sweep goes on with that.
  size_t unfreed() const { return freed_.pending(); }
  bool IsCache(std::string_view key) const {
    return !options_.cache_prefix.empty() && key.starts_with(options_.cache_prefix);
  }

  // Visits about `count` keys that have not ended, from `cursor` on; the next cursor, 0 at the end.
  template <class Visit>
  uint64_t Scan(uint64_t cursor, size_t count, Visit visit) const;
  // As Scan, but a key that was there all the time is visited once.
  template <class Visit>
  uint64_t Walk(uint64_t cursor, size_t count, Visit visit) const;
  // Visits every key that has not ended.
  template <class Visit>
  void ForEach(Visit visit) const {
    uint64_t cursor = 0;
    do {
      cursor = Scan(cursor, SIZE_MAX, visit);
    } while (cursor != 0);
  }
  // Null when there is none.
  Entry* Sample();

  // One turn of looking for what has ended. False: there was more than a turn may take.
  bool Sweep();
  // Evicts keys of the cache until at most `bytes` are used, or so many keys.
  // Whether they are.
  bool EvictTo(size_t bytes, int most_keys = kMostEvictions);
  bool has_evictable() const { return cache_.size() > 0; }

  // Appends records of the state of about `count` keys at most, or of so many fields or members of
  // a large one, or about kSnapshotSliceBytes, to `items`, until walk->done(). What was there all
  // the time is in them, as it was at some moment.
  void Snapshot(SnapshotWalk* walk, size_t count, std::vector<std::string>* items) const;

  // Merges a record of this data center or another in. kInvalid: nothing was changed. Their stamps
  // must have been observed by the clock.
  Result<void> Apply(Bytes record);
  // `order`: of its fields, as they are to be added; those that are not in it come last.
  using FieldOrder = std::span<const std::string_view>;
  void Apply(std::string_view key, KeyState state, FieldOrder order = {});

  uint64_t expired() const { return expired_; }
  uint64_t evicted() const { return evicted_; }
  void ResetCounts() { expired_ = evicted_ = 0; }

 private:
  using Table = ScanTable<Entry>;

  Table& TableOf(std::string_view key) { return IsCache(key) ? cache_ : main_; }
  bool KeepsTraces() const { return known_ != HybridTime::Max(); }
  bool Alive(const Entry& entry) const;
  // The key's entry, ended or not.
  Entry* Stored(std::string_view key) { return TableOf(key).Find(key); }
  void Insert(Entry* entry);
  void Swap(Entry* old, Entry* entry);
  void Drop(Entry* entry);
  void Account(size_t before, size_t after) { item_bytes_ += after - before; }
  void Note(std::string_view key);
  void Modified(std::string_view key) {
    if (listener_ != nullptr) listener_->OnModified(key);
  }
  void CountAs(Entry* entry, Entry::Standing standing);
  void Recount(Entry* entry);
  void RecountWritten(Entry* entry);
  // An entry of the kind kParts for a change to its parts.
  Entry* OpenParts(std::string_view key);
  Entry* AsParts(Entry* entry);
  void ForgetEnded(Entry* entry);
  void Expire(Entry* entry);
  int64_t DueOf(const Entry& entry) const;
  bool Known(const Entry& entry) const;
  int64_t CollectTraces(Entry& entry);
  void Tell(Entry* entry);
  void MergeFields(Parts& parts, const Stamp& cleared, const KeyState& state, FieldOrder order);
  void MergeMembers(Parts& parts, const Stamp& cleared, const KeyState& state);
  void MergeParts(Parts& parts, const Stamp& cleared, const KeyState& state, FieldOrder order);
  void Compact(Entry* entry);
  void SnapshotLarge(SnapshotWalk* walk, size_t count, std::vector<std::string>* items) const;
  void ApplyFlush(const Stamp& stamp);
  Entry* Flushed(Entry* entry);
  bool FlushOn();

  static constexpr uint64_t kNoFlush = UINT64_MAX;
  struct Prefetching {
    Table* table = nullptr;
    uint64_t hash = 0;
  };

  Options options_;
  HybridClock& clock_;
  KeyspaceListener* listener_ = nullptr;
  Random random_;
  size_t item_traces_ = 0;  // of removed fields and members; outlives those in the tables
  Table main_;
  Table cache_;
  HybridTime known_ = HybridTime::Max();
  Stamp stamp_;                   // of the command
  Stamp flushed_;                 // everything before it is gone
  Stamp newest_;                  // nothing that is here has a newer one
  uint64_t flush_at_ = kNoFlush;  // a cursor as Scan's: how far the last flush is applied
  LazyFree freed_;
  std::array<Prefetching, kMaxPrefetches> prefetching_;
  size_t prefetches_ = 0;
  int64_t now_ms_ = 0;
  RecordWriter record_;
  bool must_sync_ = false;
  size_t item_bytes_ = 0;
  size_t living_ = 0;
  size_t ending_ = 0;
  uint64_t expired_ = 0;
  uint64_t evicted_ = 0;
  size_t trace_budget_ = 0;  // items that a turn may still look at for traces
  uint64_t main_sweep_ = 0;
  uint64_t cache_sweep_ = 0;
  std::string text_;  // of a counter, for TextOf
};

template <class Visit>
uint64_t Keyspace::Walk(uint64_t cursor, size_t count, Visit visit) const {
  auto living = [&](const Entry& entry) {
    if (Alive(entry)) visit(entry);
  };
  // The cursor's last bit says which table.
  bool in_main = (cursor & 1) == 0;
  uint64_t next = (in_main ? main_ : cache_).Walk(cursor >> 1, count, living);
  if (next != 0) return next << 1 | (cursor & 1);
  return in_main && cache_.size() > 0 ? 1 : 0;
}

template <class Visit>
uint64_t Keyspace::Scan(uint64_t cursor, size_t count, Visit visit) const {
  size_t seen = 0;
  auto living = [&](const Entry& entry) {
    ++seen;
    if (Alive(entry)) visit(entry);
  };
  // The cursor's last bit says which table.
  if ((cursor & 1) == 0) {
    cursor = main_.Scan(cursor >> 1, count, living) << 1;
    if (cursor != 0) return cursor;
    if (cache_.size() == 0) return 0;
    if (seen >= count) return 1;
  }
  cursor = cache_.Scan(cursor >> 1, count - seen, living);
  return cursor == 0 ? 0 : cursor << 1 | 1;
}

}  // namespace meridian::session
