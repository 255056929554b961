#include "session/data/collections.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "session/data/merge.hpp"
#include "session/data/scan_table.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"
#include "wire/resp/number.hpp"

namespace meridian::session {
namespace {

// Where so many samples have met only traces, the walk finds what is present.
constexpr int kMaxSamples = 64;
constexpr uint64_t kMillisecondsPerSecond = 1000;

HybridTime TimeOf(uint32_t seconds) {
  return {(seconds * kMillisecondsPerSecond) << HybridTime::kCounterBits};
}

Stamp NewestOf(const Member::Tagged& own) {
  return {std::max(own.tag.added, own.tag.removed), own.origin};
}

void Append(char** at, std::string_view text) {
  if (!text.empty()) std::memcpy(*at, text.data(), text.size());
  *at += text.size();
}

// A present item of a table that has one.
template <class Item, class Table>
const Item& SamplePresent(const Table& table, Random& random) {
  for (int i = 0; i < kMaxSamples; ++i) {
    const Item* item = table.Sample(random);
    if (item->present()) return *item;
  }
  const Item* found = nullptr;
  table.ForEach([&](const Item& item) {
    if (item.present()) found = &item;
  });
  CHECK(found != nullptr);
  return *found;
}

}  // namespace

Field* Field::New(const Content& content) {
  size_t bytes = sizeof(Field) + content.name.size() + content.value.size();
  auto* field = new (::operator new(bytes)) Field;
  field->stamp_ = content.stamp;
  field->name_bytes_ = static_cast<uint32_t>(content.name.size());
  field->value_bytes_ = static_cast<uint32_t>(content.value.size());
  field->present_ = content.present;
  char* at = reinterpret_cast<char*>(field + 1);
  Append(&at, content.name);
  Append(&at, content.value);
  return field;
}

void Field::Destroy(Field* field) { ::operator delete(field); }

const Field* Fields::Find(std::string_view name) const {
  const Field* field = table_.Find(name);
  return field != nullptr && field->present() ? field : nullptr;
}

bool Fields::Merge(const Field::Content& content) {
  readings_.BeforeChange();
  uint64_t hash = table_.HashOf(content.name);
  Field* old = table_.Find(content.name, hash);
  if (old != nullptr && Supersedes(old->stamp(), old->present(), old->value(), content.stamp,
                                   content.present, content.value)) {
    return false;
  }
  if (present_ == 0) was_large_ = false;
  Field* field = Field::New(content);
  bool keeps_place = old != nullptr && old->present();
  field->set_order(keeps_place ? old->order() : NextOrder());
  newest_ = std::max(newest_, content.stamp);
  item_bytes_ += field->memory_bytes();
  if (content.present) ++present_;
  if (!content.present) trace_times_.Add(content.stamp.time);
  if (old == nullptr) {
    table_.Insert(field, hash);
  } else {
    table_.Replace(old, field, hash);
    item_bytes_ -= old->memory_bytes();
    if (old->present()) --present_;
    Field::Destroy(old);
  }
  if (content.present) NoteSize(*field);
  CountTraces();
  return true;
}

void Fields::NoteSize(const Field& added) {
  was_large_ |= present_ > kSmallHashFields ||
                std::max(added.key().size(), added.value().size()) > kSmallHashBytes;
}

uint32_t Fields::NextOrder() {
  if (next_order_ == std::numeric_limits<uint32_t>::max()) {
    std::vector<Field*> all;
    table_.ForEach([&](Field& field) { all.push_back(&field); });
    std::ranges::sort(all, {}, &Field::order);
    next_order_ = 0;
    for (Field* field : all) field->set_order(next_order_++);
  }
  return next_order_++;
}

std::span<const Field*> Fields::Sorted(std::span<const Field*, kSmallHashFields> into) const {
  size_t count = 0;
  ForEach([&](const Field& field) { into[count++] = &field; });
  std::span<const Field*> found = into.first(count);
  std::ranges::sort(found, {}, &Field::order);
  return found;
}

void Fields::Remove(Field* field) {
  table_.Remove(field, table_.HashOf(field->key()));
  item_bytes_ -= field->memory_bytes();
  if (field->present()) --present_;
  Field::Destroy(field);
  CountTraces();
}

void Fields::Forget(std::string_view name) {
  readings_.BeforeChange();
  Field* field = table_.Find(name);
  if (field != nullptr) Remove(field);
}

template <class Goes>
void Fields::DropWhere(Goes goes) {
  std::vector<Field*> dropped;
  newest_ = {};
  table_.ForEach([&](Field& field) {
    if (goes(field)) {
      dropped.push_back(&field);
    } else {
      newest_ = std::max(newest_, field.stamp());
    }
  });
  for (Field* field : dropped) Remove(field);
}

void Fields::DropBefore(const Stamp& cleared) {
  readings_.BeforeChange();
  DropWhere([&](const Field& field) { return field.stamp() < cleared; });
}

ScanTable<Field>::Remains Fields::TakeAll() {
  readings_.BeforeChange();
  present_ = 0;
  trace_times_.Clear();
  newest_ = {};
  item_bytes_ = 0;
  auto remains = table_.TakeAll();
  CountTraces();
  return remains;
}

bool Fields::DropTraces(HybridTime known, size_t* items) {
  if (!readings_.empty()) return false;  // later
  std::vector<Field*> dropped;
  size_t seen = 0;
  uint64_t cursor = table_.Scan(trace_times_.cursor(), *items, [&](Field& field) {
    ++seen;
    if (field.present()) return;
    if (field.stamp().time <= known) {
      dropped.push_back(&field);
    } else {
      trace_times_.Leave(field.stamp().time);
    }
  });
  for (Field* field : dropped) Remove(field);
  *items -= std::min(*items, seen);
  trace_times_.Advance(cursor);
  if (traces() == 0) trace_times_.Clear();
  return cursor == 0 || traces() == 0;
}

const Field& Fields::Sample(Random& random) const { return SamplePresent<Field>(table_, random); }

Member* Member::New(std::string_view name, std::span<const Tagged> tags) {
  size_t bytes = sizeof(Member) + tags.size_bytes() + name.size();
  auto* member = new (::operator new(bytes)) Member;
  member->name_bytes_ = static_cast<uint32_t>(name.size());
  member->tag_count_ = static_cast<uint32_t>(tags.size());
  char* at = reinterpret_cast<char*>(member + 1);
  Append(&at, {reinterpret_cast<const char*>(tags.data()), tags.size_bytes()});
  Append(&at, name);
  return member;
}

void Member::Destroy(Member* member) { ::operator delete(member); }

bool Member::present() const {
  return std::ranges::any_of(tags(), [](const Tagged& tagged) { return tagged.tag.present(); });
}

const Member* Members::Find(std::string_view name) const {
  const Member* member = table_.Find(name);
  return member != nullptr && member->present() ? member : nullptr;
}

MemberTag Members::TagOf(std::string_view name, uint8_t origin) const {
  const Member* member = table_.Find(name);
  if (member == nullptr) return {};
  for (const Member::Tagged& tagged : member->tags()) {
    if (tagged.origin == origin) return tagged.tag;
  }
  return {};
}

void Members::Insert(Member* member) {
  table_.Insert(member, table_.HashOf(member->key()));
  item_bytes_ += member->memory_bytes();
  if (member->present()) {
    ++present_;
    NoteSize(member->key());
  }
  CountTraces();
}

void Members::Remove(Member* member) {
  table_.Remove(member, table_.HashOf(member->key()));
  item_bytes_ -= member->memory_bytes();
  if (member->present()) --present_;
  Member::Destroy(member);
  CountTraces();
}

void Members::NoteSize(std::string_view added) {
  was_large_ = was_large_ || present_ > kSmallSetMembers || !wire::resp::ParseInteger(added);
}

std::span<Members::Integer> Members::Sorted(std::span<Integer, kSmallSetMembers> into) const {
  size_t count = 0;
  ForEach([&](const Member& member) {
    into[count++] = {*wire::resp::ParseInteger(member.key()), &member};
  });
  std::span<Integer> found = into.first(count);
  std::ranges::sort(found, {}, &Integer::value);
  return found;
}

void Members::Merge(std::string_view name, Member::Tagged tagged, HybridTime now) {
  readings_.BeforeChange();
  if (present_ == 0) was_large_ = false;
  newest_ = std::max(newest_, NewestOf(tagged));
  if (!tagged.tag.present()) {
    tagged.removed_s = static_cast<uint32_t>(now.milliseconds() / kMillisecondsPerSecond + 1);
    trace_times_.Add(TimeOf(tagged.removed_s));
  }
  Member* member = table_.Find(name);
  if (member == nullptr) return Insert(Member::New(name, {&tagged, 1}));
  for (Member::Tagged& own : member->tags()) {
    if (own.origin != tagged.origin) continue;
    bool was_present = member->present();
    own.tag = session::Merge(own.tag, tagged.tag);
    own.removed_s = std::max(own.removed_s, tagged.removed_s);
    present_ += static_cast<size_t>(member->present()) - static_cast<size_t>(was_present);
    if (member->present()) NoteSize(name);
    CountTraces();
    return;
  }
  std::vector<Member::Tagged> tags(member->tags().begin(), member->tags().end());
  tags.push_back(tagged);
  Member* larger = Member::New(name, tags);
  Remove(member);
  Insert(larger);
}

void Members::Forget(std::string_view name) {
  readings_.BeforeChange();
  Member* member = table_.Find(name);
  if (member != nullptr) Remove(member);
}

void Members::DropBefore(const Stamp& cleared) {
  readings_.BeforeChange();
  std::vector<Member*> changed;
  newest_ = {};
  table_.ForEach([&](Member& member) {
    bool whole = true;
    for (const Member::Tagged& own : member.tags()) {
      Member::Tagged left{DropCleared(own.tag, own.origin, cleared), own.origin};
      whole &= left.tag == own.tag;
      if (left.tag != MemberTag()) newest_ = std::max(newest_, NewestOf(left));
    }
    if (!whole) changed.push_back(&member);
  });
  for (Member* member : changed) {
    std::vector<Member::Tagged> left;
    for (Member::Tagged own : member->tags()) {
      own.tag = DropCleared(own.tag, own.origin, cleared);
      if (own.tag != MemberTag()) left.push_back(own);
    }
    Member* smaller = left.empty() ? nullptr : Member::New(member->key(), left);
    Remove(member);
    if (smaller != nullptr) Insert(smaller);
  }
}

bool Members::DropTraces(HybridTime known, size_t* items) {
  if (!readings_.empty()) return false;  // later
  std::vector<Member*> dropped;
  size_t seen = 0;
  uint64_t cursor = table_.Scan(trace_times_.cursor(), *items, [&](Member& member) {
    ++seen;
    if (member.present()) return;
    HybridTime removed;
    for (const Member::Tagged& own : member.tags()) {
      removed = std::max(removed, TimeOf(own.removed_s));
    }
    if (removed <= known) {
      dropped.push_back(&member);
    } else {
      trace_times_.Leave(removed);
    }
  });
  for (Member* member : dropped) Remove(member);
  *items -= std::min(*items, seen);
  trace_times_.Advance(cursor);
  if (traces() == 0) trace_times_.Clear();
  return cursor == 0 || traces() == 0;
}

ScanTable<Member>::Remains Members::TakeAll() {
  readings_.BeforeChange();
  present_ = 0;
  trace_times_.Clear();
  newest_ = {};
  item_bytes_ = 0;
  auto remains = table_.TakeAll();
  CountTraces();
  return remains;
}

const Member& Members::Sample(Random& random) const {
  return SamplePresent<Member>(table_, random);
}

}  // namespace meridian::session
