#include "session/data/key_table.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "session/data/entry.hpp"
#include "session/data/merge.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"

namespace meridian::session {

void KeyTable::Prefetch(std::string_view key) {
  if (prefetches_ == kMaxPrefetches) FinishPrefetches();
  Table& table = TableOf(key);
  uint64_t hash = table.HashOf(key);
  table.PrefetchSlot(hash);
  prefetching_[prefetches_++] = {&table, hash};
}

void KeyTable::FinishPrefetches() {
  for (const Prefetching& each : std::span(prefetching_).first(prefetches_)) {
    each.table->PrefetchItem(each.hash);
  }
  prefetches_ = 0;
}

Entry* KeyTable::Sample() {
  constexpr int kTries = 100;  // that many samples may be of keys that are not alive
  for (int i = 0; i < kTries && living_ > 0; ++i) {
    Table& table = random_.Below(stored()) < main_.size() ? main_ : cache_;
    Entry* entry = table.Sample(random_);
    if (Alive(*entry)) return entry;
  }
  return nullptr;
}

void KeyTable::Insert(Entry* entry) {
  Table& table = TableOf(entry->key());
  Insert(table, table.HashOf(entry->key()), entry);
}

void KeyTable::Replace(Table& table, uint64_t hash, Entry* old, Entry* entry) {
  table.Replace(old, entry, hash);
  Account(old->memory_bytes(), entry->memory_bytes());
  entry->set_standing(old->standing());
  freed_.Take(old);
}

void KeyTable::Swap(Entry* old, Entry* entry) {
  entry->set_expiry(old->expiry());
  entry->set_accessed_s(old->accessed_s());
  entry->set_expiry_reported(old->expiry_reported());
  Table& table = TableOf(old->key());
  Replace(table, table.HashOf(old->key()), old, entry);
}

void KeyTable::Drop(Entry* entry) {
  Table& table = TableOf(entry->key());
  table.Remove(entry, table.HashOf(entry->key()));
  Account(entry->memory_bytes(), 0);
  CountAs(entry, Entry::Standing::kNone);
  freed_.Take(entry);
}

Entry* KeyTable::AsParts(Entry* entry) {
  if (entry->kind() == Entry::Kind::kParts) return entry;
  Entry* larger = Entry::NewParts(entry->key(), entry->delete_stamp());
  larger->parts().text = Register{std::string(entry->text()), true, entry->delete_stamp()};
  Swap(entry, larger);
  return larger;
}

void KeyTable::Compact(Entry* entry) {
  if (entry->kind() == Entry::Kind::kText) return;
  const Parts& parts = entry->parts();
  if (!parts.text || parts.text->stamp != entry->delete_stamp() || !parts.counts.empty() ||
      parts.fields || parts.members) {
    return;
  }
  Swap(entry, Entry::NewText(entry->key(), parts.text->value, entry->delete_stamp()));
}

void KeyTable::Clear(Entry* entry, const Stamp& delete_stamp) {
  size_t before = entry->memory_bytes();
  entry->Clear(delete_stamp, freed_);
  Account(before, entry->memory_bytes());
}

void KeyTable::CountAs(Entry* entry, Entry::Standing standing) {
  if (standing == entry->standing()) return;
  if (entry->counted()) --living_;
  if (entry->standing() == Entry::Standing::kExpiring) --expiring_;
  entry->set_standing(standing);
  if (entry->counted()) ++living_;
  if (standing == Entry::Standing::kExpiring) ++expiring_;
}

void KeyTable::Recount(Entry* entry) {
  auto living = entry->expire_at_ms() == 0 ? Entry::Standing::kLasting : Entry::Standing::kExpiring;
  CountAs(entry, HasContent(*entry) ? living : Entry::Standing::kNone);
}

void KeyTable::Flush(const Stamp& stamp) {
  if (stamp <= flushed_) return;
  if (listener_ != nullptr) listener_->OnFlushing();
  flushed_ = stamp;
  if (newest_ < stamp) {
    for (Table* table : {&main_, &cache_}) freed_.Take(table->TakeAll());
    item_bytes_ = 0;
    living_ = expiring_ = 0;
    flush_cursor_ = kNotFlushing;
    return;
  }
  // Some keys may have something newer. The sweep finds out, for those that no command reads
  // before.
  flush_cursor_ = 0;
}

std::vector<std::string> KeyTable::NextUnflushed() {
  std::vector<std::string> keys;
  uint64_t next = ScanStored(flush_cursor_, kFlushSlice, [&](const Entry& entry) {
    if (entry.delete_stamp() < flushed_) keys.emplace_back(entry.key());
  });
  flush_cursor_ = next == 0 ? kNotFlushing : next;
  return keys;
}

}  // namespace meridian::session
