// Member: one member of a set, or the tombstone of a removed one; behind it, in the same piece of
// memory, the tags of the data centers that have added it, and its name. An Item of Collection.
// Made and owned by a Collection; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/hybrid_clock.hpp"
#include "session/data/merge.hpp"
#include "session/data/stamp.hpp"
#include "session/limits.hpp"

namespace meridian::session {

class Member {
 public:
  struct Tagged {
    MemberTag tag;
    uint8_t replica_id = 0;
    // Of a tag that is removed: the second in which this data center learned of it, rounded up.
    uint32_t removed_s = 0;

    Stamp newest() const;
  };
  struct Change {
    std::string_view name;
    Tagged tagged;
    HybridTime now;  // above the stamp of the addition or removal

    bool present() const { return tagged.tag.present(); }
    Stamp newest() const { return tagged.newest(); }
    HybridTime removed_at() const;
  };
  static constexpr bool kKeepsOrder = false;
  static constexpr size_t kSmallItems = kSmallSetMembers;

  static Member* Merged(Member* old, const Change& change);
  static void Destroy(Member* member);

  std::string_view key() const {
    return {reinterpret_cast<const char*>(tags_begin() + tag_count_), name_bytes_};
  }
  std::span<const Tagged> tags() const { return {tags_begin(), tag_count_}; }
  // The tag of `replica_id`; zero times when it has none.
  MemberTag TagOf(uint8_t replica_id) const;
  bool present() const;
  Stamp newest() const;
  HybridTime removed_at() const;
  Member* Without(const Stamp& delete_stamp);
  // Of the member of a small set: its integer.
  int64_t rank() const;
  bool fits_small() const;
  size_t memory_bytes() const { return sizeof(Member) + tag_count_ * sizeof(Tagged) + name_bytes_; }

 private:
  Member() = default;
  static Member* New(std::string_view name, std::span<const Tagged> tags);
  std::span<Tagged> tags() { return {const_cast<Tagged*>(tags_begin()), tag_count_}; }
  const Tagged* tags_begin() const { return reinterpret_cast<const Tagged*>(this + 1); }

  uint32_t name_bytes_ = 0;
  uint32_t tag_count_ = 0;
};

}  // namespace meridian::session
