#include "session/data/key_merger.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "session/data/change.hpp"
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/key_table.hpp"
#include "session/data/merge.hpp"
#include "session/data/stamp.hpp"
#include "session/data/tombstones.hpp"

namespace meridian::session {
namespace {

constexpr uint64_t kMillisecondsPerSecond = 1000;

bool IsPlainText(const KeyState& state) {
  return state.text && state.text->stamp == state.delete_stamp && state.counts.empty() &&
         state.fields.empty() && state.members.empty();
}

bool HasContentOrClears(const KeyState& state, const Entry& entry) {
  return state.text || !state.counts.empty() || !state.fields.empty() || !state.members.empty() ||
         state.delete_stamp > entry.delete_stamp();
}

}  // namespace

void KeyMerger::MergeFields(Parts& parts, const Stamp& delete_stamp, const KeyState& state,
                            FieldOrder order) {
  auto merge = [&](std::string_view name, const Register& field) {
    if (field.stamp < delete_stamp) return;
    if (!parts.fields) parts.fields = std::make_unique<Fields>(seed_, table_.item_tombstones());
    parts.fields->Merge({name, field.value, field.present, field.stamp});
    if (!tombstones_.kept() && !field.present && parts.fields->Find(name) == nullptr) {
      parts.fields->Forget(name);
    }
  };
  if (state.fields.size() > 1) {
    for (std::string_view name : order) {
      auto found = state.fields.find(name);
      if (found != state.fields.end()) merge(name, found->second);
    }
  }
  // Fields that are merged already stay as they are.
  for (const auto& [name, field] : state.fields) merge(name, field);
}

void KeyMerger::MergeMembers(Parts& parts, const Stamp& delete_stamp, const KeyState& state) {
  for (const auto& [name, tags] : state.members) {
    for (const auto& [replica_id, tag] : tags) {
      MemberTag left = DropDeleted(tag, replica_id, delete_stamp);
      if (left == MemberTag()) continue;
      if (!parts.members) {
        parts.members = std::make_unique<Members>(seed_, table_.item_tombstones());
      }
      parts.members->Merge({name, {left, replica_id}, clock_.last()});
    }
    if (!tombstones_.kept() && parts.members && !parts.members->Contains(name)) {
      parts.members->Forget(name);
    }
  }
}

void KeyMerger::MergeParts(Parts& parts, const Stamp& delete_stamp, const KeyState& state,
                           FieldOrder order) {
  if (state.text && state.text->stamp >= delete_stamp) {
    parts.text = parts.text ? Merge(*parts.text, *state.text) : *state.text;
  }
  for (const auto& [replica_id, contribution] : state.counts) {
    if (Stamp{contribution.since, replica_id} < delete_stamp) continue;
    auto own = std::ranges::find(parts.counts, replica_id, &Parts::Count::replica_id);
    if (own == parts.counts.end()) {
      parts.counts.push_back({replica_id, contribution});
    } else {
      own->contribution = Merge(own->contribution, contribution);
    }
  }
  MergeFields(parts, delete_stamp, state, order);
  MergeMembers(parts, delete_stamp, state);
  if (parts.fields && parts.fields->blank()) parts.fields.reset();
  if (parts.members && parts.members->blank()) parts.members.reset();
}

// Everything but the expiry.
Entry* KeyMerger::MergeContent(std::string_view key, Entry* entry, KeyState& state,
                               FieldOrder order) {
  if (entry->kind() == Entry::Kind::kText && IsPlainText(state) &&
      state.delete_stamp < entry->delete_stamp()) {
    // An older string: only its expiry may still count.
    state.text.reset();
  }
  if (!HasContentOrClears(state, *entry)) return entry;
  entry = table_.AsParts(entry);
  table_.Clear(entry, state.delete_stamp);
  size_t before = entry->memory_bytes();
  MergeParts(entry->parts(), entry->delete_stamp(), state, order);
  table_.Account(before, entry->memory_bytes());
  table_.Compact(entry);
  return table_.Find(key);
}

void KeyMerger::Apply(std::string_view key, KeyState state, FieldOrder order) {
  Stamp newest = NewestOf(state);
  table_.NoteStamp(newest);
  if (state.delete_stamp < table_.flushed()) {
    state.delete_stamp = table_.flushed();
    DropDeleted(&state);
  }
  if (tombstones_.kept()) DropStable(&state, tombstones_.horizon());
  Entry* entry = table_.Find(key);
  if (entry == nullptr) {
    bool needed = tombstones_.kept() && state.delete_stamp.time > tombstones_.horizon();
    if (IsOnlyDeletion(state) && !needed) return;
    entry = IsPlainText(state) ? Entry::NewText(key, state.text->value, state.delete_stamp)
                               : Entry::NewParts(key, state.delete_stamp);
    table_.Insert(entry);
  }
  bool expiry_reported = entry->expiry_reported();
  entry = MergeContent(key, entry, state, order);
  if (state.expiry.stamp >= entry->delete_stamp()) {
    Expiry merged = Merge(entry->expiry(), state.expiry);
    if (merged != entry->expiry()) entry->set_expiry(merged);
  }
  // Another expiry does not bring the key back, when that has passed too.
  if (expiry_reported && entry->expired(table_.now_ms())) entry->set_expiry_reported(true);
  table_.Recount(entry);
  auto written_s = static_cast<uint32_t>(newest.time.milliseconds() / kMillisecondsPerSecond);
  entry->set_accessed_s(std::max(entry->accessed_s(), written_s));
  table_.Modified(key);
  int64_t due = tombstones_.DueOf(*entry);
  bool drop = due == KeyTable::Table::kDrop;
  if (drop && !tombstones_.kept() && TypeOf(*entry) == ValueType::kNone) return table_.Drop(entry);
  if (due != KeyTable::Table::kNeverDue) table_.NoteDue(key, drop ? table_.now_ms() : due);
}

Result<void> KeyMerger::Apply(Bytes record) {
  Result<std::vector<KeyChange>> changes = DecodeChange(record);
  if (!changes) return Fail(std::move(changes.error()));
  for (KeyChange& change : *changes) {
    if (change.flushed != Stamp()) {
      table_.Flush(change.flushed);
      continue;
    }
    Apply(change.key, std::move(change.state), change.field_order);
  }
  return {};
}

Entry* KeyMerger::ApplyFlushTo(Entry* entry) {
  if (NewestOf(*entry) < table_.flushed()) {
    table_.Drop(entry);
    return nullptr;
  }
  std::string key(entry->key());
  Apply(key, {.delete_stamp = table_.flushed()});
  return table_.Find(key);
}

bool KeyMerger::ContinueFlush() {
  if (!table_.flushing()) return true;
  for (const std::string& key : table_.NextUnflushed()) {
    Entry* entry = table_.Find(key);
    if (entry != nullptr) (void)ApplyFlushTo(entry);
  }
  return !table_.flushing();
}

}  // namespace meridian::session
