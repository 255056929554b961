#include "session/data/snapshot_walk.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "session/data/change.hpp"
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/field.hpp"
#include "session/data/key_table.hpp"
#include "session/data/member.hpp"
#include "session/data/merge.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"

namespace meridian::session {
namespace {

// Changes of a snapshot: each as long as an item may be, or one field or member longer.
class ItemWriter {
 public:
  explicit ItemWriter(std::vector<std::string>* items) : items_(*items) {}

  // All of a key but its fields and members.
  void Head(const Entry& entry) {
    KeyState state;
    state.delete_stamp = entry.delete_stamp();
    state.expiry = entry.expiry();
    if (entry.kind() == Entry::Kind::kText) {
      state.text = Register{std::string(entry.text()), true, entry.delete_stamp()};
    } else {
      state.text = entry.parts().text;
      for (const Parts::Count& count : entry.parts().counts) {
        state.counts[count.replica_id] = count.contribution;
      }
    }
    writer_.State(entry.key(), state);
  }
  // More of a key whose head was written before.
  void Begin(std::string_view key, const Stamp& delete_stamp) {
    writer_.Begin(key);
    if (delete_stamp != Stamp()) writer_.Deleted(delete_stamp);
  }
  void Field(std::string_view key, const session::Field& field) {
    MakeRoom(key);
    writer_.Field(field.key(), field.value(), field.present(), field.stamp());
  }
  void Member(std::string_view key, const session::Member& member) {
    MakeRoom(key);
    for (const Member::Tagged& tagged : member.tags()) {
      writer_.Member(member.key(), tagged.replica_id, tagged.tag);
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
  ChangeWriter writer_;
};

// The number of items of a slice, where `items` of them take `bytes`.
size_t SliceOf(size_t count, size_t items, size_t bytes) {
  size_t average = bytes / std::max<size_t>(items, 1) + 1;
  return std::clamp<size_t>(kSnapshotSliceBytes / average, 1, count);
}

void WriteWhole(ItemWriter& writer, const Entry& entry) {
  writer.Head(entry);
  if (entry.kind() == Entry::Kind::kParts) {
    const Parts& parts = entry.parts();
    auto field = [&](const Field& each) { writer.Field(entry.key(), each); };
    auto tombstone = [&](const Field& each) {
      if (!each.present()) field(each);
    };
    auto member = [&](const Member& each) { writer.Member(entry.key(), each); };
    if (parts.fields) parts.fields->ForEachInOrder(field);
    if (parts.fields && parts.fields->tombstones() > 0) {
      parts.fields->ForEachWithTombstones(tombstone);
    }
    if (parts.members) parts.members->ForEachWithTombstones(member);
  }
  writer.End();
}

}  // namespace

void SnapshotWalk::Next(const KeyTable& table, size_t count, std::vector<std::string>* items) {
  if (!large_.empty()) {
    NextOfLarge(table, count, items);
  } else {
    NextKeys(table, count, items);
  }
}

void SnapshotWalk::NextKeys(const KeyTable& table, size_t count, std::vector<std::string>* items) {
  if (cursor_ == 0 && table.flushed() != Stamp()) {
    ChangeWriter flush;
    flush.Flushed(table.flushed());
    items->emplace_back(AsText(flush.Take()));
  }
  ItemWriter writer(items);
  count = SliceOf(count, table.stored(), table.used_bytes());
  cursor_ = table.ScanStored(cursor_, count, [&](const Entry& entry) {
    if (entry.memory_bytes() > kSnapshotItemBytes) {
      large_.emplace_back(entry.key());
    } else {
      WriteWhole(writer, entry);
    }
  });
  at_end_ = cursor_ == 0;
}

// More of a key that is too large for one slice: its head, then slices of its fields and members.
// Changes to it meanwhile are in the log, whose records are applied on top.
void SnapshotWalk::NextOfLarge(const KeyTable& table, size_t count,
                               std::vector<std::string>* items) {
  const std::string& key = large_.front();
  const Entry* entry = table.Find(key);
  ItemWriter writer(items);
  if (entry != nullptr && !has_head_) {
    has_head_ = true;
    writer.Head(*entry);
    return writer.End();
  }
  const Parts* parts =
      entry != nullptr && entry->kind() == Entry::Kind::kParts ? &entry->parts() : nullptr;
  uint64_t next = 0;
  auto write = [&](const auto& all, auto write_one) {
    writer.Begin(key, entry->delete_stamp());
    count = SliceOf(count, all->size() + all->tombstones(), all->memory_bytes());
    next = all->ScanWithTombstones(within_, count,
                                   [&](const auto& each) { (writer.*write_one)(key, each); });
    writer.End();
  };
  if (parts != nullptr && !in_members_ && parts->fields) {
    write(parts->fields, &ItemWriter::Field);
  } else if (parts != nullptr && in_members_ && parts->members) {
    write(parts->members, &ItemWriter::Member);
  }
  EndPart(next);
}

void SnapshotWalk::EndPart(uint64_t next_within) {
  within_ = next_within;
  if (within_ != 0) return;
  in_members_ = !in_members_;
  if (in_members_) return;
  has_head_ = false;
  large_.pop_front();
}

}  // namespace meridian::session
