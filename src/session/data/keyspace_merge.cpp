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
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/merge.hpp"
#include "session/data/record.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"

namespace meridian::session {
namespace {

constexpr uint64_t kMillisecondsPerSecond = 1000;

bool IsPlainText(const KeyState& state) {
  return state.text && state.text->stamp == state.cleared && state.counts.empty() &&
         state.fields.empty() && state.members.empty();
}

// Records of a snapshot: each as long as an item may be, or as one part of a key is.
class ItemWriter {
 public:
  explicit ItemWriter(std::vector<std::string>* items) : items_(*items) {}

  // What is of a key beside its fields and members.
  void Head(const Entry& entry) {
    KeyState state;
    state.cleared = entry.cleared();
    state.expiry = entry.expiry();
    if (entry.kind() == Entry::Kind::kText) {
      state.text = Register{std::string(entry.text()), true, entry.cleared()};
    } else {
      state.text = entry.parts().text;
      for (const Parts::Count& count : entry.parts().counts) {
        state.counts[count.origin] = count.contribution;
      }
    }
    writer_.State(entry.key(), state);
  }
  // More of a key whose head was written before.
  void Begin(std::string_view key, const Stamp& cleared) {
    writer_.Begin(key);
    if (cleared != Stamp()) writer_.Cleared(cleared);
  }
  void Field(std::string_view key, const session::Field& field) {
    MakeRoom(key);
    writer_.Field(field.key(), field.value(), field.present(), field.stamp());
  }
  void Member(std::string_view key, const session::Member& member) {
    MakeRoom(key);
    for (const Member::Tagged& tagged : member.tags()) {
      writer_.Member(member.key(), tagged.origin, tagged.tag);
    }
  }
  void End() { items_.emplace_back(AsText(writer_.Take())); }

 private:
  void MakeRoom(std::string_view key) {
    if (writer_.size() < kSnapshotItemBytes) return;
    End();
    writer_.Begin(key);
  }

  std::vector<std::string>& items_;
  RecordWriter writer_;
};

// How many of what takes `bytes` in all a slice has.
size_t SliceOf(size_t count, size_t items, size_t bytes) {
  size_t average = bytes / std::max<size_t>(items, 1) + 1;
  return std::clamp<size_t>(kSnapshotSliceBytes / average, 1, count);
}

}  // namespace

void Keyspace::MergeFields(Parts& parts, const Stamp& cleared, const KeyState& state,
                           FieldOrder order) {
  auto merge = [&](std::string_view name, const Register& field) {
    if (field.stamp < cleared) return;
    if (!parts.fields) parts.fields = std::make_unique<Fields>(options_.seed, &item_traces_);
    parts.fields->Merge({name, field.value, field.present, field.stamp});
    if (!KeepsTraces() && !field.present && parts.fields->Find(name) == nullptr) {
      parts.fields->Forget(name);
    }
  };
  if (state.fields.size() > 1) {
    for (std::string_view name : order) {
      auto found = state.fields.find(name);
      if (found != state.fields.end()) merge(name, found->second);
    }
  }
  // Those that are merged already stay as they are.
  for (const auto& [name, field] : state.fields) merge(name, field);
}

void Keyspace::MergeMembers(Parts& parts, const Stamp& cleared, const KeyState& state) {
  for (const auto& [name, tags] : state.members) {
    for (const auto& [origin, tag] : tags) {
      MemberTag left = DropCleared(tag, origin, cleared);
      if (left == MemberTag()) continue;
      if (!parts.members) parts.members = std::make_unique<Members>(options_.seed, &item_traces_);
      parts.members->Merge({name, {left, origin}, clock_.last()});
    }
    if (!KeepsTraces() && parts.members && !parts.members->Contains(name)) {
      parts.members->Forget(name);
    }
  }
}

void Keyspace::MergeParts(Parts& parts, const Stamp& cleared, const KeyState& state,
                          FieldOrder order) {
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
  MergeFields(parts, cleared, state, order);
  MergeMembers(parts, cleared, state);
  if (parts.fields && parts.fields->blank()) parts.fields.reset();
  if (parts.members && parts.members->blank()) parts.members.reset();
}

void Keyspace::Apply(std::string_view key, KeyState state, FieldOrder order) {
  Stamp newest = NewestOf(state);
  newest_ = std::max(newest_, newest);
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
  bool told = entry->told();
  bool changes_more_than_expiry = state.text || !state.counts.empty() || !state.fields.empty() ||
                                  !state.members.empty() || state.cleared > entry->cleared();
  if (changes_more_than_expiry) {
    entry = AsParts(entry);
    size_t before = entry->memory_bytes();
    entry->Clear(state.cleared, freed_);
    MergeParts(entry->parts(), entry->cleared(), state, order);
    Account(before, entry->memory_bytes());
    Compact(entry);
    entry = Stored(key);
  }
  if (state.expiry.stamp >= entry->cleared()) {
    Expiry merged = Merge(entry->expiry(), state.expiry);
    if (merged != entry->expiry()) entry->set_expiry(merged);
  }
  // Another end does not bring it back, when that has passed too.
  if (told && entry->expired(now_ms_)) entry->set_told(true);
  Recount(entry);
  auto written_s = static_cast<uint32_t>(newest.time.milliseconds() / kMillisecondsPerSecond);
  entry->set_accessed_s(std::max(entry->accessed_s(), written_s));
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

void Keyspace::Snapshot(SnapshotWalk* walk, size_t count, std::vector<std::string>* items) const {
  if (!walk->large_.empty()) return SnapshotLarge(walk, count, items);
  if (walk->cursor_ == 0 && flushed_ != Stamp()) {
    RecordWriter writer;
    writer.Flushed(flushed_);
    items->emplace_back(AsText(writer.Take()));
  }
  ItemWriter writer(items);
  auto write = [&](const Entry& entry) {
    if (entry.memory_bytes() > kSnapshotItemBytes) {
      walk->large_.emplace_back(entry.key());
      return;
    }
    writer.Head(entry);
    if (entry.kind() == Entry::Kind::kParts) {
      const Parts& parts = entry.parts();
      auto field = [&](const Field& each) { writer.Field(entry.key(), each); };
      auto trace = [&](const Field& each) {
        if (!each.present()) field(each);
      };
      auto member = [&](const Member& each) { writer.Member(entry.key(), each); };
      if (parts.fields) parts.fields->ForEachInOrder(field);
      if (parts.fields && parts.fields->tombstones() > 0)
        parts.fields->ForEachWithTombstones(trace);
      if (parts.members) parts.members->ForEachWithTombstones(member);
    }
    writer.End();
  };
  // The cursor's last bit says which table.
  bool in_main = (walk->cursor_ & 1) == 0;
  count = SliceOf(count, entries(), used_bytes());
  uint64_t next = (in_main ? main_ : cache_).Scan(walk->cursor_ >> 1, count, write);
  walk->at_end_ = !in_main && next == 0;
  walk->cursor_ = next == 0 ? 1 : next << 1 | (in_main ? 0 : 1);
}

// Some more of a key that is too large for one turn: its head, and then slices of its parts. What
// happens to it meanwhile is in the log, whose records are applied on top.
void Keyspace::SnapshotLarge(SnapshotWalk* walk, size_t count,
                             std::vector<std::string>* items) const {
  const std::string& key = walk->large_.front();
  const Entry* entry = (IsCache(key) ? cache_ : main_).Find(key);
  ItemWriter writer(items);
  if (entry != nullptr && !walk->has_head_) {
    walk->has_head_ = true;
    writer.Head(*entry);
    return writer.End();
  }
  const Parts* parts =
      entry != nullptr && entry->kind() == Entry::Kind::kParts ? &entry->parts() : nullptr;
  uint64_t next = 0;
  auto write = [&](const auto& all, auto write_one) {
    writer.Begin(key, entry->cleared());
    count = SliceOf(count, all->size() + all->tombstones(), all->memory_bytes());
    next = all->ScanWithTombstones(walk->within_, count,
                                   [&](const auto& each) { (writer.*write_one)(key, each); });
    writer.End();
  };
  if (parts != nullptr && !walk->in_members_ && parts->fields) {
    write(parts->fields, &ItemWriter::Field);
  } else if (parts != nullptr && walk->in_members_ && parts->members) {
    write(parts->members, &ItemWriter::Member);
  }
  walk->within_ = next;
  if (next != 0) return;
  walk->in_members_ = !walk->in_members_;
  if (walk->in_members_) return;
  walk->has_head_ = false;
  walk->large_.pop_front();
}

Result<void> Keyspace::Apply(Bytes record) {
  Result<std::vector<KeyChange>> changes = DecodeRecord(record);
  if (!changes) return Fail(std::move(changes.error()));
  for (KeyChange& change : *changes) {
    if (change.flushed != Stamp()) {
      ApplyFlush(change.flushed);
      continue;
    }
    Apply(change.key, std::move(change.state), change.field_order);
  }
  return {};
}

}  // namespace meridian::session
