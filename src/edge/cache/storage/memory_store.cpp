#include "edge/cache/storage/memory_store.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string_view>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/purge.hpp"
#include "edge/cache/storage/byte_budget.hpp"
#include "edge/cache/storage/store_shard.hpp"

namespace meridian::edge {
namespace {

static_assert(std::has_single_bit(kStoreShards));

// The hash of the only URL that `matcher` can match, if there is only one.
std::optional<uint64_t> HashOfOnly(const PurgeMatcher& matcher, uint64_t seed) {
  // Equivalent spellings of a URL have different hashes.
  const bool one_place = matcher.kind() == PurgeOrder::kUrl && !matcher.host().empty() &&
                         !matcher.has_other_spellings();
  if (!one_place) return std::nullopt;
  size_t mark = std::min(matcher.value().find('?'), matcher.value().size());
  std::optional<std::string_view> query;
  if (mark < matcher.value().size()) query = matcher.value().substr(mark + 1);
  return HashUrl(matcher.host(), matcher.value().substr(0, mark), query, seed);
}

}  // namespace

MemoryStore::MemoryStore(size_t budget_bytes, uint64_t seed, bool shared)
    : seed_(seed),
      shared_(shared),
      budget_(std::make_shared<ByteBudget>(std::max(budget_bytes, kMinCacheBytes))),
      history_(shared) {
  static_assert(kMinCacheBytes / kBytesPerBucket / kStoreShards / kBucketsPerTagBucket > 0);
  const size_t shards = shared ? kStoreShards : 1;
  const size_t buckets = budget_->limit() / kBytesPerBucket / shards;
  for (size_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<StoreShard>(
        StoreShard::Options{.buckets = buckets,
                            .tag_buckets = buckets / kBucketsPerTagBucket,
                            .seed = seed + 1,
                            .shared = shared,
                            .budget = *budget_,
                            .history = history_}));
    bool fits = budget_->Take(shards_.back()->bucket_bytes());
    CHECK(fits);
  }
  budget_->set_make_room([this](size_t bytes) { MakeRoom(bytes); });
}

MemoryStore::~MemoryStore() {
  DropAll();
  budget_->set_make_room({});
}

size_t MemoryStore::objects() const {
  return std::accumulate(shards_.begin(), shards_.end(), size_t{0},
                         [](size_t sum, const auto& shard) { return sum + shard->objects(); });
}

uint64_t MemoryStore::evictions() const {
  return std::accumulate(shards_.begin(), shards_.end(), uint64_t{0},
                         [](uint64_t sum, const auto& shard) { return sum + shard->evictions(); });
}

// Each turn evicts one response of one shard, so that all shards shrink alike. The steps allow for
// going around every shard kEvictionRounds times.
void MemoryStore::MakeRoom(size_t bytes) {
  const size_t enough = budget_->used() - std::min(budget_->used(), bytes);
  const size_t share = shared_ ? kEvictionSteps : SIZE_MAX;
  size_t left = kEvictionRounds * objects() + shards_.size();
  while (left > 0 && budget_->used() > enough) {
    size_t turn = next_to_evict_.fetch_add(1, std::memory_order_relaxed) % shards_.size();
    const size_t given = std::min({share, left, kEvictionRounds * shards_[turn]->objects()});
    size_t unused = given;
    const bool evicted = shards_[turn]->EvictOne(&unused);
    left -= std::clamp<size_t>(given - unused, 1, left);
    if (!evicted && shards_.size() == 1) return;
  }
}

bool MemoryStore::Sweep::Step(TimePoint now) {
  cursor_.matcher = matcher_ ? &*matcher_ : nullptr;
  cursor_.buckets = cursor_.looked_at = cursor_.removals = 0;
  while (shard_ < end_) {
    if (!store_->shards_[shard_]->Sweep(cursor_, now)) return true;
    cursor_.next_bucket = 0;
    ++shard_;
  }
  return false;
}

MemoryStore::Sweep MemoryStore::BeginPurge(const PurgeOrder& order) {
  Sweep sweep(*this);
  if (order.value.empty() || order.value.size() > kMaxPurgeBytes) {
    sweep.end_ = 0;
    return sweep;
  }
  sweep.matcher_.emplace(order);
  sweep.cursor_.number = history_.Remember(*sweep.matcher_);
  sweep.cursor_.soft = order.soft;
  sweep.cursor_.max_few = shared_ ? kMaxFewInShard : kSweepRemovals;
  sweep.cursor_.hash = HashOfOnly(*sweep.matcher_, seed_);
  if (sweep.cursor_.hash) {
    sweep.shard_ = IndexOf(*sweep.cursor_.hash);
    sweep.end_ = sweep.shard_ + 1;
  }
  return sweep;
}

MemoryStore::Sweep MemoryStore::BeginDrop() {
  Sweep sweep(*this);
  sweep.cursor_.number = history_.RememberAll();
  return sweep;
}

size_t MemoryStore::Purge(const PurgeOrder& order, TimePoint now) {
  Sweep sweep = BeginPurge(order);
  while (sweep.Step(now)) {
  }
  return sweep.purged();
}

void MemoryStore::DropAll() {
  Sweep sweep = BeginDrop();
  while (sweep.Step({})) {
  }
}

size_t MemoryStore::AuditIndex() const {
  return std::accumulate(shards_.begin(), shards_.end(), size_t{0},
                         [](size_t sum, const auto& shard) { return sum + shard->AuditIndex(); });
}

}  // namespace meridian::edge
