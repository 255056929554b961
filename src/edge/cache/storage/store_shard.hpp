// StoreShard: the stored responses of the keys whose hashes fall into one part of the hash space,
// with their index, tags and order of eviction. Owned by the MemoryStore; any thread.
//
// Invariants: its mutex is held only to look up, link or unlink a few entries; responses are freed
// after it is released. The budget is taken before the mutex, as taking may evict from any shard.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/purge.hpp"
#include "edge/cache/storage/byte_budget.hpp"
#include "edge/cache/storage/found_response.hpp"
#include "edge/cache/storage/optional_mutex.hpp"
#include "edge/cache/storage/purge_history.hpp"
#include "edge/cache/storage/sieve.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/cache/storage/tag_index.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

class StoreShard {
  struct Url;
  struct Entry;

 public:
  struct Options {
    size_t buckets = 1;
    size_t tag_buckets = 1;
    uint64_t seed = 0;    // for hashing tags
    bool shared = false;  // by several threads
    ByteBudget& budget;
    const PurgeHistory& history;
  };
  explicit StoreShard(const Options& options);
  StoreShard(const StoreShard&) = delete;
  StoreShard& operator=(const StoreShard&) = delete;
  ~StoreShard();

  // These are the functions of MemoryStore for the keys of this shard.
  FoundResponse Find(const KeyView& key, const wire::http::HeaderFields& request);
  bool Store(const KeyView& key, std::shared_ptr<StoredResponse> response,
             const StoreConditions& conditions);
  bool Refresh(const KeyView& key, StoredResponse& response, const Freshness& freshness,
               const StoreConditions& conditions);
  void Remove(const KeyView& key);

  // The number of stored responses, and of evictions so far.
  size_t objects() const { return objects_.load(std::memory_order_relaxed); }
  uint64_t evictions() const { return evictions_.load(std::memory_order_relaxed); }

  // Evicts one response that is not in use. Looks at no more than `*steps` entries, and takes these
  // from it. False: there was none among them.
  bool EvictOne(size_t* steps);

  // A purge on its way through a shard, and what it did in the present slice.
  struct SweepCursor {
    const PurgeMatcher* matcher = nullptr;  // null: everything is removed
    uint64_t number = 0;                    // responses that were stored later are left alone
    bool soft = false;
    std::optional<uint64_t> hash = {};  // of the only URL that can match
    size_t max_few = 0;  // a tag with no more entries in the shard needs no walk through it
    size_t next_bucket = 0;
    size_t buckets = 0;    // looked at in this slice
    size_t looked_at = 0;  // URLs and responses
    size_t removals = 0;
    size_t purged = 0;  // by all slices
  };
  // Goes on until the shard is done (true) or the slice's limits are reached.
  bool Sweep(SweepCursor& cursor, TimePoint now);

  // The memory of the empty index, which the owner takes from the budget.
  size_t bucket_bytes() const { return buckets_.size() * sizeof(Url*) + tags_.bucket_bytes(); }
  // For tests: the memory of the index, added up.
  size_t AuditIndex() const;

 private:
  // Entries that were removed under the mutex, to be freed after it is released.
  class RemovedEntries;

  size_t BucketOf(uint64_t hash) const { return hash % buckets_.size(); }
  Url** SlotOf(const KeyView& key);
  Url& UrlOf(const KeyView& key, size_t* spare);
  void RemoveReplaced(Url& url, const Entry& by, RemovedEntries* removed);
  void RemoveEntry(Entry* entry, RemovedEntries* removed);
  void RemoveUrl(Entry* last);
  void SweepBuckets(SweepCursor& cursor, size_t begin, size_t end, TimePoint now);
  bool SweepFew(SweepCursor& cursor, TimePoint now);
  static void Collect(const SweepCursor& cursor, Url& url, std::vector<Entry*>* entries);
  void Apply(SweepCursor& cursor, const std::vector<Entry*>& entries, TimePoint now,
             RemovedEntries* removed);

  mutable OptionalMutex mutex_;  // guards the members below
  ByteBudget& budget_;
  const PurgeHistory& history_;
  std::vector<Url*> buckets_;
  TagIndex tags_;
  Sieve queue_;
  // Written under the mutex.
  std::atomic<size_t> objects_ = 0;
  std::atomic<uint64_t> evictions_ = 0;
};

}  // namespace meridian::edge
