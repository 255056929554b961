#include "session/data/keyspace.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "session/data/change.hpp"
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/field.hpp"
#include "session/data/member.hpp"
#include "session/data/merge.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"
#include "wire/resp/number.hpp"

namespace meridian::session {
namespace {

constexpr int64_t kMillisecondsPerSecond = 1000;
// Sorts behind every data center's stamp of the same time.
constexpr uint8_t kAnyReplica = 255;

int64_t Clamped(__int128 value) {
  __int128 least = std::numeric_limits<int64_t>::min();
  __int128 most = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::clamp(value, least, most));
}

// The number in a string plus the sums of its counters; nothing when it is no number.
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

Keyspace::Keyspace(Options options, HybridClock& clock)
    : options_(std::move(options)),
      clock_(clock),
      random_(options_.seed),
      table_(options_.cache_prefix, random_),
      tombstones_(table_),
      merger_(table_, tombstones_, clock, options_.seed),
      removal_(table_, tombstones_) {}

void Keyspace::SetNow(WallTime now) {
  table_.SetNow(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
}

Result<void> Keyspace::BeginWrite() {
  Result<HybridTime> time = clock_.Now();
  if (!time) return Fail(std::move(time.error()));
  stamp_ = {*time, options_.replica_id};
  // A key that has expired by the stamp of the write does not exist for that write.
  table_.SetNow(static_cast<int64_t>(time->milliseconds()));
  return {};
}

Entry* Keyspace::Peek(std::string_view key) {
  Entry* entry = table_.Find(key);
  if (entry != nullptr && entry->delete_stamp() < table_.flushed())
    entry = merger_.ApplyFlushTo(entry);
  if (entry == nullptr) return nullptr;
  if (entry->expired(now_ms())) {
    removal_.Expire(entry);
    return nullptr;
  }
  return TypeOf(*entry) == ValueType::kNone ? nullptr : entry;
}

Entry* Keyspace::Find(std::string_view key) {
  Entry* entry = Peek(key);
  if (entry != nullptr) {
    entry->set_accessed_s(static_cast<uint32_t>(now_ms() / kMillisecondsPerSecond));
  }
  return entry;
}

std::string_view Keyspace::TextOf(const Entry& entry) {
  if (entry.kind() == Entry::Kind::kText) return entry.text();
  const Parts& parts = entry.parts();
  if (parts.counts.empty()) return parts.text->value;
  // A merge may have added a counter to a text that is no number: then the text counts.
  std::optional<int64_t> total = TotalOf(parts);
  if (!total) return parts.text->value;
  text_ = wire::resp::IntegerText(*total).text();
  return text_;
}

// After a change by a command.
void Keyspace::RecountWritten(Entry* entry) {
  bool was_counted = entry->counted();
  table_.Recount(entry);
  if (was_counted || !entry->counted() || table_.listener() == nullptr) return;
  table_.listener()->OnNew(entry->key());
}

// A command is about to change a key: begins the key's part of the change.
void Keyspace::Note(std::string_view key) {
  table_.NoteStamp(stamp_);
  if (!IsCache(key)) must_sync_ = true;
  if (options_.journaled) change_.Begin(key);
}

// A new key begins where one has expired: what was written before the expiry is dropped first, in
// the same way in every data center, and what was written after it stays.
void Keyspace::ForgetExpired(Entry* entry) {
  Stamp end = ExpiryStamp(entry->expire_at_ms());
  if (NewestOf(*entry) >= end) end = stamp_;
  table_.NoteStamp(end);
  table_.Clear(entry, end);
  if (options_.journaled) change_.Deleted(end);
}

Entry* Keyspace::OpenParts(std::string_view key) {
  Note(key);
  Entry* entry = Peek(key);
  if (entry != nullptr) return table_.AsParts(entry);
  entry = table_.Find(key);
  if (entry == nullptr) {
    // Other data centers may still hold a key that has expired and whose tombstone was dropped
    // here.
    Stamp dropped{tombstones_.kept() ? tombstones_.horizon() : HybridTime(), kAnyReplica};
    entry = Entry::NewParts(key, std::max(table_.flushed(), dropped));
    if (options_.journaled && entry->delete_stamp().time != HybridTime()) {
      change_.Deleted(entry->delete_stamp());
    }
    table_.Insert(entry);
    return entry;
  }
  entry = table_.AsParts(entry);
  if (entry->expired(now_ms())) ForgetExpired(entry);
  if (entry->expire_at_ms() != 0) {
    entry->set_expiry({0, stamp_});
    if (options_.journaled) change_.Expires({0, stamp_});
  }
  return entry;
}

void Keyspace::SetText(std::string_view key, std::string_view value, ExpiryChange change) {
  Note(key);
  table_.Modified(key);
  if (change.kind == ExpiryChange::Kind::kKeep) (void)Peek(key);
  Table& table = table_.TableOf(key);
  uint64_t hash = table.HashOf(key);
  Entry* old = table.Find(key, hash);
  if (old != nullptr && old->expired(now_ms())) removal_.ReportExpired(old);
  Expiry expiry;
  if (change.kind == ExpiryChange::Kind::kAt) expiry = {change.at_ms, stamp_};
  if (change.kind == ExpiryChange::Kind::kKeep && old != nullptr && table_.Alive(*old) &&
      old->expire_at_ms() != 0) {
    expiry = {old->expire_at_ms(), stamp_};
  }
  if (options_.journaled) {
    change_.Deleted(stamp_);
    change_.Text(value, stamp_);
    if (expiry.at_ms != 0) change_.Expires(expiry);
  }
  Entry* entry = old;
  if (old == nullptr) {
    entry = Entry::NewText(key, value, stamp_);
    table_.Insert(table, hash, entry);
  } else if (!old->Overwrite(value, stamp_)) {
    entry = Entry::NewText(key, value, stamp_);
    table_.Replace(table, hash, old, entry);
  }
  entry->set_form(Entry::Form::kNew);
  entry->set_expiry(expiry);
  RecountWritten(entry);
  entry->set_accessed_s(static_cast<uint32_t>(now_ms() / kMillisecondsPerSecond));
  if (expiry.at_ms != 0) table.NoteDue(hash, expiry.at_ms);
}

IncrementResult Keyspace::Add(std::string_view key, int64_t delta, int64_t* result) {
  Entry* entry = Find(key);
  int64_t total = 0;
  if (entry != nullptr) {
    if (TypeOf(*entry) != ValueType::kString) return IncrementResult::kWrongType;
    std::optional<int64_t> number = wire::resp::ParseInteger(TextOf(*entry));
    if (!number) return IncrementResult::kNotInteger;
    total = *number;
  }
  if (__builtin_add_overflow(total, delta, result)) return IncrementResult::kOverflow;
  entry = OpenParts(key);
  table_.Modified(key);
  Parts& parts = entry->parts();
  size_t before = entry->memory_bytes();
  auto own = std::ranges::find(parts.counts, options_.replica_id, &Parts::Count::replica_id);
  if (own == parts.counts.end()) {
    parts.counts.push_back({options_.replica_id, {stamp_.time, stamp_.time, 0}});
    own = std::prev(parts.counts.end());
  }
  if (__builtin_add_overflow(own->contribution.sum, delta, &own->contribution.sum)) {
    // This data center's own sum would overflow: begin another, from the present total.
    SetText(key, wire::resp::IntegerText(*result).text(), {ExpiryChange::Kind::kKeep});
    return IncrementResult::kDone;
  }
  own->contribution.updated = stamp_.time;
  table_.Account(before, entry->memory_bytes());
  RecountWritten(entry);
  if (options_.journaled) change_.Count(own->replica_id, own->contribution);
  return IncrementResult::kDone;
}

bool Keyspace::Erase(std::string_view key) {
  Entry* entry = Peek(key);
  if (entry == nullptr) return false;
  Note(key);
  table_.Modified(key);
  if (options_.journaled) change_.Deleted(stamp_);
  if (!tombstones_.kept()) {
    table_.Drop(entry);
    return true;
  }
  entry = table_.AsParts(entry);
  table_.Clear(entry, stamp_);
  table_.Recount(entry);
  table_.NoteDue(key, now_ms() + kTombstoneRecheckMs);
  return true;
}

void Keyspace::SetExpiry(Entry& entry, int64_t at_ms) {
  Note(entry.key());
  table_.Modified(entry.key());
  Expiry expiry{at_ms, stamp_};
  entry.set_expiry(expiry);
  table_.Recount(&entry);
  if (options_.journaled) change_.Expires(expiry);
  if (at_ms != 0) table_.NoteDue(entry.key(), at_ms);
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
    return table_.Find(to)->set_form(form);
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
    // Erase has the same stamp, so it does not delete these.
    for (const auto& [name, value] : fields) edit.SetField(name, value);
    for (const std::string& name : names) edit.AddMember(name);
    if (was_large && !fields.empty()) edit.fields().set_was_large();
    if (was_large && !names.empty()) edit.members().set_was_large();
  }
  if (at_ms != 0) SetExpiry(*Peek(to), at_ms);
}

void Keyspace::Flush() {
  if (options_.journaled) change_.Flushed(stamp_);
  must_sync_ = true;
  table_.Flush(stamp_);
}

bool Keyspace::Sweep() {
  bool swept = removal_.Sweep();
  bool flushed = merger_.ContinueFlush();
  table_.FreeSome(kFreedPerIteration);
  return swept && flushed && table_.unfreed() == 0;
}

}  // namespace meridian::session
