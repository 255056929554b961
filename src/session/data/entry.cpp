#include "session/data/entry.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "session/data/collections.hpp"
#include "session/data/field.hpp"
#include "session/data/lazy_free.hpp"
#include "session/data/member.hpp"
#include "session/data/merge.hpp"
#include "session/data/stamp.hpp"

namespace meridian::session {
namespace {

// Allocators round sizes up to such steps, so a value of another length may fit.
constexpr size_t kAllocationStep = 16;

size_t Rounded(size_t bytes) {
  return (bytes + kAllocationStep - 1) / kAllocationStep * kAllocationStep;
}

}  // namespace

size_t Parts::memory_bytes() const {
  size_t bytes = sizeof(Parts) + counts.capacity() * sizeof(Count);
  if (text) bytes += text->value.capacity();
  if (fields) bytes += fields->memory_bytes();
  if (members) bytes += members->memory_bytes();
  return bytes;
}

void Parts::DropBefore(const Stamp& delete_stamp, LazyFree& freed) {
  if (text && text->stamp < delete_stamp) text.reset();
  std::erase_if(counts, [&](const Count& count) {
    return Stamp{count.contribution.since, count.replica_id} < delete_stamp;
  });
  if (fields && fields->newest() < delete_stamp) freed.Take(std::move(fields));
  if (fields) fields->DropBefore(delete_stamp);
  if (fields && fields->blank()) fields.reset();
  if (members && members->newest() < delete_stamp) freed.Take(std::move(members));
  if (members) members->DropBefore(delete_stamp);
  if (members && members->blank()) members.reset();
}

Entry* Entry::Allocate(Kind kind, std::string_view key, size_t value_bytes) {
  size_t bytes = Rounded(sizeof(Entry) + key.size() + value_bytes);
  auto* entry = new (::operator new(bytes)) Entry;
  entry->kind_ = kind;
  entry->key_bytes_ = static_cast<uint16_t>(key.size());
  entry->value_bytes_ = static_cast<uint32_t>(value_bytes);
  if (!key.empty()) std::memcpy(entry->data(), key.data(), key.size());
  return entry;
}

Entry* Entry::NewText(std::string_view key, std::string_view value, const Stamp& stamp) {
  Entry* entry = Allocate(Kind::kText, key, value.size());
  if (!value.empty()) std::memcpy(entry->data() + key.size(), value.data(), value.size());
  entry->set_delete_stamp(stamp);
  return entry;
}

Entry* Entry::NewParts(std::string_view key, const Stamp& delete_stamp) {
  Entry* entry = Allocate(Kind::kParts, key, sizeof(uintptr_t));
  auto parts = reinterpret_cast<uintptr_t>(new Parts);
  std::memcpy(entry->data() + key.size(), &parts, sizeof parts);
  entry->set_delete_stamp(delete_stamp);
  return entry;
}

void Entry::Destroy(Entry* entry) {
  if (entry->kind_ == Kind::kParts) delete entry->PartsPointer();
  ::operator delete(entry);
}

Parts* Entry::PartsPointer() const {
  uintptr_t parts = 0;
  std::memcpy(&parts, data() + key_bytes_, sizeof parts);
  return reinterpret_cast<Parts*>(parts);  // NOLINT(performance-no-int-to-ptr): unaligned
}

void Entry::set_delete_stamp(const Stamp& delete_stamp) {
  delete_time_ = delete_stamp.time;
  delete_replica_id_ = delete_stamp.replica_id;
}

void Entry::set_expiry(const Expiry& expiry) {
  expire_at_ms_ = expiry.at_ms;
  expiry_stamp_ = expiry.stamp.time;
  expiry_replica_id_ = expiry.stamp.replica_id;
  expiry_reported_ = false;
}

bool Entry::Overwrite(std::string_view value, const Stamp& stamp) {
  size_t other = sizeof(Entry) + key_bytes_;
  if (kind_ != Kind::kText || Rounded(other + value.size()) != Rounded(other + value_bytes_)) {
    return false;
  }
  if (!value.empty()) std::memmove(data() + key_bytes_, value.data(), value.size());
  value_bytes_ = static_cast<uint32_t>(value.size());
  set_delete_stamp(stamp);
  return true;
}

void Entry::Clear(const Stamp& stamp, LazyFree& freed) {
  if (stamp <= delete_stamp()) return;
  set_delete_stamp(stamp);
  if (expiry().stamp < stamp) set_expiry({});
  parts().DropBefore(stamp, freed);
}

size_t Entry::memory_bytes() const {
  size_t bytes = Rounded(sizeof(Entry) + key_bytes_ + value_bytes_);
  return kind_ == Kind::kParts ? bytes + parts().memory_bytes() : bytes;
}

KeyState Entry::State() const {
  KeyState state;
  state.delete_stamp = delete_stamp();
  state.expiry = expiry();
  if (kind_ == Kind::kText) {
    state.text = Register{std::string(text()), true, delete_stamp()};
    return state;
  }
  const Parts& own = parts();
  state.text = own.text;
  for (const Parts::Count& count : own.counts) state.counts[count.replica_id] = count.contribution;
  if (own.fields) {
    own.fields->ForEachWithTombstones([&](const Field& field) {
      state.fields[std::string(field.key())] = {std::string(field.value()), field.present(),
                                                field.stamp()};
    });
  }
  if (own.members) {
    own.members->ForEachWithTombstones([&](const Member& member) {
      for (const Member::Tagged& tagged : member.tags()) {
        state.members[std::string(member.key())][tagged.replica_id] = tagged.tag;
      }
    });
  }
  return state;
}

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

const Fields* FieldsOf(const Entry* entry) {
  return entry != nullptr && TypeOf(*entry) == ValueType::kHash ? entry->parts().fields.get()
                                                                : nullptr;
}

const Members* MembersOf(const Entry* entry) {
  return entry != nullptr && TypeOf(*entry) == ValueType::kSet ? entry->parts().members.get()
                                                               : nullptr;
}

Stamp ExpiryStamp(int64_t at_ms) {
  if (at_ms <= 0) return {};
  return {{static_cast<uint64_t>(at_ms) << HybridTime::kCounterBits}, 0};
}

HybridTime NewestTombstoneOf(const Entry& entry) {
  if (entry.kind() == Entry::Kind::kText) return {};
  HybridTime newest;
  const Parts& parts = entry.parts();
  if (parts.fields) newest = parts.fields->newest_tombstone();
  if (parts.members) newest = std::max(newest, parts.members->newest_tombstone());
  return newest;
}

Stamp NewestOf(const Entry& entry) {
  Stamp newest = std::max(entry.delete_stamp(), entry.expiry().stamp);
  if (entry.kind() == Entry::Kind::kText) return newest;
  const Parts& parts = entry.parts();
  if (parts.text) newest = std::max(newest, parts.text->stamp);
  for (const Parts::Count& count : parts.counts) {
    newest = std::max(newest, {count.contribution.updated, count.replica_id});
  }
  if (parts.fields) newest = std::max(newest, parts.fields->newest());
  if (parts.members) newest = std::max(newest, parts.members->newest());
  return newest;
}

}  // namespace meridian::session
