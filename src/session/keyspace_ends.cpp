// How keys end: their time has come, the cache is full, everything is flushed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

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
  return std::max(NewestOf(entry), EndStamp(entry.expire_at_ms())).time <= known_;
}

void Keyspace::Expire(Entry* entry) {
  if (!entry->told()) {
    entry->set_told(true);
    ++expired_;
    if (listener_ != nullptr) {
      listener_->OnModified(entry->key());
      listener_->OnExpired(entry->key());
    }
  }
  if (Known(*entry)) Drop(entry);
}

// When the sweep should look at the entry again; kDrop when it can go.
int64_t Keyspace::DueOf(Entry& entry) {
  bool ended = entry.expired(now_ms_);
  if (ended || TypeOf(entry) == ValueType::kNone) {
    return Known(entry) ? Table::kDrop : now_ms_ + kTraceRecheckMs;
  }
  return entry.expire_at_ms() == 0 ? Table::kNeverDue : entry.expire_at_ms();
}

bool Keyspace::Sweep() {
  auto visit = [&](Entry& entry) {
    bool tell = entry.expired(now_ms_) && !entry.told() && TypeOf(entry) != ValueType::kNone;
    if (tell) {
      entry.set_told(true);
      ++expired_;
      if (listener_ != nullptr) {
        listener_->OnModified(entry.key());
        listener_->OnExpired(entry.key());
      }
    }
    return DueOf(entry);
  };
  auto dropped = [&](Entry* entry) {
    Account(entry->memory_bytes(), 0);
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
    Entry* oldest = cache_.Sample(random_);
    for (int sample = 1; sample < kEvictionSamples; ++sample) {
      Entry* other = cache_.Sample(random_);
      if (other->accessed_s() < oldest->accessed_s()) oldest = other;
    }
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
    return;
  }
  std::vector<std::string> keys;
  for (Table* table : {&main_, &cache_}) {
    table->ForEach([&](const Entry& entry) { keys.emplace_back(entry.key()); });
  }
  for (const std::string& key : keys) Apply(key, {.cleared = stamp});
}

}  // namespace meridian::session
