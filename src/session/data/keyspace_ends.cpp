// How keys end: their time has come, the cache is full, everything is flushed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "session/data/entry.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/record.hpp"
#include "session/data/scan_table.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"

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

// Takes traces out of a key that lives on, where that is worth a walk over all that is in it, as
// far as this turn's budget goes. When they should be looked for again; kNeverDue: there are none.
int64_t Keyspace::CollectTraces(Entry& entry) {
  if (NewestTraceOf(entry) == HybridTime()) return Table::kNeverDue;
  Parts& parts = entry.parts();
  size_t before = entry.memory_bytes();
  size_t left = 0;
  bool finished = true;
  auto collect = [&](auto& items) {
    bool worth = items->oldest_tombstone() <= known_ &&
                 (items->newest_tombstone() <= known_ ||
                  items->tombstones() * kTracesWorthAWalk >= items->size());
    if (worth) finished &= trace_budget_ > 0 && items->DropTombstones(known_, &trace_budget_);
    left += items->tombstones();
    if (items->blank()) items.reset();
  };
  if (parts.fields) collect(parts.fields);
  if (parts.members) collect(parts.members);
  Account(before, entry.memory_bytes());
  if (!finished) return now_ms_;
  return left > 0 ? now_ms_ + kTraceRecheckMs : Table::kNeverDue;
}

// When the sweep should look at the entry again; kDrop when it can go.
int64_t Keyspace::DueOf(const Entry& entry) const {
  bool ended = entry.expired(now_ms_);
  if (ended || TypeOf(entry) == ValueType::kNone) {
    return Known(entry) ? Table::kDrop : now_ms_ + kTraceRecheckMs;
  }
  int64_t end = entry.expire_at_ms() == 0 ? Table::kNeverDue : entry.expire_at_ms();
  bool has_traces = NewestTraceOf(entry) != HybridTime();
  return has_traces ? std::min(end, now_ms_ + kTraceRecheckMs) : end;
}

bool Keyspace::Sweep() {
  trace_budget_ = kTracesPerTurn;
  auto visit = [&](Entry& entry) {
    if (entry.expired(now_ms_)) Tell(&entry);
    int64_t traces_due = CollectTraces(entry);
    int64_t due = DueOf(entry);
    return due == Table::kDrop ? due : std::min(due, traces_due);
  };
  auto dropped = [&](Entry* entry) {
    Account(entry->memory_bytes(), 0);
    CountAs(entry, Entry::Standing::kNone);
    freed_.Take(entry);
  };
  Table::SweepLimits main{.segments = kSweepSegments, .due_segments = kSweepDueSegments};
  Table::SweepLimits cache = main;
  main_sweep_ = main_.Sweep(main_sweep_, &main, now_ms_, visit, dropped);
  cache_sweep_ = cache_.Sweep(cache_sweep_, &cache, now_ms_, visit, dropped);
  bool flushed = flush_at_ == kNoFlush || FlushOn();
  freed_.FreeSome(kFreedPerTurn);
  return main.due_segments > 0 && cache.due_segments > 0 && trace_budget_ > 0 && flushed &&
         freed_.pending() == 0;
}

bool Keyspace::EvictTo(size_t bytes, int most_keys) {
  for (int i = 0; i < most_keys && used_bytes() > bytes && cache_.size() > 0; ++i) {
    Entry* oldest = nullptr;
    for (int sample = 0; sample < kEvictionSamples; ++sample) {
      Entry* other = cache_.Sample(random_);
      if (oldest == nullptr || other->accessed_s() < oldest->accessed_s()) oldest = other;
    }
    // What is kept of a key that is gone, too: while another data center is away the cache leaves
    // more of that than it holds.
    if (oldest->counted()) ++evicted_;
    if (oldest->counted() && listener_ != nullptr) {
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

// Of what is older nothing is kept: what of it still arrives is older than flushed_.
void Keyspace::ApplyFlush(const Stamp& stamp) {
  if (stamp <= flushed_) return;
  if (listener_ != nullptr) listener_->OnFlushing();
  flushed_ = stamp;
  if (newest_ < stamp) {
    for (Table* table : {&main_, &cache_}) freed_.Take(table->TakeAll());
    item_bytes_ = 0;
    living_ = ending_ = 0;
    flush_at_ = kNoFlush;
    return;
  }
  // Some may be newer. The sweep finds out, but for those that are asked for before.
  flush_at_ = 0;
}

// An entry that a flush has not been applied to yet: what is left of it, or null.
Entry* Keyspace::Flushed(Entry* entry) {
  if (NewestOf(*entry) < flushed_) {
    Drop(entry);
    return nullptr;
  }
  std::string key(entry->key());
  Apply(key, {.cleared = flushed_});
  return Stored(key);
}

// One turn of applying a flush to all there is. Whether that is done.
bool Keyspace::FlushOn() {
  std::vector<std::string> keys;
  auto collect = [&](const Entry& entry) {
    if (entry.cleared() < flushed_) keys.emplace_back(entry.key());
  };
  bool in_main = (flush_at_ & 1) == 0;
  uint64_t next = (in_main ? main_ : cache_).Scan(flush_at_ >> 1, kFlushSlice, collect);
  for (const std::string& key : keys) {
    Entry* entry = Stored(key);
    if (entry != nullptr) (void)Flushed(entry);
  }
  if (next == 0 && !in_main) {
    flush_at_ = kNoFlush;
    return true;
  }
  flush_at_ = next == 0 ? 1 : next << 1 | (flush_at_ & 1);
  return false;
}

}  // namespace meridian::session
