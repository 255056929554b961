// Engine: committed offsets.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "io/task.hpp"
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

bool IsGroupName(std::string_view group) {
  return !group.empty() && group.size() <= kMaxGroupNameBytes;
}

}  // namespace

io::Task<std::vector<QueueError>> Engine::CommitOffsets(std::string_view group,
                                                        std::span<const OffsetToCommit> offsets) {
  std::vector<QueueError> errors(offsets.size());
  Outcome<> ready = CheckWritable();
  QueueError all = ready ? QueueError::kNone : ready.error().error;
  if (!IsGroupName(group)) all = QueueError::kInvalidGroup;
  if (all == QueueError::kNone && !durable_->state().groups().HasRoomFor(group, offsets.size())) {
    all = QueueError::kTooManyGroups;
  }
  if (all != QueueError::kNone) {
    errors.assign(offsets.size(), all);
    co_return errors;
  }
  OffsetsCommittedRecord record{.group = std::string(group)};
  uint64_t journal_end = 0;
  size_t bytes = 0;
  for (size_t i = 0; i < offsets.size(); ++i) {
    const auto& [where, committed] = offsets[i];
    Outcome<PartitionId> id = Find(where);
    if (!id) errors[i] = id.error().error;
    if (committed.metadata.size() > kMaxOffsetMetadataBytes) {
      errors[i] = QueueError::kOffsetMetadataTooLarge;
    }
    if (errors[i] == QueueError::kNone) {
      record.entries.push_back({*id, committed});
      bytes += kEntryBytes + committed.metadata.size();
    }
    bool last = i + 1 == offsets.size();
    if (record.entries.empty() || (!last && bytes < kMaxCommitRecordBytes)) continue;
    numbers_.offsets_committed += record.entries.size();
    journal_end = durable_->Append(record);
    record.entries.clear();
    bytes = 0;
  }
  Result<void> done = co_await durable_->AwaitDurable(journal_end);
  for (QueueError& error : errors) {
    if (!done && error == QueueError::kNone) error = QueueError::kStorage;
  }
  co_return errors;
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
  if (durable_->state().groups().Find(group) == nullptr) {
    co_return Refuse(QueueError::kGroupNotFound, "group {} has no committed offsets", group);
  }
  std::set<PartitionId> ids;  // a request may name one many times; a record has a limit
  for (TopicPartition where : partitions) {
    Outcome<PartitionId> id = Find(where);
    if (!id) co_return Refuse(std::move(id.error()));
    ids.insert(*id);
  }
  OffsetsRemovedRecord record{.group = std::string(group), .partitions = {ids.begin(), ids.end()}};
  co_return co_await AppendDurably(std::move(record));
}

}  // namespace meridian::queue
