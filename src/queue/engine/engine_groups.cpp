// Engine: committed offsets.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine.hpp"
#include "queue/state/group_offsets.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/refusal.hpp"

namespace meridian::queue {
namespace {

// Commits with long metadata are split into several records.
constexpr size_t kMaxCommitRecordBytes = size_t{1} << 20;
constexpr size_t kEntryBytes = 40;  // at most, without the metadata

// Offsets that are looked at before other fibers run, and the entries of one record.
constexpr size_t kMaxCommitEntries = 1000;

// What one record of commits adds to what all groups have, within the limits.
class CommitRoom {
 public:
  CommitRoom(const GroupOffsets& groups, std::string_view group)
      : groups_(groups), group_(group), found_(groups.Find(group)) {}

  // kNone: the offset fits, and was counted. A partition that comes twice is counted twice.
  QueueError Take(PartitionId id, size_t metadata_bytes) {
    if (metadata_bytes > kMaxOffsetMetadataBytes) return QueueError::kOffsetMetadataTooLarge;
    const CommittedOffset* old = OldOf(id);
    size_t old_bytes = old == nullptr ? 0 : old->metadata.size();
    size_t more_bytes = metadata_bytes - std::min(metadata_bytes, old_bytes);
    bool fits = groups_.metadata_bytes() + added_bytes_ + more_bytes <= kMaxAllMetadataBytes;
    if (more_bytes > 0 && !fits) return QueueError::kOffsetMetadataTooLarge;
    size_t added = added_offsets_ + (old == nullptr ? 1 : 0);
    if (old == nullptr && !groups_.HasRoomFor(group_, added)) return QueueError::kTooManyGroups;
    added_offsets_ = added;
    added_bytes_ += more_bytes;
    return QueueError::kNone;
  }

 private:
  const CommittedOffset* OldOf(PartitionId id) const {
    if (found_ == nullptr) return nullptr;
    auto offset = found_->offsets.find(id);
    return offset == found_->offsets.end() ? nullptr : &offset->second;
  }

  const GroupOffsets& groups_;
  std::string_view group_;
  const Group* found_;
  size_t added_offsets_ = 0;
  size_t added_bytes_ = 0;
};

bool IsGroupName(std::string_view group) {
  return !group.empty() && group.size() <= kMaxGroupNameBytes;
}

}  // namespace

io::Task<std::vector<QueueError>> Engine::CommitOffsets(std::string_view group,
                                                        std::span<const OffsetToCommit> offsets) {
  std::vector<QueueError> errors(offsets.size(), QueueError::kInvalidGroup);
  if (!IsGroupName(group)) co_return errors;
  if (!is_controller()) {
    std::ranges::fill(errors, QueueError::kNotCoordinator);
    co_return errors;
  }
  uint64_t journal_end = 0;
  for (size_t begin = 0; begin < offsets.size();) {
    // Other fibers run between two records.
    Result<void> yielded;
    if (begin > 0) yielded = co_await io::Sleep(Duration::zero());
    Outcome<> ready = CheckWritable();
    if (!yielded || !ready) {
      QueueError error = yielded ? ready.error().error : QueueError::kClosing;
      std::ranges::fill(std::span(errors).subspan(begin), error);
      break;
    }
    begin +=
        AppendCommits(group, offsets.subspan(begin), std::span(errors).subspan(begin), journal_end);
  }
  Result<void> done = co_await durable_->AwaitCopied(journal_end);
  for (QueueError& error : errors) {
    if (!done && error == QueueError::kNone) error = QueueError::kStorage;
  }
  co_return errors;
}

// Appends the first of the offsets, as many as one record has; how many of them it has looked at.
size_t Engine::AppendCommits(std::string_view group, std::span<const OffsetToCommit> offsets,
                             std::span<QueueError> errors, uint64_t& journal_end) {
  OffsetsCommittedRecord record{.group = std::string(group)};
  CommitRoom room(durable_->state().groups(), group);
  size_t bytes = 0;
  size_t taken = 0;
  for (; taken < std::min(offsets.size(), kMaxCommitEntries) && bytes < kMaxCommitRecordBytes;
       ++taken) {
    const auto& [where, committed] = offsets[taken];
    Outcome<PartitionId> id = Find(where);
    errors[taken] = id ? room.Take(*id, committed.metadata.size()) : id.error().error;
    if (errors[taken] != QueueError::kNone) continue;
    record.entries.push_back({*id, committed});
    bytes += kEntryBytes + committed.metadata.size();
  }
  if (record.entries.empty()) return taken;
  numbers_.offsets_committed += record.entries.size();
  journal_end = durable_->Append(record);
  return taken;
}

std::optional<CommittedOffset> Engine::FindCommitted(std::string_view group,
                                                     TopicPartition where) const {
  const Group* found = durable_->state().groups().Find(group);
  Outcome<PartitionId> id = Find(where);
  if (found == nullptr || !id) return std::nullopt;
  auto offset = found->offsets.find(*id);
  if (offset == found->offsets.end()) return std::nullopt;
  return offset->second;
}

bool Engine::HasCommitted(std::string_view group) const {
  return durable_->state().groups().Find(group) != nullptr;
}

std::vector<GroupOffset> Engine::CommittedOffsets(std::string_view group) const {
  std::vector<GroupOffset> offsets;
  const Group* found = durable_->state().groups().Find(group);
  if (found == nullptr) return offsets;
  for (const auto& [id, committed] : found->offsets) {
    offsets.push_back({durable_->state().FindTopic(id.topic)->name, id.partition, committed});
  }
  return offsets;
}

std::vector<std::string> Engine::GroupsWithOffsets() const {
  std::vector<std::string> names;
  for (const auto& [name, group] : durable_->state().groups().groups()) names.push_back(name);
  return names;
}

io::Task<Outcome<>> Engine::DeleteOffsets(std::string_view group,
                                          std::span<const TopicPartition> partitions) {
  if (!is_controller()) {
    co_return Refuse(QueueError::kNotCoordinator, "another data center has the groups");
  }
  if (durable_->state().groups().Find(group) == nullptr) {
    co_return Refuse(QueueError::kGroupNotFound, "group {} has no committed offsets", group);
  }
  std::set<PartitionId> ids;  // a request may name one many times; a record has a limit
  for (size_t i = 0; i < partitions.size(); ++i) {
    Outcome<PartitionId> id = Find(partitions[i]);
    if (!id) co_return Refuse(std::move(id.error()));
    ids.insert(*id);
    if ((i + 1) % kMaxCommitEntries != 0) continue;
    Result<void> yielded = co_await io::Sleep(Duration::zero());
    if (!yielded) co_return Refuse(QueueError::kClosing, "{}", yielded.error().message);
  }
  OffsetsRemovedRecord record{.group = std::string(group), .partitions = {ids.begin(), ids.end()}};
  co_return co_await AppendDurably(std::move(record));
}

}  // namespace meridian::queue
