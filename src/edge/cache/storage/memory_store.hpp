// MemoryStore: the stored responses, found by key and variant and purged by URL, prefix and tag.
// Owned by the edge; one thread. What it gives out may be used for as long as one likes: it stays
// charged until it is let go.
//
// Invariants: all that is held, given out or coming in is charged to one budget, which is never
// exceeded: what SIEVE has chosen goes first, but nothing that somebody is reading (its memory
// would not be freed). A response that was asked for before a purge is not stored against it.
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
  // `seed` is for hashing keys. `budget_bytes` is at least kLeastCacheBytes.
  MemoryStore(size_t budget_bytes, uint64_t seed);
  ~MemoryStore();
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  uint64_t seed() const { return seed_; }
  const std::shared_ptr<ByteBudget>& budget() const { return budget_; }
  // In the index.
  size_t objects() const { return queue_.size(); }
  uint64_t evictions() const { return evictions_; }

  struct Found {
    std::shared_ptr<StoredResponse> response;  // null: a miss
    bool has_url = false;                      // other variants are there
    std::string_view vary = {};  // of the newest variant, until the next call of anything
  };
  // The newest stored response whose Vary matches `request` (RFC 9111 4.1). Allocates only for what
  // varies.
  Found Find(const KeyView& key, const wire::http::HeaderFields& request);

  // How many purges there have been: taken when a fetch begins, handed in when it ends.
  uint64_t mark() const { return purges_seen_; }
  // Whether a purge since `mark` is about this. Without tags (not known yet) any by tag may be.
  bool Forbids(uint64_t mark, std::string_view key, std::span<const std::string_view> tags) const;
  bool MayForbid(uint64_t mark, std::string_view key) const;

  // Stores `response`, whose body is complete, in place of those that it stands for. False: a purge
  // since `mark` forbids it, or there is no room.
  bool Store(const KeyView& key, std::shared_ptr<StoredResponse> response, uint64_t mark);
  // Forgets all variants of one key.
  void Remove(const KeyView& key);

  // A purge, or the drop of everything, on its way through the store. Fetches that are older than
  // its beginning are not stored; what is stored already is gone, or stale, when it is done.
  class Sweep {
   public:
    // Goes on by a slice. False: it is done.
    bool Step(TimePoint now);
    // How many responses are gone, or stale.
    size_t purged() const { return purged_; }

   private:
    friend class MemoryStore;
    Sweep(MemoryStore& store, uint64_t number) : store_(&store), number_(number) {}
    void Collect(Url* bucket, std::vector<Entry*>* entries);
    void Apply(std::span<Entry* const> entries, TimePoint now);

    MemoryStore* store_;
    uint64_t number_;                      // what was stored later is not its concern
    std::optional<PurgeMatcher> matcher_;  // nothing: everything goes
    bool soft_ = false;
    size_t next_bucket_ = 0;  // past the last one: done
    size_t looked_at_ = 0;    // URLs and responses, in this slice
    size_t purged_ = 0;
  };
  Sweep BeginPurge(const PurgeOrder& order);
  Sweep BeginDrop();

  // All slices at once: the responses that are gone, or stale since `now`.
  size_t Purge(const PurgeOrder& order, TimePoint now);
  void DropAll();

  // For tests: what all of the index takes, added up.
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
  // The few that a purge is about, when they can be found without a walk through the index.
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
