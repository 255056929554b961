// GroupOffsets: the offsets that consumer groups have committed. Pure.
//
// Owned by the QueueState; one thread. Invariants: size() is the number of offsets of all groups,
// and metadata_bytes() what their metadata adds up to; a group that is here has at least one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/hybrid_clock.hpp"
#include "queue/state/journal_record.hpp"

namespace meridian::queue {

struct Group {
  std::map<PartitionId, CommittedOffset> offsets;
  HybridTime last_commit;
  // All records of the journal below it were applied to this group.
  uint64_t applied_end = 0;
  bool operator==(const Group&) const = default;
};

class GroupOffsets {
 public:
  using Groups = std::map<std::string, Group, std::less<>>;

  // Whether the limits have room for this group with so many offsets that it has not yet.
  bool HasRoomFor(std::string_view group, size_t new_offsets) const;
  // For an entry that the group may not have yet.
  void Set(std::string_view group, PartitionId partition, const CommittedOffset& committed);
  // Sets when the group was changed last. Does nothing to a group that is not here.
  void Touch(std::string_view group, HybridTime time, uint64_t applied_end);
  // Nothing: the whole group.
  void Remove(std::string_view group, std::span<const PartitionId> partitions);
  void RemoveTopic(uint32_t topic);
  // Another journal counts from now on: nothing of it was applied.
  void ResetAppliedEnds();

  // Null: the group has no offsets.
  const Group* Find(std::string_view group) const;
  const Groups& groups() const { return groups_; }
  size_t size() const { return size_; }
  size_t metadata_bytes() const { return metadata_bytes_; }

 private:
  using Offsets = std::map<PartitionId, CommittedOffset>;
  // Erases [first, last) of a group's offsets.
  void Erase(Offsets& offsets, Offsets::iterator first, Offsets::iterator last);

  Groups groups_;
  size_t size_ = 0;
  size_t metadata_bytes_ = 0;
};

}  // namespace meridian::queue
