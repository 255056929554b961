// What other data centers, and this one before its last end, have written.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "session/collections.hpp"
#include "session/entry.hpp"
#include "session/keyspace.hpp"
#include "session/limits.hpp"
#include "session/merge.hpp"
#include "session/record.hpp"
#include "session/stamp.hpp"

namespace meridian::session {
namespace {

bool IsPlainText(const KeyState& state) {
  return state.text && state.text->stamp == state.cleared && state.counts.empty() &&
         state.fields.empty() && state.members.empty();
}

// An entry as one record or, as it is merged anyway, as several.
void WriteState(const Entry& entry, RecordWriter* writer, std::vector<std::string>* items) {
  KeyState state = entry.State();
  KeyState first = state;
  first.fields.clear();
  first.members.clear();
  writer->State(entry.key(), first);
  auto next = [&] {
    if (writer->size() < kSnapshotItemBytes) return;
    items->emplace_back(AsText(writer->Take()));
    writer->Begin(entry.key());
  };
  for (const auto& [name, field] : state.fields) {
    next();
    writer->Field(name, field.value, field.present, field.stamp);
  }
  for (const auto& [name, tags] : state.members) {
    next();
    for (const auto& [origin, tag] : tags) writer->Member(name, origin, tag);
  }
  items->emplace_back(AsText(writer->Take()));
}

}  // namespace

void Keyspace::MergeFields(Parts& parts, const Stamp& cleared, const KeyState& state) {
  for (const auto& [name, field] : state.fields) {
    if (field.stamp < cleared) continue;
    if (!parts.fields) parts.fields = std::make_unique<Fields>(options_.seed);
    parts.fields->Merge({name, field.value, field.present, field.stamp});
    if (!KeepsTraces() && !field.present && parts.fields->Find(name) == nullptr) {
      parts.fields->Forget(name);
    }
  }
}

void Keyspace::MergeMembers(Parts& parts, const Stamp& cleared, const KeyState& state) {
  for (const auto& [name, tags] : state.members) {
    for (const auto& [origin, tag] : tags) {
      MemberTag left = DropCleared(tag, origin, cleared);
      if (left == MemberTag()) continue;
      if (!parts.members) parts.members = std::make_unique<Members>(options_.seed);
      parts.members->Merge(name, {left, origin}, clock_.last());
    }
    if (!KeepsTraces() && parts.members && !parts.members->Contains(name)) {
      parts.members->Forget(name);
    }
  }
}

void Keyspace::MergeParts(Parts& parts, const Stamp& cleared, const KeyState& state) {
  if (state.text && state.text->stamp >= cleared) {
    parts.text = parts.text ? Merge(*parts.text, *state.text) : *state.text;
  }
  for (const auto& [origin, contribution] : state.counts) {
    if (Stamp{contribution.since, origin} < cleared) continue;
    auto own = std::ranges::find(parts.counts, origin, &Parts::Count::origin);
    if (own == parts.counts.end()) {
      parts.counts.push_back({origin, contribution});
    } else {
      own->contribution = Merge(own->contribution, contribution);
    }
  }
  MergeFields(parts, cleared, state);
  MergeMembers(parts, cleared, state);
  if (parts.fields && parts.fields->blank()) parts.fields.reset();
  if (parts.members && parts.members->blank()) parts.members.reset();
}

void Keyspace::Apply(std::string_view key, KeyState state) {
  if (state.cleared < flushed_) {
    state.cleared = flushed_;
    DropCleared(&state);
  }
  if (KeepsTraces()) DropKnown(&state, known_);
  Entry* entry = Stored(key);
  if (entry == nullptr) {
    if (IsBarrier(state) && (!KeepsTraces() || state.cleared.time <= known_)) return;
    entry = IsPlainText(state) ? Entry::NewText(key, state.text->value, state.cleared)
                               : Entry::NewParts(key, state.cleared);
    Insert(entry);
  }
  if (entry->kind() == Entry::Kind::kText && IsPlainText(state) &&
      state.cleared < entry->cleared()) {
    // An older string: only its end may still count.
    state.text.reset();
  }
  bool changes_more_than_expiry = state.text || !state.counts.empty() || !state.fields.empty() ||
                                  !state.members.empty() || state.cleared > entry->cleared();
  if (changes_more_than_expiry) {
    entry = AsParts(entry);
    size_t before = entry->memory_bytes();
    entry->Clear(state.cleared);
    MergeParts(entry->parts(), entry->cleared(), state);
    Account(before, entry->memory_bytes());
    Compact(entry);
    entry = Stored(key);
  }
  if (state.expiry.stamp >= entry->cleared()) {
    Expiry merged = Merge(entry->expiry(), state.expiry);
    if (merged != entry->expiry()) entry->set_expiry(merged);
  }
  Recount(entry);
  if (listener_ != nullptr) listener_->OnModified(key);
  int64_t due = DueOf(*entry);
  if (due == Table::kDrop && !KeepsTraces() && TypeOf(*entry) == ValueType::kNone) {
    return Drop(entry);
  }
  Table& table = TableOf(key);
  if (due != Table::kNeverDue) {
    table.NoteDue(table.HashOf(key), due == Table::kDrop ? now_ms_ : due);
  }
}

uint64_t Keyspace::Snapshot(uint64_t cursor, size_t count, std::vector<std::string>* items) const {
  RecordWriter writer;
  if (cursor == 0 && flushed_ != Stamp()) {
    writer.Flushed(flushed_);
    items->emplace_back(AsText(writer.Take()));
  }
  auto write = [&](const Entry& entry) { WriteState(entry, &writer, items); };
  bool in_main = (cursor & 1) == 0;
  cursor = (in_main ? main_ : cache_).Scan(cursor >> 1, count, write);
  if (in_main) return cursor == 0 ? 1 : cursor << 1;
  return cursor == 0 ? 0 : cursor << 1 | 1;
}

Result<void> Keyspace::Apply(Bytes record) {
  Result<std::vector<KeyChange>> changes = DecodeRecord(record);
  if (!changes) return Fail(std::move(changes.error()));
  for (KeyChange& change : *changes) {
    if (change.flushed != Stamp()) {
      ApplyFlush(change.flushed);
      continue;
    }
    Apply(change.key, std::move(change.state));
  }
  return {};
}

}  // namespace meridian::session
