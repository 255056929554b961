#include "session/data/keyspace.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/merge.hpp"
#include "session/data/record.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"
#include "wire/resp/number.hpp"

namespace meridian::session {
namespace {

constexpr int64_t kMillisecondsPerSecond = 1000;
// Behind every data center's of the same time.
constexpr uint8_t kAnyOrigin = 255;

int64_t Clamped(__int128 value) {
  __int128 least = std::numeric_limits<int64_t>::min();
  __int128 most = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::clamp(value, least, most));
}

// The number that a string is with what was added to it; nothing when it is not a number.
std::optional<int64_t> TotalOf(const Parts& parts) {
  __int128 total = 0;
  if (parts.text) {
    std::optional<int64_t> base = wire::resp::ParseInteger(parts.text->value);
    if (!base) return std::nullopt;
    total = *base;
  }
  for (const Parts::Count& count : parts.counts) total += count.contribution.sum;
  return Clamped(total);
}

}  // namespace

std::string_view ValueTypeName(ValueType type) {
  switch (type) {
    case ValueType::kNone:
      return "none";
    case ValueType::kString:
      return "string";
    case ValueType::kHash:
      return "hash";
    case ValueType::kSet:
      return "set";
  }
  return "none";
}

Keyspace::Keyspace(Options options, HybridClock& clock)
    : options_(std::move(options)),
      clock_(clock),
      random_(options_.seed),
      main_(random_.Next()),
      cache_(random_.Next()) {}

void Keyspace::SetNow(WallTime now) {
  int64_t ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  now_ms_ = std::max(now_ms_, ms);
}

Result<void> Keyspace::BeginWrite() {
  Result<HybridTime> time = clock_.Now();
  if (!time) return Fail(std::move(time.error()));
  stamp_ = {*time, options_.origin};
  // A write to a key that has ended by its own stamp is a write to none.
  now_ms_ = std::max(now_ms_, static_cast<int64_t>(time->milliseconds()));
  return {};
}

size_t Keyspace::used_bytes() const {
  return item_bytes_ + main_.memory_bytes() + cache_.memory_bytes();
}

ValueType Keyspace::TypeOf(const Entry& entry) const {
  if (entry.kind() == Entry::Kind::kText) return ValueType::kString;
  const Parts& parts = entry.parts();
  if (parts.fields && parts.fields->size() > 0) return ValueType::kHash;
  if (parts.members && parts.members->size() > 0) return ValueType::kSet;
  return parts.text || !parts.counts.empty() ? ValueType::kString : ValueType::kNone;
}

bool Keyspace::Alive(const Entry& entry) const {
  // What a flush has not been applied to yet is gone all the same.
  if (flush_at_ != kNoFlush && NewestOf(entry) < flushed_) return false;
  return !entry.expired(now_ms_) && TypeOf(entry) != ValueType::kNone;
}

void Keyspace::Prefetch(std::string_view key) {
  if (prefetches_ == kMaxPrefetches) FinishPrefetches();
  Table& table = TableOf(key);
  uint64_t hash = table.HashOf(key);
  table.PrefetchSlot(hash);
  prefetching_[prefetches_++] = {&table, hash};
}

void Keyspace::FinishPrefetches() {
  for (const Prefetching& each : std::span(prefetching_).first(prefetches_)) {
    each.table->PrefetchItem(each.hash);
  }
  prefetches_ = 0;
}

Entry* Keyspace::Peek(std::string_view key) {
  Entry* entry = Stored(key);
  if (entry != nullptr && entry->cleared() < flushed_) entry = Flushed(entry);
  if (entry == nullptr) return nullptr;
  if (entry->expired(now_ms_)) {
    Expire(entry);
    return nullptr;
  }
  return TypeOf(*entry) == ValueType::kNone ? nullptr : entry;
}

Entry* Keyspace::Find(std::string_view key) {
  Entry* entry = Peek(key);
  if (entry != nullptr) {
    entry->set_accessed_s(static_cast<uint32_t>(now_ms_ / kMillisecondsPerSecond));
  }
  return entry;
}

std::string_view Keyspace::TextOf(const Entry& entry) {
  if (entry.kind() == Entry::Kind::kText) return entry.text();
  const Parts& parts = entry.parts();
  if (parts.counts.empty()) return parts.text->value;
  // A merge may have brought additions to what is no number here: the text stands.
  std::optional<int64_t> total = TotalOf(parts);
  if (!total) return parts.text->value;
  text_ = wire::resp::IntegerText(*total).text();
  return text_;
}

const Fields* Keyspace::FieldsOf(const Entry* entry) const {
  return entry != nullptr && TypeOf(*entry) == ValueType::kHash ? entry->parts().fields.get()
                                                                : nullptr;
}

const Members* Keyspace::MembersOf(const Entry* entry) const {
  return entry != nullptr && TypeOf(*entry) == ValueType::kSet ? entry->parts().members.get()
                                                               : nullptr;
}

Entry* Keyspace::Sample() {
  constexpr int kTries = 100;  // that many samples may have ended
  for (int i = 0; i < kTries && living_ > 0; ++i) {
    size_t stored = main_.size() + cache_.size();
    Table& table = random_.Below(stored) < main_.size() ? main_ : cache_;
    Entry* entry = table.Sample(random_);
    if (Alive(*entry)) return entry;
  }
  return nullptr;
}

void Keyspace::Insert(Entry* entry) {
  Table& table = TableOf(entry->key());
  table.Insert(entry, table.HashOf(entry->key()));
  Account(0, entry->memory_bytes());
}

void Keyspace::Swap(Entry* old, Entry* entry) {
  Table& table = TableOf(old->key());
  table.Replace(old, entry, table.HashOf(old->key()));
  Account(old->memory_bytes(), entry->memory_bytes());
  entry->set_standing(old->standing());
  entry->set_told(old->told());
  freed_.Take(old);
}

void Keyspace::Drop(Entry* entry) {
  Table& table = TableOf(entry->key());
  table.Remove(entry, table.HashOf(entry->key()));
  Account(entry->memory_bytes(), 0);
  CountAs(entry, Entry::Standing::kNone);
  freed_.Take(entry);
}

void Keyspace::CountAs(Entry* entry, Entry::Standing standing) {
  if (standing == entry->standing()) return;
  if (entry->counted()) --living_;
  if (entry->standing() == Entry::Standing::kEnding) --ending_;
  entry->set_standing(standing);
  if (entry->counted()) ++living_;
  if (standing == Entry::Standing::kEnding) ++ending_;
}

// After a change to what is in it, or to its end.
void Keyspace::Recount(Entry* entry) {
  bool lives = !entry->expired(now_ms_) && TypeOf(*entry) != ValueType::kNone;
  auto living = entry->expire_at_ms() == 0 ? Entry::Standing::kLasting : Entry::Standing::kEnding;
  CountAs(entry, lives ? living : Entry::Standing::kNone);
}

// The same, after a command.
void Keyspace::RecountWritten(Entry* entry) {
  bool was_counted = entry->counted();
  Recount(entry);
  if (!was_counted && entry->counted() && listener_ != nullptr) listener_->OnNew(entry->key());
}

// A key is about to be changed: its change begins in the record.
void Keyspace::Note(std::string_view key) {
  newest_ = std::max(newest_, stamp_);
  if (!IsCache(key)) must_sync_ = true;
  if (options_.records) record_.Begin(key);
}

Entry* Keyspace::AsParts(Entry* entry) {
  if (entry->kind() == Entry::Kind::kParts) return entry;
  Entry* larger = Entry::NewParts(entry->key(), entry->cleared());
  larger->parts().text = Register{std::string(entry->text()), true, entry->cleared()};
  larger->set_expiry(entry->expiry());
  larger->set_accessed_s(entry->accessed_s());
  Swap(entry, larger);
  return larger;
}

// Back to a plain string, where that is all there is.
void Keyspace::Compact(Entry* entry) {
  if (entry->kind() == Entry::Kind::kText) return;
  const Parts& parts = entry->parts();
  if (!parts.text || parts.text->stamp != entry->cleared() || !parts.counts.empty() ||
      parts.fields || parts.members) {
    return;
  }
  Entry* smaller = Entry::NewText(entry->key(), parts.text->value, entry->cleared());
  smaller->set_expiry(entry->expiry());
  smaller->set_accessed_s(entry->accessed_s());
  Swap(entry, smaller);
}

// What is still here of a key that has ended goes before a new one begins, in the same way in every
// data center: what was written after its end stays.
void Keyspace::ForgetEnded(Entry* entry) {
  Stamp end = EndStamp(entry->expire_at_ms());
  if (NewestOf(*entry) >= end) end = stamp_;
  newest_ = std::max(newest_, end);
  size_t before = entry->memory_bytes();
  entry->Clear(end, freed_);
  Account(before, entry->memory_bytes());
  if (options_.records) record_.Cleared(end);
}

Entry* Keyspace::OpenParts(std::string_view key) {
  Note(key);
  Entry* entry = Peek(key);
  if (entry != nullptr) return AsParts(entry);
  entry = Stored(key);
  if (entry == nullptr) {
    // Others may still hold what was here and has been forgotten: a key that has ended.
    Stamp forgotten{KeepsTraces() ? known_ : HybridTime(), kAnyOrigin};
    entry = Entry::NewParts(key, std::max(flushed_, forgotten));
    if (options_.records && entry->cleared().time != HybridTime()) {
      record_.Cleared(entry->cleared());
    }
    Insert(entry);
    return entry;
  }
  entry = AsParts(entry);
  if (entry->expired(now_ms_)) ForgetEnded(entry);
  if (entry->expire_at_ms() != 0) {
    entry->set_expiry({0, stamp_});
    if (options_.records) record_.Expires({0, stamp_});
  }
  return entry;
}

void Keyspace::SetText(std::string_view key, std::string_view value, ExpiryChange change) {
  Note(key);
  Modified(key);
  if (change.kind == ExpiryChange::Kind::kKeep) (void)Peek(key);
  Table& table = TableOf(key);
  uint64_t hash = table.HashOf(key);
  Entry* old = table.Find(key, hash);
  if (old != nullptr && old->expired(now_ms_)) Tell(old);
  Expiry expiry;
  if (change.kind == ExpiryChange::Kind::kAt) expiry = {change.at_ms, stamp_};
  if (change.kind == ExpiryChange::Kind::kKeep && old != nullptr && Alive(*old) &&
      old->expire_at_ms() != 0) {
    expiry = {old->expire_at_ms(), stamp_};
  }
  if (options_.records) {
    record_.Cleared(stamp_);
    record_.Text(value, stamp_);
    if (expiry.at_ms != 0) record_.Expires(expiry);
  }
  Entry* entry = old;
  if (old == nullptr) {
    entry = Entry::NewText(key, value, stamp_);
    table.Insert(entry, hash);
    Account(0, entry->memory_bytes());
  } else if (!old->Overwrite(value, stamp_)) {
    entry = Entry::NewText(key, value, stamp_);
    table.Replace(old, entry, hash);
    Account(old->memory_bytes(), entry->memory_bytes());
    entry->set_standing(old->standing());
    freed_.Take(old);
  }
  entry->set_form(Entry::Form::kNew);
  entry->set_expiry(expiry);
  RecountWritten(entry);
  entry->set_accessed_s(static_cast<uint32_t>(now_ms_ / kMillisecondsPerSecond));
  if (expiry.at_ms != 0) table.NoteDue(hash, expiry.at_ms);
}

Increment Keyspace::Add(std::string_view key, int64_t delta, int64_t* result) {
  Entry* entry = Find(key);
  int64_t total = 0;
  if (entry != nullptr) {
    if (TypeOf(*entry) != ValueType::kString) return Increment::kWrongType;
    std::optional<int64_t> number = wire::resp::ParseInteger(TextOf(*entry));
    if (!number) return Increment::kNotInteger;
    total = *number;
  }
  if (__builtin_add_overflow(total, delta, result)) return Increment::kOverflow;
  entry = OpenParts(key);
  Modified(key);
  Parts& parts = entry->parts();
  size_t before = entry->memory_bytes();
  auto own = std::ranges::find(parts.counts, options_.origin, &Parts::Count::origin);
  if (own == parts.counts.end()) {
    parts.counts.push_back({options_.origin, {stamp_.time, stamp_.time, 0}});
    own = std::prev(parts.counts.end());
  }
  if (__builtin_add_overflow(own->contribution.sum, delta, &own->contribution.sum)) {
    // The sum of this data center alone has no room left: begin another on what is there.
    SetText(key, wire::resp::IntegerText(*result).text(), {ExpiryChange::Kind::kKeep});
    return Increment::kDone;
  }
  own->contribution.updated = stamp_.time;
  Account(before, entry->memory_bytes());
  RecountWritten(entry);
  if (options_.records) record_.Count(own->origin, own->contribution);
  return Increment::kDone;
}

bool Keyspace::Erase(std::string_view key) {
  Entry* entry = Peek(key);
  if (entry == nullptr) return false;
  Note(key);
  Modified(key);
  if (options_.records) record_.Cleared(stamp_);
  if (!KeepsTraces()) {
    Drop(entry);
    return true;
  }
  entry = AsParts(entry);
  size_t before = entry->memory_bytes();
  entry->Clear(stamp_, freed_);
  Account(before, entry->memory_bytes());
  Recount(entry);
  Table& table = TableOf(key);
  table.NoteDue(table.HashOf(key), now_ms_ + kTraceRecheckMs);
  return true;
}

void Keyspace::SetExpiry(Entry& entry, int64_t at_ms) {
  Note(entry.key());
  Modified(entry.key());
  Expiry expiry{at_ms, stamp_};
  entry.set_expiry(expiry);
  Recount(&entry);
  if (options_.records) record_.Expires(expiry);
  Table& table = TableOf(entry.key());
  if (at_ms != 0) table.NoteDue(table.HashOf(entry.key()), at_ms);
}

void Keyspace::Copy(std::string_view from, std::string_view to) {
  Entry* source = Peek(from);
  CHECK(source != nullptr);
  int64_t at_ms = source->expire_at_ms();
  if (TypeOf(*source) == ValueType::kString) {
    std::string value(TextOf(*source));
    auto kind = at_ms == 0 ? ExpiryChange::Kind::kClear : ExpiryChange::Kind::kAt;
    Entry::Form form = source->form();
    SetText(to, value, {kind, at_ms});
    return Stored(to)->set_form(form);
  }
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<std::string> names;
  bool was_large = false;
  if (const Fields* all = FieldsOf(source)) {
    was_large = all->was_large();
    all->ForEachInOrder(
        [&](const Field& field) { fields.emplace_back(field.key(), field.value()); });
  } else {
    was_large = MembersOf(source)->was_large();
    MembersOf(source)->ForEach([&](const Member& member) { names.emplace_back(member.key()); });
  }
  (void)Erase(to);
  {
    Edit edit(*this, to);
    // Erase has the same stamp, and what has it is not before it.
    for (const auto& [name, value] : fields) edit.SetField(name, value);
    for (const std::string& name : names) edit.AddMember(name);
    if (was_large && !fields.empty()) edit.fields().set_was_large();
    if (was_large && !names.empty()) edit.members().set_was_large();
  }
  if (at_ms != 0) SetExpiry(*Peek(to), at_ms);
}

}  // namespace meridian::session
