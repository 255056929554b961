// MemoryStore: the stored responses, found by key and variant, purged by URL, prefix and tag. Owned
// by the edge; one thread. A caller may keep a found response without limit: it stays charged until
// it is freed.
//
// Invariants: stored responses, those in use elsewhere, and arriving bodies are charged to one
// budget, which is never exceeded. SIEVE chooses which response is evicted; a response in use is
// not evicted (its memory would not be freed). A response that was requested before a purge that
// matches it is not stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/purge.hpp"
#include "edge/cache/storage/byte_budget.hpp"
#include "edge/cache/storage/sieve.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/cache/storage/tag_index.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

class MemoryStore {
  struct Url;
  struct Entry;

 public:
  // `seed` is for hashing keys. A `budget_bytes` below kMinCacheBytes is raised to it.
  MemoryStore(size_t budget_bytes, uint64_t seed);
  ~MemoryStore();
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  uint64_t seed() const { return seed_; }
  const std::shared_ptr<ByteBudget>& budget() const { return budget_; }
  // The number of stored responses.
  size_t objects() const { return queue_.size(); }
  uint64_t evictions() const { return evictions_; }

  struct Found {
    std::shared_ptr<StoredResponse> response;  // null: a miss
    // Variants of the URL are stored: the found response, or on a miss others.
    bool has_url = false;
    // The Vary of `response`; on a miss, that of the URL's newest variant. Valid until the store
    // changes.
    std::string_view vary = {};
  };
  // The newest stored response whose Vary matches `request` (RFC 9111 4.1). Allocates only for URLs
  // with Vary.
  Found Find(const KeyView& key, const wire::http::HeaderFields& request);

  // The number of purges so far. A fetch reads it before it sends its request, and passes it to
  // Store at its end, so that a response from before a purge is not stored after it.
  uint64_t mark() const { return purges_seen_; }
  // True if one of the purges since `mark` matches a response with this key and these tags.
  // MayForbid is for a response whose tags are not known yet: every purge by tag may match. Both
  // are true for every key after DropAll, and after more than kMaxRememberedPurges further purges.
  bool Forbids(uint64_t mark, std::string_view key, std::span<const std::string_view> tags) const;
  bool MayForbid(uint64_t mark, std::string_view key) const;

  // Stores `response`, whose body must be complete and charged to the budget already, and removes
  // the variants that it replaces; past kMaxVariants of the URL also the oldest. False: a purge
  // since `mark` forbids it, or there is no room.
  bool Store(const KeyView& key, std::shared_ptr<StoredResponse> response, uint64_t mark);
  // Removes all variants of a URL.
  void Remove(const KeyView& key);

  // A purge, or the removal of everything, in slices. From its begin on, matching responses that
  // were requested earlier are not stored. When it is done, every matching response that was stored
  // before it began is removed (hard purge) or stale (soft purge). The store must outlive it.
  class Sweep {
   public:
    // Runs one slice. False: the sweep is done.
    bool Step(TimePoint now);
    // The number of responses that were removed, or made stale, so far.
    size_t purged() const { return purged_; }

   private:
    friend class MemoryStore;
    Sweep(MemoryStore& store, uint64_t number) : store_(&store), number_(number) {}
    void Collect(Url* bucket, std::vector<Entry*>* entries);
    void Apply(std::span<Entry* const> entries, TimePoint now);

    MemoryStore* store_;
    uint64_t number_;                      // responses that were stored later are left alone
    std::optional<PurgeMatcher> matcher_;  // nothing: everything is removed
    bool soft_ = false;
    size_t next_bucket_ = 0;  // past the last bucket: done
    size_t looked_at_ = 0;    // URLs and responses, in this slice
    size_t purged_ = 0;
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
  struct RememberedPurge {
    uint64_t number;
    PurgeMatcher matcher;
  };

  Url** BucketOf(uint64_t hash) { return &buckets_[hash % buckets_.size()]; }
  Url** SlotOf(const KeyView& key);
  Url& UrlOf(const KeyView& key, size_t* spare);
  void RemoveReplaced(Url& url, const Entry& by);
  void RemoveEntry(Entry* entry);
  void RemoveUrl(Url* url);
  void MakeRoom(size_t bytes);
  // The entries that a purge matches, when they are few and found without a walk through the index.
  std::optional<std::vector<Entry*>> FindFew(const Sweep& sweep);
  void Remember(const PurgeOrder& order);

  uint64_t seed_;
  std::shared_ptr<ByteBudget> budget_;
  std::vector<Url*> buckets_;
  TagIndex tags_;
  Sieve queue_;
  std::deque<RememberedPurge> purges_;
  uint64_t purges_seen_ = 0;
  uint64_t forgotten_purges_ = 0;  // fetches with a mark below this are not stored
  uint64_t evictions_ = 0;
};

}  // namespace meridian::edge
