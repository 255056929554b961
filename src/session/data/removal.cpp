#include "session/data/removal.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "session/data/entry.hpp"
#include "session/data/key_listener.hpp"
#include "session/data/key_table.hpp"
#include "session/limits.hpp"

namespace meridian::session {

void Removal::ReportExpired(Entry* entry) {
  if (entry->expiry_reported() || TypeOf(*entry) == ValueType::kNone) return;
  entry->set_expiry_reported(true);
  table_.Recount(entry);
  ++expired_;
  if (table_.listener() == nullptr) return;
  table_.listener()->OnModified(entry->key());
  table_.listener()->OnExpired(entry->key());
}

void Removal::Expire(Entry* entry) {
  ReportExpired(entry);
  if (tombstones_.CanDrop(*entry)) table_.Drop(entry);
}

bool Removal::Sweep() {
  tombstones_.BeginCollecting();
  bool swept = table_.SweepDue([this](Entry& entry) {
    if (entry.expired(table_.now_ms())) ReportExpired(&entry);
    int64_t collect_at = tombstones_.Collect(entry);
    int64_t due = tombstones_.DueOf(entry);
    return due == KeyTable::Table::kDrop ? due : std::min(due, collect_at);
  });
  return swept && !tombstones_.exhausted();
}

bool Removal::EvictTo(size_t bytes, int max_keys) {
  for (int i = 0; i < max_keys && table_.used_bytes() > bytes && table_.stored_in_cache() > 0;
       ++i) {
    Entry* oldest = nullptr;
    for (int sample = 0; sample < kEvictionSamples; ++sample) {
      Entry* other = table_.SampleCache();
      if (oldest == nullptr || other->accessed_s() < oldest->accessed_s()) oldest = other;
    }
    // Tombstones are evicted too: while another data center is away the cache leaves more of them
    // than it holds keys.
    if (oldest->counted()) ++evicted_;
    if (oldest->counted() && table_.listener() != nullptr) {
      table_.listener()->OnModified(oldest->key());
      table_.listener()->OnEvicted(oldest->key());
    }
    table_.Drop(oldest);
  }
  return table_.used_bytes() <= bytes;
}

}  // namespace meridian::session
