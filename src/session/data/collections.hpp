// Fields of a hash and members of a set, as a key holds them: compact, with what their merge needs.
// What was removed leaves a trace (which is not counted and not visited) where other data centers
// may not know of the removal yet.
//
// Owned by a key's Parts; one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "base/check.hpp"
#include "base/hybrid_clock.hpp"
#include "session/data/merge.hpp"
#include "session/data/scan_table.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"

namespace meridian::session {

// Somebody who reads a collection over several turns, and must see it as it was in the first.
class Reading {
 public:
  // The collection is about to change or to go: what is still to be read is read now. It is not
  // among the collection's readings any more.
  virtual void BeforeChange() = 0;

 protected:
  ~Reading() = default;

 private:
  friend class Readings;
  Reading* next_ = nullptr;
};

// Those of one collection: at most kMaxReadings.
class Readings {
 public:
  Readings() = default;
  Readings(const Readings&) = delete;
  Readings& operator=(const Readings&) = delete;
  ~Readings() { CHECK(first_ == nullptr); }

  bool empty() const { return first_ == nullptr; }
  // No further one may be added.
  bool full() const {
    size_t count = 0;
    for (const Reading* at = first_; at != nullptr; at = at->next_) ++count;
    return count >= kMaxReadings;
  }
  void Add(Reading& reading) { reading.next_ = std::exchange(first_, &reading); }
  void Remove(Reading& reading) {
    Reading** at = &first_;
    while (*at != nullptr && *at != &reading) at = &(*at)->next_;
    if (*at != nullptr) *at = reading.next_;
  }
  void BeforeChange() {
    while (first_ != nullptr) {
      Reading& reading = *std::exchange(first_, first_->next_);
      reading.BeforeChange();
    }
  }

 private:
  Reading* first_ = nullptr;
};

// Traces of a collection: between which times they were made, and how far it was walked to take out
// those that everybody knows of.
class TraceTimes {
 public:
  void Add(HybridTime time) {
    oldest_ = std::min(oldest_, time);
    rest_oldest_ = std::min(rest_oldest_, time);
    newest_ = std::max(newest_, time);
  }
  void Clear() { *this = {}; }
  // Zero when there are none. It may have been taken out since.
  HybridTime newest() const { return newest_; }
  // Max when there are none. It may have been taken out since.
  HybridTime oldest() const { return oldest_; }

  uint64_t cursor() const { return cursor_; }
  // A walk has come to `cursor`, which is 0 at its end; what it leaves it has handed to Leave.
  void Advance(uint64_t cursor) {
    cursor_ = cursor;
    if (cursor == 0) oldest_ = std::exchange(rest_oldest_, HybridTime::Max());
  }
  void Leave(HybridTime time) { rest_oldest_ = std::min(rest_oldest_, time); }

 private:
  HybridTime newest_;
  HybridTime oldest_ = HybridTime::Max();
  HybridTime rest_oldest_ = HybridTime::Max();  // of what is left of those passed, or made since
  uint64_t cursor_ = 0;
};

// One field; name and value are behind it in the same piece of memory.
class Field {
 public:
  struct Content {
    std::string_view name;
    std::string_view value;
    bool present = true;
    Stamp stamp;
  };
  static Field* New(const Content& content);
  static void Destroy(Field* field);

  std::string_view key() const { return {data(), name_bytes_}; }
  std::string_view value() const { return {data() + name_bytes_, value_bytes_}; }
  bool present() const { return present_; }
  const Stamp& stamp() const { return stamp_; }
  // Among the fields of its hash: the one that was added later has the higher one.
  uint32_t order() const { return order_; }
  void set_order(uint32_t order) { order_ = order; }
  size_t memory_bytes() const { return sizeof(Field) + name_bytes_ + value_bytes_; }

 private:
  Field() = default;
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }

  Stamp stamp_;
  uint32_t name_bytes_ = 0;
  uint32_t value_bytes_ = 0;
  bool present_ = true;
  uint32_t order_ = 0;
};

class Fields {
 public:
  // `all_traces`: how many there are in all that are given it; it outlives this.
  Fields(uint64_t seed, size_t* all_traces) : table_(seed), all_traces_(*all_traces) {}
  ~Fields() {
    readings_.BeforeChange();
    all_traces_ -= counted_traces_;
  }

  // How many are present.
  size_t size() const { return present_; }
  // No field and no trace of one.
  bool blank() const { return table_.size() == 0; }
  size_t memory_bytes() const { return sizeof(Fields) + table_.memory_bytes() + item_bytes_; }

  // Null when it is not present.
  const Field* Find(std::string_view name) const;
  // Merges `content` in. False: what was there has superseded it.
  bool Merge(const Field::Content& content);
  // Takes it out without a trace.
  void Forget(std::string_view name);
  // Takes out what is older.
  void DropBefore(const Stamp& cleared);
  // Traces of what was removed, and when the last of them was made.
  size_t traces() const { return table_.size() - present_; }
  HybridTime newest_trace() const { return trace_times_.newest(); }
  HybridTime oldest_trace() const { return trace_times_.oldest(); }
  // None, present or not, has a newer stamp.
  const Stamp& newest() const { return newest_; }
  // Leaves nothing: O(1).
  ScanTable<Field>::Remains TakeAll();
  // Goes on looking for traces of what was removed up to `known`, and takes them out, until about
  // `*items` were looked at; what is left of them. False: there is more to look at.
  bool DropTraces(HybridTime known, size_t* items);

  template <class Visit>
  void ForEach(Visit visit) const {
    table_.ForEach([&](const Field& field) {
      if (field.present()) visit(field);
    });
  }
  // Also of removed ones.
  template <class Visit>
  void ForEachTrace(Visit visit) const {
    table_.ForEach(visit);
  }
  template <class Visit>
  uint64_t Scan(uint64_t cursor, size_t count, Visit visit) const {
    return table_.Scan(cursor, count, [&](const Field& field) {
      if (field.present()) visit(field);
    });
  }
  template <class Visit>
  uint64_t ScanTraces(uint64_t cursor, size_t count, Visit visit) const {
    return table_.Scan(cursor, count, visit);
  }
  // Some present field; there is one.
  const Field& Sample(Random& random) const;
  // Since it was last empty there were more than kSmallHashFields at a time, or one was longer than
  // kSmallHashBytes.
  bool was_large() const { return was_large_; }
  // As Redis takes it: by an argument that is not kept, or by what it is a copy of.
  void set_was_large() { was_large_ = true; }
  // Where traces are many it takes too long to find the fields among them.
  bool small() const { return !was_large_ && traces() < kReplyItemsPerTurn; }
  // As ForEach; those of a small hash in the order in which they were added.
  template <class Visit>
  void ForEachInOrder(Visit visit) const {
    if (!small()) return ForEach(visit);
    std::array<const Field*, kSmallHashFields> found;  // NOLINT: written by Sorted
    for (const Field* field : Sorted(found)) visit(*field);
  }
  // Who reads this over several turns.
  Readings& readings() const { return readings_; }

 private:
  void Remove(Field* field);
  void CountTraces() {
    all_traces_ += traces() - counted_traces_;
    counted_traces_ = traces();
  }
  template <class Goes>
  void DropWhere(Goes goes);
  void NoteSize(const Field& added);
  uint32_t NextOrder();
  std::span<const Field*> Sorted(std::span<const Field*, kSmallHashFields> into) const;

  ScanTable<Field> table_;
  mutable Readings readings_;
  size_t& all_traces_;
  size_t counted_traces_ = 0;  // of ours, in all_traces_
  size_t present_ = 0;
  TraceTimes trace_times_;
  Stamp newest_;
  size_t item_bytes_ = 0;
  uint32_t next_order_ = 0;
  bool was_large_ = false;
};

// One member, and behind it the tags of the data centers that have added it, and its name.
class Member {
 public:
  struct Tagged {
    MemberTag tag;
    uint8_t origin = 0;
    // Of one that is removed: when that was learnt here, rounded up; kept by Members.
    uint32_t removed_s = 0;
  };
  static Member* New(std::string_view name, std::span<const Tagged> tags);
  static void Destroy(Member* member);

  std::string_view key() const {
    return {reinterpret_cast<const char*>(tags_begin() + tag_count_), name_bytes_};
  }
  std::span<const Tagged> tags() const { return {tags_begin(), tag_count_}; }
  std::span<Tagged> tags() { return {const_cast<Tagged*>(tags_begin()), tag_count_}; }
  bool present() const;
  size_t memory_bytes() const { return sizeof(Member) + tag_count_ * sizeof(Tagged) + name_bytes_; }

 private:
  Member() = default;
  const Tagged* tags_begin() const { return reinterpret_cast<const Tagged*>(this + 1); }

  uint32_t name_bytes_ = 0;
  uint32_t tag_count_ = 0;
};

class Members {
 public:
  // `all_traces`: how many there are in all that are given it; it outlives this.
  Members(uint64_t seed, size_t* all_traces) : table_(seed), all_traces_(*all_traces) {}
  ~Members() {
    readings_.BeforeChange();
    all_traces_ -= counted_traces_;
  }

  size_t size() const { return present_; }
  bool blank() const { return table_.size() == 0; }
  size_t memory_bytes() const { return sizeof(Members) + table_.memory_bytes() + item_bytes_; }

  bool Contains(std::string_view name) const { return Find(name) != nullptr; }
  // Null when it is not present.
  const Member* Find(std::string_view name) const;
  // The tag of `origin`; zero times when it has none.
  MemberTag TagOf(std::string_view name, uint8_t origin) const;
  // `now` is above the stamp of the addition or removal that is merged in.
  void Merge(std::string_view name, Member::Tagged tagged, HybridTime now);
  void Forget(std::string_view name);
  void DropBefore(const Stamp& cleared);
  size_t traces() const { return table_.size() - present_; }
  HybridTime newest_trace() const { return trace_times_.newest(); }
  HybridTime oldest_trace() const { return trace_times_.oldest(); }
  // No addition or removal has a newer stamp.
  const Stamp& newest() const { return newest_; }
  ScanTable<Member>::Remains TakeAll();
  bool DropTraces(HybridTime known, size_t* items);

  template <class Visit>
  void ForEach(Visit visit) const {
    table_.ForEach([&](const Member& member) {
      if (member.present()) visit(member);
    });
  }
  template <class Visit>
  void ForEachTrace(Visit visit) const {
    table_.ForEach(visit);
  }
  template <class Visit>
  uint64_t Scan(uint64_t cursor, size_t count, Visit visit) const {
    return table_.Scan(cursor, count, [&](const Member& member) {
      if (member.present()) visit(member);
    });
  }
  template <class Visit>
  uint64_t ScanTraces(uint64_t cursor, size_t count, Visit visit) const {
    return table_.Scan(cursor, count, visit);
  }
  const Member& Sample(Random& random) const;
  // Since it was last empty there were more than kSmallSetMembers at a time, or one was no integer.
  bool was_large() const { return was_large_; }
  void set_was_large() { was_large_ = true; }
  bool small() const { return !was_large_ && traces() < kReplyItemsPerTurn; }
  // As ForEach; the integers of a small set in ascending order.
  template <class Visit>
  void ForEachInOrder(Visit visit) const {
    if (!small()) return ForEach(visit);
    std::array<Integer, kSmallSetMembers> found;  // NOLINT: written by Sorted
    for (const Integer& each : Sorted(found)) visit(*each.member);
  }
  Readings& readings() const { return readings_; }

 private:
  struct Integer {
    int64_t value;
    const Member* member;
  };

  void NoteSize(std::string_view added);
  std::span<Integer> Sorted(std::span<Integer, kSmallSetMembers> into) const;
  void Insert(Member* member);
  void Remove(Member* member);
  void CountTraces() {
    all_traces_ += traces() - counted_traces_;
    counted_traces_ = traces();
  }

  ScanTable<Member> table_;
  mutable Readings readings_;
  size_t& all_traces_;
  size_t counted_traces_ = 0;  // of ours, in all_traces_
  size_t present_ = 0;
  TraceTimes trace_times_;
  Stamp newest_;
  size_t item_bytes_ = 0;
  bool was_large_ = false;
};

}  // namespace meridian::session
