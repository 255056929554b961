// MemoryStore: the stored responses, found by key and variant, purged by URL, prefix and tag. Owned
// by the edge, shared by its loops; any thread. A caller may keep a found response without limit:
// it stays charged until it is freed.
//
// In a process with several loops the keys are divided among kStoreShards shards (store_shard.hpp).
// A hit holds its shard's mutex while it copies a pointer; no other holder keeps it for longer than
// a few microseconds. In a process with one loop there is one shard, and no mutex.
//
// Invariants: stored responses, those in use elsewhere, and arriving bodies are charged to one
// budget, which is never exceeded. SIEVE chooses which response of a shard is evicted, and the
// shards are asked in turn; a response in use is not evicted (its memory would not be freed). A
// response that was requested before a purge that matches it is not stored.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/purge.hpp"
#include "edge/cache/storage/byte_budget.hpp"
#include "edge/cache/storage/found_response.hpp"
#include "edge/cache/storage/purge_history.hpp"
#include "edge/cache/storage/store_shard.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

class MemoryStore {
 public:
  // `seed` is for hashing keys. A `budget_bytes` below kMinCacheBytes is raised to it. `shared`:
  // several threads use it.
  MemoryStore(size_t budget_bytes, uint64_t seed, bool shared = false);
  ~MemoryStore();
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  uint64_t seed() const { return seed_; }
  bool shared() const { return shared_; }
  const std::shared_ptr<ByteBudget>& budget() const { return budget_; }
  // The number of stored responses.
  size_t objects() const;
  uint64_t evictions() const;

  using Found = FoundResponse;
  // The newest stored response whose Vary matches `request` (RFC 9111 4.1). Allocates only for URLs
  // with Vary.
  Found Find(const KeyView& key, const wire::http::HeaderFields& request) {
    return ShardOf(key.hash).Find(key, request);
  }

  // The number of purges so far. A fetch reads it before it sends its request, and passes it to
  // Store at its end, so that a response from before a purge is not stored after it.
  uint64_t mark() const { return history_.mark(); }
  // True if one of the purges since `mark` matches a response with this key and these tags.
  // MayForbid is for a response whose tags are not known yet: every purge by tag may match. Both
  // are true for every key after DropAll, and after more than kMaxRememberedPurges further purges.
  bool Forbids(uint64_t mark, std::string_view key, std::span<const std::string_view> tags) const {
    return history_.Forbids(mark, key, tags);
  }
  bool MayForbid(uint64_t mark, std::string_view key) const {
    return history_.MayForbid(mark, key);
  }

  // Stores `response`, whose body must be complete and charged to the budget already, and removes
  // the variants that it replaces; past kMaxVariants of the URL also the oldest. False: a condition
  // forbids it, or there is no room.
  bool Store(const KeyView& key, std::shared_ptr<StoredResponse> response,
             const StoreConditions& conditions) {
    return ShardOf(key.hash).Store(key, std::move(response), conditions);
  }
  bool Store(const KeyView& key, std::shared_ptr<StoredResponse> response, uint64_t mark) {
    return Store(key, std::move(response), StoreConditions{.mark = mark});
  }
  // Gives `response`, which was found for `key`, another freshness. False: a condition forbids it.
  bool Refresh(const KeyView& key, StoredResponse& response, const Freshness& freshness,
               const StoreConditions& conditions) {
    return ShardOf(key.hash).Refresh(key, response, freshness, conditions);
  }
  // Removes all variants of a URL.
  void Remove(const KeyView& key) { ShardOf(key.hash).Remove(key); }

  // A purge, or the removal of everything, in slices. From its begin on, matching responses that
  // were requested earlier are not stored. When it is done, every matching response that was stored
  // before it began is removed (hard purge) or stale (soft purge), for all loops. The store must
  // outlive it.
  class Sweep {
   public:
    // Runs one slice. False: the sweep is done.
    bool Step(TimePoint now);
    // The number of responses that were removed, or made stale, so far.
    size_t purged() const { return cursor_.purged; }

   private:
    friend class MemoryStore;
    explicit Sweep(MemoryStore& store) : store_(&store), end_(store.shards_.size()) {}

    MemoryStore* store_;
    std::optional<PurgeMatcher> matcher_;  // nothing: everything is removed
    StoreShard::SweepCursor cursor_ = {};
    size_t shard_ = 0;
    size_t end_;  // of the shards to sweep
  };
  // An empty value, or one of more than kMaxPurgeBytes, purges nothing.
  Sweep BeginPurge(const PurgeOrder& order);
  Sweep BeginDrop();

  // All slices at once; returns the number of responses that were removed, or made stale at `now`.
  size_t Purge(const PurgeOrder& order, TimePoint now);
  void DropAll();

  // For tests: the memory of the index, added up.
  size_t AuditIndex() const;

 private:
  size_t IndexOf(uint64_t hash) const {
    return shared_ ? hash / (UINT64_MAX / kStoreShards + 1) : 0;
  }
  StoreShard& ShardOf(uint64_t hash) { return *shards_[IndexOf(hash)]; }
  void MakeRoom(size_t bytes);

  const uint64_t seed_;
  const bool shared_;
  const std::shared_ptr<ByteBudget> budget_;
  PurgeHistory history_;
  std::vector<std::unique_ptr<StoreShard>> shards_;
  std::atomic<size_t> next_to_evict_ = 0;  // the next shard to be asked for room; any loop
};

}  // namespace meridian::edge
