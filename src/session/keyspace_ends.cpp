// How keys end: their time has come, the cache is full, everything is flushed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "session/entry.hpp"
#include "session/keyspace.hpp"
#include "session/limits.hpp"
#include "session/record.hpp"
#include "session/scan_table.hpp"
#include "session/stamp.hpp"

namespace meridian::session {
// Whether every data center knows all that is in the entry, so that nothing can arrive which its
// traces would have to resist.
bool Keyspace::Known(const Entry& entry) const {
  if (!KeepsTraces()) return true;
  // An end to come of what was deleted, by a touch that did not know of it, is no reason to stay.
  HybridTime end = entry.expired(now_ms_) ? EndStamp(entry.expire_at_ms()).time : HybridTime();
  // Of the two the walk over all that is in it comes last.
  return std::max(NewestTraceOf(entry), end) <= known_ && NewestOf(entry).time <= known_;
}

// That its time has come, once.
void Keyspace::Tell(Entry* entry) {
  if (entry->told() || TypeOf(*entry) == ValueType::kNone) return;
  entry->set_told(true);
  Recount(entry);
  ++expired_;
  if (listener_ == nullptr) return;
  listener_->OnModified(entry->key());
  listener_->OnExpired(entry->key());
}

void Keyspace::Expire(Entry* entry) {
  Tell(entry);
  if (Known(*entry)) Drop(entry);
}

// Takes traces out of a key that lives on, where that is worth a walk over all that is in it.
// Whether some are left.
bool Keyspace::CollectTraces(Entry& entry) {
  if (NewestTraceOf(entry) == HybridTime()) return false;
  Parts& parts = entry.parts();
  size_t before = entry.memory_bytes();
  size_t left = 0;
  auto collect = [&](auto& items) {
    bool worth =
        items->newest_trace() <= known_ || items->traces() * kTracesWorthAWalk >= items->size();
    if (worth && items->traces() > 0) items->DropTraces(known_);
    left += items->traces();
    if (items->blank()) items.reset();
  };
  if (parts.fields) collect(parts.fields);
  if (parts.members) collect(parts.members);
  Account(before, entry.memory_bytes());
  return left > 0;
}

// When the sweep should look at the entry again; kDrop when it can go.
int64_t Keyspace::DueOf(Entry& entry) {
  bool ended = entry.expired(now_ms_);
  if (ended || TypeOf(entry) == ValueType::kNone) {
    return Known(entry) ? Table::kDrop : now_ms_ + kTraceRecheckMs;
  }
  int64_t due = entry.expire_at_ms() == 0 ? Table::kNeverDue : entry.expire_at_ms();
  return CollectTraces(entry) ? std::min(due, now_ms_ + kTraceRecheckMs) : due;
}

bool Keyspace::Sweep() {
  auto visit = [&](Entry& entry) {
    if (entry.expired(now_ms_)) Tell(&entry);
    return DueOf(entry);
  };
  auto dropped = [&](Entry* entry) {
    Account(entry->memory_bytes(), 0);
    if (entry->counted()) --living_;
    Entry::Destroy(entry);
  };
  Table::SweepLimits main{.segments = kSweepSegments, .due_segments = kSweepDueSegments};
  Table::SweepLimits cache = main;
  main_sweep_ = main_.Sweep(main_sweep_, &main, now_ms_, visit, dropped);
  cache_sweep_ = cache_.Sweep(cache_sweep_, &cache, now_ms_, visit, dropped);
  return main.due_segments > 0 && cache.due_segments > 0;
}

bool Keyspace::EvictTo(size_t bytes) {
  for (int i = 0; i < kMostEvictions && used_bytes() > bytes && cache_.size() > 0; ++i) {
    Entry* oldest = nullptr;
    for (int sample = 0; sample < kEvictionSamples; ++sample) {
      Entry* other = cache_.Sample(random_);
      // What is kept of a key that is gone resists what others may still send.
      if (!other->counted()) continue;
      if (oldest == nullptr || other->accessed_s() < oldest->accessed_s()) oldest = other;
    }
    if (oldest == nullptr) continue;
    ++evicted_;
    if (listener_ != nullptr) {
      listener_->OnModified(oldest->key());
      listener_->OnEvicted(oldest->key());
    }
    Drop(oldest);
  }
  return used_bytes() <= bytes;
}

void Keyspace::Flush() {
  if (options_.records) record_.Flushed(stamp_);
  must_sync_ = true;
  ApplyFlush(stamp_);
}

void Keyspace::ApplyFlush(const Stamp& stamp) {
  if (stamp <= flushed_) return;
  flushed_ = stamp;
  if (listener_ != nullptr) {
    for (Table* table : {&main_, &cache_}) {
      table->ForEach([&](const Entry& entry) { listener_->OnModified(entry.key()); });
    }
  }
  bool all_before = true;
  for (Table* table : {&main_, &cache_}) {
    table->ForEach([&](const Entry& entry) { all_before &= NewestOf(entry) < stamp; });
  }
  if (all_before) {
    main_.Clear();
    cache_.Clear();
    item_bytes_ = 0;
    living_ = 0;
    return;
  }
  std::vector<std::string> keys;
  for (Table* table : {&main_, &cache_}) {
    table->ForEach([&](const Entry& entry) { keys.emplace_back(entry.key()); });
  }
  for (const std::string& key : keys) Apply(key, {.cleared = stamp});
}

}  // namespace meridian::session
