#include "session/data/tombstones.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/hybrid_clock.hpp"
#include "session/data/entry.hpp"
#include "session/data/key_table.hpp"
#include "session/limits.hpp"

namespace meridian::session {

bool Tombstones::CanDrop(const Entry& entry) const {
  if (!kept()) return true;
  // A deleted key with an expiry in the future, set by a touch that had not seen the deletion, need
  // not be kept until then.
  HybridTime expiry =
      entry.expired(table_.now_ms()) ? ExpiryStamp(entry.expire_at_ms()).time : HybridTime();
  // NewestOf is the most expensive check, so it comes last.
  return std::max(NewestTombstoneOf(entry), expiry) <= horizon_ && NewestOf(entry).time <= horizon_;
}

int64_t Tombstones::DueOf(const Entry& entry) const {
  int64_t recheck = table_.now_ms() + kTombstoneRecheckMs;
  if (entry.expired(table_.now_ms()) || TypeOf(entry) == ValueType::kNone) {
    return CanDrop(entry) ? KeyTable::Table::kDrop : recheck;
  }
  int64_t expiry = entry.expire_at_ms() == 0 ? KeyTable::Table::kNeverDue : entry.expire_at_ms();
  bool has_tombstones = NewestTombstoneOf(entry) != HybridTime();
  return has_tombstones ? std::min(expiry, recheck) : expiry;
}

void Tombstones::BeginCollecting() { budget_ = kTombstonesPerIteration; }

int64_t Tombstones::Collect(Entry& entry) {
  if (NewestTombstoneOf(entry) == HybridTime()) return KeyTable::Table::kNeverDue;
  Parts& parts = entry.parts();
  size_t before = entry.memory_bytes();
  size_t left = 0;
  bool finished = true;
  auto collect = [&](auto& items) {
    bool worth = items->oldest_tombstone() <= horizon_ &&
                 (items->newest_tombstone() <= horizon_ ||
                  items->tombstones() * kTombstonesWorthAWalk >= items->size());
    if (worth) finished &= budget_ > 0 && items->DropTombstones(horizon_, &budget_);
    left += items->tombstones();
    if (items->blank()) items.reset();
  };
  if (parts.fields) collect(parts.fields);
  if (parts.members) collect(parts.members);
  table_.Account(before, entry.memory_bytes());
  if (!finished) return table_.now_ms();
  return left > 0 ? table_.now_ms() + kTombstoneRecheckMs : KeyTable::Table::kNeverDue;
}

}  // namespace meridian::session
