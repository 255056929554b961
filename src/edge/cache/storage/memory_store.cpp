#include "edge/cache/storage/memory_store.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
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
#include "edge/cache/storage/sieve.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/cache/storage/tag_index.hpp"
#include "edge/cache/vary.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

struct MemoryStore::Entry : SieveNode {
  std::shared_ptr<StoredResponse> response;
  Url* url = nullptr;
  uint64_t mark = 0;  // MemoryStore::mark when it was stored
  TagIndex::Links links;

  // Whether a request or fetch uses it: its eviction would not free its memory.
  bool in_use() const {
    return response.use_count() > 1 || response->body.use_count() > response->body->entries();
  }
  // With its element in the vector of variants, which doubles as it grows.
  static constexpr size_t kBytes = sizeof(SieveNode) + sizeof(std::shared_ptr<StoredResponse>) +
                                   sizeof(Url*) + sizeof(uint64_t) + sizeof(TagIndex::Links) +
                                   kAllocationBytes + 2 * sizeof(void*);
};

struct MemoryStore::Url {
  std::string key;
  uint64_t hash = 0;
  Url* next = nullptr;
  std::vector<std::unique_ptr<Entry>> variants;  // the newest last

  static size_t BytesOf(size_t key) { return sizeof(Url) + key + 1 + 3 * kAllocationBytes; }
};

MemoryStore::MemoryStore(size_t budget_bytes, uint64_t seed)
    : seed_(seed),
      budget_(std::make_shared<ByteBudget>(std::max(budget_bytes, kMinCacheBytes))),
      buckets_(budget_->limit() / kBytesPerBucket),
      tags_(buckets_.size() / kBucketsPerTagBucket, seed + 1) {
  static_assert(sizeof(Entry) + kAllocationBytes + 2 * sizeof(void*) <= Entry::kBytes);
  bool fits = budget_->Take(buckets_.size() * sizeof(Url*) + tags_.bucket_bytes());
  CHECK(fits);
  budget_->set_make_room([this](size_t bytes) { MakeRoom(bytes); });
}

MemoryStore::~MemoryStore() {
  DropAll();
  budget_->set_make_room({});
}

MemoryStore::Url** MemoryStore::SlotOf(const KeyView& key) {
  Url** slot = BucketOf(key.hash);
  while (*slot != nullptr && !((*slot)->hash == key.hash && KeyIs(key, (*slot)->key))) {
    slot = &(*slot)->next;
  }
  return slot;
}

MemoryStore::Found MemoryStore::Find(const KeyView& key, const wire::http::HeaderFields& request) {
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

bool MemoryStore::Forbids(uint64_t mark, std::string_view key,
                          std::span<const std::string_view> tags) const {
  return mark < forgotten_purges_ || std::ranges::any_of(
                                         purges_,
                                         [&](const RememberedPurge& p) {
                                           return p.number > mark && p.matcher.Matches(key, tags);
                                         });
}

bool MemoryStore::MayForbid(uint64_t mark, std::string_view key) const {
  return mark < forgotten_purges_ ||
         std::ranges::any_of(
             purges_,
             [&](const RememberedPurge& p) { return p.number > mark && p.matcher.MayMatch(key); });
}

MemoryStore::Url& MemoryStore::UrlOf(const KeyView& key, size_t* spare) {
  Url** slot = SlotOf(key);
  if (*slot == nullptr) {
    *slot = std::make_unique<Url>().release();
    (*slot)->key = KeyText(key);
    (*slot)->hash = key.hash;
    *spare -= Url::BytesOf((*slot)->key.size());
  }
  return **slot;
}

bool MemoryStore::Store(const KeyView& key, std::shared_ptr<StoredResponse> response,
                        uint64_t mark) {
  CHECK(response->body->complete() && response->body->counted());
  const std::string text = KeyText(key);
  if (Forbids(mark, text, response->tags)) return false;
  // The maximum cost is taken before the index is read, as taking may evict any entry.
  size_t spare = Entry::kBytes + Url::BytesOf(text.size()) + TagIndex::MaxBytes(response->tags);
  if (!budget_->Take(spare)) return false;
  Url& url = UrlOf(key, &spare);
  auto entry = std::make_unique<Entry>();
  entry->response = std::move(response);
  entry->response->body->EnterStore();
  entry->url = &url;
  entry->mark = purges_seen_;
  spare -= Entry::kBytes;
  spare -= tags_.Add(entry->response->tags, entry.get(), &entry->links);
  budget_->Give(spare);
  queue_.Add(entry.get());
  const Entry& stored = *entry;
  url.variants.push_back(std::move(entry));
  RemoveReplaced(url, stored);
  return true;
}

void MemoryStore::RemoveReplaced(Url& url, const Entry& by) {
  const StoredResponse& newest = *by.response;
  std::vector<Entry*> replaced;
  for (const std::unique_ptr<Entry>& entry : url.variants) {
    const StoredResponse& old = *entry->response;
    bool same = old.vary == newest.vary && old.variant == newest.variant;
    // Without Vary in one of the two, the newer one answers all requests of the older.
    bool stands_for = newest.vary.empty() || old.vary.empty() || same;
    if (entry.get() != &by && stands_for) replaced.push_back(entry.get());
  }
  for (Entry* entry : replaced) RemoveEntry(entry);
  if (url.variants.size() > kMaxVariants) RemoveEntry(url.variants.front().get());
}

void MemoryStore::RemoveEntry(Entry* entry) {
  Url* url = entry->url;
  entry->response->body->LeaveStore();
  queue_.Remove(entry);
  budget_->Give(tags_.Remove(&entry->links) + Entry::kBytes);
  auto place = std::ranges::find(url->variants, entry, &std::unique_ptr<Entry>::get);
  CHECK(place != url->variants.end());
  url->variants.erase(place);
  if (url->variants.empty()) RemoveUrl(url);
}

void MemoryStore::RemoveUrl(Url* url) {
  Url** slot = BucketOf(url->hash);
  while (*slot != url) slot = &(*slot)->next;
  *slot = url->next;
  budget_->Give(Url::BytesOf(url->key.size()));
  std::unique_ptr<Url> owned(url);
}

void MemoryStore::Remove(const KeyView& key) {
  Url* url = *SlotOf(key);
  if (url == nullptr) return;
  for (size_t left = url->variants.size(); left > 0; --left) {
    RemoveEntry(url->variants.back().get());
  }
}

void MemoryStore::MakeRoom(size_t bytes) {
  const size_t enough = budget_->used() - std::min(budget_->used(), bytes);
  // Looks at each entry once; entries in use stay.
  for (size_t left = queue_.size(); left > 0 && budget_->used() > enough; --left) {
    auto* entry = static_cast<Entry*>(queue_.Next());
    if (entry->in_use()) continue;
    RemoveEntry(entry);
    ++evictions_;
  }
}

void MemoryStore::Sweep::Collect(Url* bucket, std::vector<Entry*>* entries) {
  for (Url* url = bucket; url != nullptr; url = url->next) {
    looked_at_ += 1 + url->variants.size();
    if (matcher_ && matcher_->kind() != PurgeOrder::kTag && !matcher_->Matches(url->key, {})) {
      continue;
    }
    for (const std::unique_ptr<Entry>& entry : url->variants) {
      if (entry->mark >= number_) continue;
      if (!matcher_ || matcher_->Matches(url->key, entry->response->tags)) {
        entries->push_back(entry.get());
      }
    }
  }
}

void MemoryStore::Sweep::Apply(std::span<Entry* const> entries, TimePoint now) {
  for (Entry* entry : entries) {
    Freshness& freshness = entry->response->freshness;
    if (!soft_) {
      store_->RemoveEntry(entry);
      ++purged_;
    } else if (freshness.MakeStale(now)) {
      ++purged_;
    }
  }
}

std::optional<std::vector<MemoryStore::Entry*>> MemoryStore::FindFew(const Sweep& sweep) {
  const PurgeMatcher& matcher = *sweep.matcher_;
  std::vector<Entry*> few;
  if (matcher.kind() == PurgeOrder::kTag) {
    auto nodes = tags_.Entries(matcher.value(), kSweepRemovals);
    if (!nodes) return std::nullopt;
    for (SieveNode* node : *nodes) {
      auto* entry = static_cast<Entry*>(node);
      if (entry->mark < sweep.number_) few.push_back(entry);
    }
    return few;
  }
  // Equivalent spellings of a URL have different hashes.
  const bool one_place = matcher.kind() == PurgeOrder::kUrl && !matcher.host().empty() &&
                         !matcher.has_other_spellings();
  if (!one_place) return std::nullopt;
  size_t mark = std::min(matcher.value().find('?'), matcher.value().size());
  std::optional<std::string_view> query;
  if (mark < matcher.value().size()) query = matcher.value().substr(mark + 1);
  Sweep(sweep).Collect(
      *BucketOf(HashUrl(matcher.host(), matcher.value().substr(0, mark), query, seed_)), &few);
  return few;
}

bool MemoryStore::Sweep::Step(TimePoint now) {
  const std::vector<Url*>& buckets = store_->buckets_;
  if (next_bucket_ == 0 && matcher_) {
    if (auto few = store_->FindFew(*this)) {
      Apply(*few, now);
      next_bucket_ = buckets.size();
    }
  }
  looked_at_ = 0;
  const size_t end = std::min(next_bucket_ + kSweepBuckets, buckets.size());
  std::vector<Entry*> entries;
  while (next_bucket_ < end && looked_at_ < kSweepResponses && entries.size() < kSweepRemovals) {
    Collect(buckets[next_bucket_++], &entries);
  }
  Apply(entries, now);
  return next_bucket_ < buckets.size();
}

MemoryStore::Sweep MemoryStore::BeginPurge(const PurgeOrder& order) {
  Sweep sweep(*this, purges_seen_ + 1);
  if (order.value.empty() || order.value.size() > kMaxPurgeBytes) {
    sweep.next_bucket_ = buckets_.size();
    return sweep;
  }
  Remember(order);
  sweep.matcher_ = purges_.back().matcher;
  sweep.soft_ = order.soft;
  return sweep;
}

MemoryStore::Sweep MemoryStore::BeginDrop() {
  forgotten_purges_ = ++purges_seen_;
  purges_.clear();
  return {*this, purges_seen_};
}

size_t MemoryStore::Purge(const PurgeOrder& order, TimePoint now) {
  Sweep sweep = BeginPurge(order);
  while (sweep.Step(now)) {
  }
  return sweep.purged();
}

void MemoryStore::Remember(const PurgeOrder& order) {
  purges_.push_back({.number = ++purges_seen_, .matcher = PurgeMatcher(order)});
  if (purges_.size() <= kMaxRememberedPurges) return;
  forgotten_purges_ = purges_.front().number;
  purges_.pop_front();
}

void MemoryStore::DropAll() {
  Sweep sweep = BeginDrop();
  while (sweep.Step({})) {
  }
}

size_t MemoryStore::AuditIndex() const {
  size_t bytes = buckets_.size() * sizeof(Url*) + tags_.bucket_bytes() + tags_.AuditBytes();
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
