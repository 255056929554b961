#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "session/data/change.hpp"
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/key_table.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/member.hpp"
#include "session/data/merge.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"

namespace meridian::session {
namespace {

constexpr int64_t kMillisecondsPerSecond = 1000;

}  // namespace

Keyspace::Edit::Edit(Keyspace& keyspace, std::string_view key)
    : keyspace_(keyspace), entry_(keyspace.OpenParts(key)), bytes_before_(entry_->memory_bytes()) {
  entry_->set_accessed_s(static_cast<uint32_t>(keyspace.now_ms() / kMillisecondsPerSecond));
}

Keyspace::Edit::~Edit() {
  KeyTable& table = keyspace_.table_;
  table.Account(bytes_before_, entry_->memory_bytes());
  if (modified_) table.Modified(entry_->key());
  keyspace_.RecountWritten(entry_);
  bool empty = TypeOf(*entry_) == ValueType::kNone;
  if (empty && !keyspace_.tombstones_.kept()) {
    table.Drop(entry_);
    return;
  }
  if (!empty && NewestTombstoneOf(*entry_) == HybridTime()) return;
  table.NoteDue(entry_->key(), table.now_ms() + kTombstoneRecheckMs);
}

Fields& Keyspace::Edit::fields() {
  Parts& parts = entry_->parts();
  if (!parts.fields)
    parts.fields =
        std::make_unique<Fields>(keyspace_.options_.seed, keyspace_.table_.item_tombstones());
  return *parts.fields;
}

Members& Keyspace::Edit::members() {
  Parts& parts = entry_->parts();
  if (!parts.members)
    parts.members =
        std::make_unique<Members>(keyspace_.options_.seed, keyspace_.table_.item_tombstones());
  return *parts.members;
}

bool Keyspace::Edit::SetField(std::string_view name, std::string_view value) {
  modified_ = true;
  size_t before = fields().size();
  fields().Merge({name, value, true, keyspace_.stamp_});
  if (keyspace_.options_.journaled) {
    keyspace_.change_.Field(name, value, true, keyspace_.stamp_);
  }
  return fields().size() > before;
}

bool Keyspace::Edit::RemoveField(std::string_view name) {
  if (fields().Find(name) == nullptr) return false;
  modified_ = true;
  if (keyspace_.options_.journaled) keyspace_.change_.Field(name, "", false, keyspace_.stamp_);
  if (keyspace_.tombstones_.kept()) {
    fields().Merge({name, "", false, keyspace_.stamp_});
  } else {
    fields().Forget(name);
  }
  return true;
}

bool Keyspace::Edit::AddMember(std::string_view name) {
  const Member* old = members().FindWithTombstones(name);
  bool fresh = old == nullptr || !old->present();
  modified_ |= fresh;
  uint8_t replica_id = keyspace_.options_.replica_id;
  // A member that is present gets a new tag too: a concurrent removal has not observed it, so it
  // stays.
  Member::Tagged tagged{old == nullptr ? MemberTag() : old->TagOf(replica_id), replica_id};
  tagged.tag.added = keyspace_.stamp_.time;
  members().Merge({name, tagged, keyspace_.stamp_.time});
  if (keyspace_.options_.journaled) keyspace_.change_.Member(name, replica_id, tagged.tag);
  return fresh;
}

bool Keyspace::Edit::RemoveMember(std::string_view name) {
  const Member* member = members().Find(name);
  if (member == nullptr) return false;
  modified_ = true;
  std::vector<Member::Tagged> tags(member->tags().begin(), member->tags().end());
  for (Member::Tagged& tagged : tags) {
    if (!tagged.tag.present()) continue;
    tagged.tag.removed = tagged.tag.added;
    if (keyspace_.options_.journaled) {
      keyspace_.change_.Member(name, tagged.replica_id, tagged.tag);
    }
    if (keyspace_.tombstones_.kept()) members().Merge({name, tagged, keyspace_.stamp_.time});
  }
  if (!keyspace_.tombstones_.kept()) members().Forget(name);
  return true;
}

}  // namespace meridian::session
