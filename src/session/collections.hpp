// Fields of a hash and members of a set, as a key holds them: compact, with what their merge needs.
// What was removed leaves a trace (which is not counted and not visited) where other data centers
// may not know of the removal yet.
//
// Owned by a key's Parts; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "session/merge.hpp"
#include "session/scan_table.hpp"
#include "session/stamp.hpp"

namespace meridian::session {

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
  size_t memory_bytes() const { return sizeof(Field) + name_bytes_ + value_bytes_; }

 private:
  Field() = default;
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }

  Stamp stamp_;
  uint32_t name_bytes_ = 0;
  uint32_t value_bytes_ = 0;
  bool present_ = true;
};

class Fields {
 public:
  explicit Fields(uint64_t seed) : table_(seed) {}

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
  HybridTime newest_trace() const { return newest_trace_; }
  // Takes out the traces of what was removed up to `known`: O(all).
  void DropTraces(HybridTime known);

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
  // Some present field; there is one.
  const Field& Sample(Random& random) const;

 private:
  void Remove(Field* field);

  ScanTable<Field> table_;
  size_t present_ = 0;
  HybridTime newest_trace_;
  size_t item_bytes_ = 0;
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
  explicit Members(uint64_t seed) : table_(seed) {}

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
  HybridTime newest_trace() const { return newest_trace_; }
  void DropTraces(HybridTime known);

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
  const Member& Sample(Random& random) const;

 private:
  void Insert(Member* member);
  void Remove(Member* member);

  ScanTable<Member> table_;
  size_t present_ = 0;
  HybridTime newest_trace_;
  size_t item_bytes_ = 0;
};

}  // namespace meridian::session
