#include "edge/cache/storage/store_shard.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/freshness.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/purge.hpp"
#include "edge/cache/storage/byte_budget.hpp"
#include "edge/cache/storage/found_response.hpp"
#include "edge/cache/storage/optional_mutex.hpp"
#include "edge/cache/storage/sieve.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/cache/storage/tag_index.hpp"
#include "edge/cache/vary.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

struct StoreShard::Url {
  std::string key;
  uint64_t hash = 0;
  Url* next = nullptr;
  std::vector<std::unique_ptr<Entry>> variants;  // the newest last

  static size_t BytesOf(size_t key) { return sizeof(Url) + key + 1 + 3 * kAllocationBytes; }
};

struct StoreShard::Entry : SieveNode {
  std::shared_ptr<StoredResponse> response;
  Url* url = nullptr;
  uint64_t mark = 0;  // MemoryStore::mark when it was stored
  TagIndex::Links links;
  Entry* next_removed = nullptr;

  // Whether a request, a fetch or a table of hot responses uses it: its eviction would not free its
  // memory. Under the shard's mutex, nobody else can begin to use a response that is not in use.
  bool in_use() const {
    return response.use_count() > 1 || response->body.use_count() > response->body->entries();
  }
  // With its element in the vector of variants, which doubles as it grows.
  static constexpr size_t kBytes = sizeof(SieveNode) + sizeof(std::shared_ptr<StoredResponse>) +
                                   sizeof(Url*) + sizeof(uint64_t) + sizeof(TagIndex::Links) +
                                   sizeof(Entry*) + kAllocationBytes + 2 * sizeof(void*);
};

class StoreShard::RemovedEntries {
 public:
  RemovedEntries() = default;
  RemovedEntries(const RemovedEntries&) = delete;
  RemovedEntries& operator=(const RemovedEntries&) = delete;
  ~RemovedEntries() {
    while (first_ != nullptr) {
      const std::unique_ptr<Entry> entry(std::exchange(first_, first_->next_removed));
      // Only now, as its url may have been freed with the last of its entries.
      const std::unique_ptr<Url> url(entry->url);
    }
  }

  // Takes over its URL as well when `entry.url` is set.
  void Add(std::unique_ptr<Entry> entry) {
    entry->next_removed = first_;
    first_ = entry.release();
  }

 private:
  Entry* first_ = nullptr;
};

StoreShard::StoreShard(const Options& options)
    : mutex_(options.shared),
      budget_(options.budget),
      history_(options.history),
      buckets_(options.buckets),
      tags_(options.tag_buckets, options.seed) {
  static_assert(sizeof(Entry) + kAllocationBytes + 2 * sizeof(void*) <= Entry::kBytes);
}

StoreShard::~StoreShard() { CHECK(queue_.empty()); }

StoreShard::Url** StoreShard::SlotOf(const KeyView& key) {
  Url** slot = &buckets_[BucketOf(key.hash)];
  while (*slot != nullptr && !((*slot)->hash == key.hash && KeyIs(key, (*slot)->key))) {
    slot = &(*slot)->next;
  }
  return slot;
}

FoundResponse StoreShard::Find(const KeyView& key, const wire::http::HeaderFields& request) {
  const OptionalLock lock(mutex_);
  Url* url = *SlotOf(key);
  if (url == nullptr) return {};
  std::string_view vary;  // the Vary of `variant`
  std::optional<std::string> variant;
  for (const std::unique_ptr<Entry>& entry : std::views::reverse(url->variants)) {
    const StoredResponse& stored = *entry->response;
    if (!stored.vary.empty() && stored.vary != vary) {
      vary = stored.vary;
      variant = VariantKey(vary, request);
    }
    if (!stored.vary.empty() && (!variant || !stored.Answers(*variant))) continue;
    entry->visited = true;
    return {.response = entry->response, .has_url = true, .vary = stored.vary};
  }
  return {.response = nullptr, .has_url = true, .vary = url->variants.back()->response->vary};
}

StoreShard::Url& StoreShard::UrlOf(const KeyView& key, size_t* spare) {
  Url** slot = SlotOf(key);
  if (*slot == nullptr) {
    *slot = std::make_unique<Url>().release();
    (*slot)->key = KeyText(key);
    (*slot)->hash = key.hash;
    *spare -= Url::BytesOf((*slot)->key.size());
  }
  return **slot;
}

bool StoreShard::Store(const KeyView& key, std::shared_ptr<StoredResponse> response,
                       const StoreConditions& conditions) {
  CHECK(response->body->complete() && response->body->counted());
  const std::string text = KeyText(key);
  if (history_.Forbids(conditions.mark, text, response->tags)) return false;
  // The maximum cost is taken before the index is read, as taking may evict any entry.
  size_t spare = Entry::kBytes + Url::BytesOf(text.size()) + TagIndex::MaxBytes(response->tags);
  if (!budget_.Take(spare)) return false;
  auto entry = std::make_unique<Entry>();
  RemovedEntries removed;
  const OptionalLock lock(mutex_);
  // Judged once more under the mutex: a purge from now on finds the entry.
  const std::optional<uint64_t> mark = history_.Admit(conditions.mark, text, response->tags);
  const bool forbidden = conditions.forbidden != nullptr && *conditions.forbidden;
  if (!mark || forbidden) {
    budget_.Give(spare);
    return false;
  }
  Url& url = UrlOf(key, &spare);
  entry->response = std::move(response);
  entry->response->body->EnterStore();
  entry->url = &url;
  entry->mark = *mark;
  spare -= Entry::kBytes;
  spare -= tags_.Add(entry->response->tags, entry.get(), &entry->links);
  budget_.Give(spare);
  queue_.Add(entry.get());
  objects_.store(queue_.size(), std::memory_order_relaxed);
  const Entry& stored = *entry;
  url.variants.push_back(std::move(entry));
  RemoveReplaced(url, stored, &removed);
  return true;
}

bool StoreShard::Refresh(const KeyView& key, StoredResponse& response, const Freshness& freshness,
                         const StoreConditions& conditions) {
  const std::string text = KeyText(key);
  const OptionalLock lock(mutex_);
  const bool forbidden = conditions.forbidden != nullptr && *conditions.forbidden;
  if (forbidden || history_.Forbids(conditions.mark, text, response.tags)) return false;
  response.freshness = freshness;
  return true;
}

void StoreShard::RemoveReplaced(Url& url, const Entry& by, RemovedEntries* removed) {
  const StoredResponse& newest = *by.response;
  std::vector<Entry*> replaced;
  for (const std::unique_ptr<Entry>& entry : url.variants) {
    const StoredResponse& old = *entry->response;
    bool same = old.vary == newest.vary && old.variant == newest.variant;
    // Without Vary in one of the two, the newer one answers all requests of the older.
    bool stands_for = newest.vary.empty() || old.vary.empty() || same;
    if (entry.get() == &by) continue;
    if (stands_for) {
      replaced.push_back(entry.get());
    } else if (old.vary != newest.vary || newest.Answers(old.variant)) {
      entry->response->superseded.store(true, std::memory_order_release);
    }
  }
  for (Entry* entry : replaced) RemoveEntry(entry, removed);
  if (url.variants.size() > kMaxVariants) RemoveEntry(url.variants.front().get(), removed);
}

void StoreShard::RemoveEntry(Entry* entry, RemovedEntries* removed) {
  Url* url = entry->url;
  entry->response->removed.store(true, std::memory_order_release);
  entry->response->body->LeaveStore();
  queue_.Remove(entry);
  objects_.store(queue_.size(), std::memory_order_relaxed);
  budget_.Give(tags_.Remove(&entry->links) + Entry::kBytes);
  auto place = std::ranges::find(url->variants, entry, &std::unique_ptr<Entry>::get);
  CHECK(place != url->variants.end());
  std::unique_ptr<Entry> owned = std::move(*place);
  url->variants.erase(place);
  if (url->variants.empty()) {
    RemoveUrl(entry);
  } else {
    entry->url = nullptr;
  }
  removed->Add(std::move(owned));
}

void StoreShard::RemoveUrl(Entry* last) {
  Url** slot = &buckets_[BucketOf(last->url->hash)];
  while (*slot != last->url) slot = &(*slot)->next;
  *slot = last->url->next;
  budget_.Give(Url::BytesOf(last->url->key.size()));
}

void StoreShard::Remove(const KeyView& key) {
  RemovedEntries removed;
  const OptionalLock lock(mutex_);
  Url* url = *SlotOf(key);
  if (url == nullptr) return;
  for (size_t left = url->variants.size(); left > 0; --left) {
    RemoveEntry(url->variants.back().get(), &removed);
  }
}

bool StoreShard::EvictOne(size_t* steps) {
  RemovedEntries removed;
  const OptionalLock lock(mutex_);
  // That many find an entry without a mark: the hand clears one mark, and then the other.
  *steps = std::min(*steps, kEvictionRounds * queue_.size());
  while (*steps > 0) {
    auto* entry = static_cast<Entry*>(queue_.Next(steps));
    if (entry == nullptr) return false;
    if (entry->in_use() || entry->response->was_hot.exchange(false)) continue;
    RemoveEntry(entry, &removed);
    evictions_.store(evictions() + 1, std::memory_order_relaxed);
    return true;
  }
  return false;
}

void StoreShard::Collect(const SweepCursor& cursor, Url& url, std::vector<Entry*>* entries) {
  const PurgeMatcher* matcher = cursor.matcher;
  if (matcher != nullptr && matcher->kind() != PurgeOrder::kTag && !matcher->Matches(url.key, {})) {
    return;
  }
  for (const std::unique_ptr<Entry>& entry : url.variants) {
    if (entry->mark >= cursor.number) continue;
    if (matcher == nullptr || matcher->Matches(url.key, entry->response->tags)) {
      entries->push_back(entry.get());
    }
  }
}

void StoreShard::Apply(SweepCursor& cursor, const std::vector<Entry*>& entries, TimePoint now,
                       RemovedEntries* removed) {
  for (Entry* entry : entries) {
    if (!cursor.soft) {
      RemoveEntry(entry, removed);
      ++cursor.purged;
    } else if (entry->response->freshness.MakeStale(now)) {
      ++cursor.purged;
    }
  }
  cursor.removals += entries.size();
}

bool StoreShard::SweepFew(SweepCursor& cursor, TimePoint now) {
  if (cursor.matcher == nullptr) return false;
  RemovedEntries removed;
  std::vector<Entry*> few;
  const OptionalLock lock(mutex_);
  if (cursor.hash) {
    for (Url* url = buckets_[BucketOf(*cursor.hash)]; url != nullptr; url = url->next) {
      Collect(cursor, *url, &few);
    }
  } else {
    if (cursor.matcher->kind() != PurgeOrder::kTag) return false;
    auto nodes = tags_.Entries(cursor.matcher->value(), cursor.max_few);
    if (!nodes) return false;
    for (SieveNode* node : *nodes) {
      auto* entry = static_cast<Entry*>(node);
      if (entry->mark < cursor.number) few.push_back(entry);
    }
  }
  Apply(cursor, few, now, &removed);
  return true;
}

void StoreShard::SweepBuckets(SweepCursor& cursor, size_t begin, size_t end, TimePoint now) {
  RemovedEntries removed;
  std::vector<Entry*> entries;
  const OptionalLock lock(mutex_);
  for (size_t bucket = begin; bucket < end; ++bucket) {
    for (Url* url = buckets_[bucket]; url != nullptr; url = url->next) {
      cursor.looked_at += 1 + url->variants.size();
      Collect(cursor, *url, &entries);
    }
  }
  Apply(cursor, entries, now, &removed);
}

bool StoreShard::Sweep(SweepCursor& cursor, TimePoint now) {
  const auto full = [&] {
    return cursor.buckets >= kSweepBuckets || cursor.looked_at >= kSweepResponses ||
           cursor.removals >= kSweepRemovals;
  };
  if (cursor.next_bucket == 0 && !full() && SweepFew(cursor, now)) return true;
  while (cursor.next_bucket < buckets_.size()) {
    if (full()) return false;
    const size_t end = std::min(cursor.next_bucket + kSweepLockedBuckets, buckets_.size());
    SweepBuckets(cursor, cursor.next_bucket, end, now);
    cursor.buckets += end - cursor.next_bucket;
    cursor.next_bucket = end;
  }
  return true;
}

size_t StoreShard::AuditIndex() const {
  const OptionalLock lock(mutex_);
  size_t bytes = bucket_bytes() + tags_.AuditBytes();
  for (const Url* url : buckets_) {
    for (; url != nullptr; url = url->next) {
      bytes += Url::BytesOf(url->key.size());
      for (const std::unique_ptr<Entry>& entry : url->variants) {
        bytes += Entry::kBytes;
        if (entry->links.count == 0) continue;
        bytes += kAllocationBytes + entry->links.count * sizeof(TagIndex::Link);
      }
    }
  }
  return bytes;
}

}  // namespace meridian::edge
