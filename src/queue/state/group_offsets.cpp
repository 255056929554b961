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

bool GroupOffsets::HasRoomFor(std::string_view group, size_t offsets) const {
  if (!groups_.contains(group) && groups_.size() >= kMaxGroups) return false;
  return size_ + offsets <= kMaxCommittedOffsets;
}

void GroupOffsets::Set(std::string_view group, PartitionId partition,
                       const CommittedOffset& committed) {
  auto found = groups_.find(group);
  if (found == groups_.end()) found = groups_.emplace(std::string(group), Group{}).first;
  bool added = found->second.offsets.insert_or_assign(partition, committed).second;
  if (added) ++size_;
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
  for (PartitionId partition : partitions) size_ -= offsets.erase(partition);
  if (!partitions.empty() && !offsets.empty()) return;
  size_ -= offsets.size();
  groups_.erase(found);
}

void GroupOffsets::RemoveTopic(uint32_t topic) {
  for (auto group = groups_.begin(); group != groups_.end();) {
    auto& offsets = group->second.offsets;
    auto first = offsets.lower_bound({topic, 0});
    auto last = offsets.upper_bound({topic, std::numeric_limits<uint32_t>::max()});
    size_t before = offsets.size();
    offsets.erase(first, last);
    size_ -= before - offsets.size();
    group = offsets.empty() ? groups_.erase(group) : ++group;
  }
}

const Group* GroupOffsets::Find(std::string_view group) const {
  auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second;
}

}  // namespace meridian::queue
