#include "queue/state/group_offsets.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "base/hybrid_clock.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"

namespace meridian::queue {

bool GroupOffsets::HasRoomFor(std::string_view group, size_t new_offsets) const {
  if (!groups_.contains(group) && groups_.size() >= kMaxGroups) return false;
  return size_ + new_offsets <= kMaxCommittedOffsets;
}

void GroupOffsets::Set(std::string_view group, PartitionId partition,
                       const CommittedOffset& committed) {
  auto found = groups_.find(group);
  if (found == groups_.end()) found = groups_.emplace(std::string(group), Group{}).first;
  auto [entry, added] = found->second.offsets.try_emplace(partition);
  if (added) ++size_;
  metadata_bytes_ -= entry->second.metadata.size();
  metadata_bytes_ += committed.metadata.size();
  entry->second = committed;
}

void GroupOffsets::Touch(std::string_view group, HybridTime time, uint64_t applied_end) {
  auto found = groups_.find(group);
  if (found == groups_.end()) return;
  found->second.last_commit = time;
  found->second.applied_end = applied_end;
}

void GroupOffsets::Remove(std::string_view group, std::span<const PartitionId> partitions) {
  auto found = groups_.find(group);
  if (found == groups_.end()) return;
  auto& offsets = found->second.offsets;
  for (PartitionId partition : partitions) {
    auto [first, last] = offsets.equal_range(partition);
    Erase(offsets, first, last);
  }
  if (!partitions.empty() && !offsets.empty()) return;
  Erase(offsets, offsets.begin(), offsets.end());
  groups_.erase(found);
}

void GroupOffsets::RemoveTopic(uint32_t topic) {
  for (auto group = groups_.begin(); group != groups_.end();) {
    auto& offsets = group->second.offsets;
    auto first = offsets.lower_bound({topic, 0});
    auto last = offsets.upper_bound({topic, std::numeric_limits<uint32_t>::max()});
    Erase(offsets, first, last);
    group = offsets.empty() ? groups_.erase(group) : ++group;
  }
}

void GroupOffsets::Erase(Offsets& offsets, Offsets::iterator first, Offsets::iterator last) {
  for (auto entry = first; entry != last; ++entry) {
    --size_;
    metadata_bytes_ -= entry->second.metadata.size();
  }
  offsets.erase(first, last);
}

const Group* GroupOffsets::Find(std::string_view group) const {
  auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second;
}

void GroupOffsets::ResetAppliedEnds() {
  for (auto& [name, group] : groups_) group.applied_end = 0;
}

}  // namespace meridian::queue
