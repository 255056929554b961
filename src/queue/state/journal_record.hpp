// The bodies of the records of the queue's journal: a byte for the kind, then packed fields. Pure.
//
// The first record of a journal is a FormatRecord. A record of a batch holds the Kafka batch as it
// is in the segment file, with its final base offset and leader epoch. Topics are named by a number
// that no data center gives twice.
//
// Each data center has a journal, and the others apply it as well (state/queue_state.hpp says which
// of its records count). Epochs order the moves of homes and of the controller over all journals:
// each move has an epoch of its own, greater than all that its author knows.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "queue/state/epoch_history.hpp"
#include "queue/state/topic_config.hpp"

namespace meridian::queue {

// The name of the journal in log lines, and where logs are mirrored.
inline constexpr std::string_view kJournalName = "queue";
inline constexpr uint64_t kJournalFormat = 2;

// A data center as a node of the site's queue: its number as a broker, from 1 on.
using NodeId = uint32_t;
inline constexpr NodeId kMaxNodeId = 63;

// The next epoch of a node. No two nodes give the same epoch.
constexpr int32_t NextEpoch(int32_t greatest_known, NodeId node) {
  constexpr int32_t kStride = static_cast<int32_t>(kMaxNodeId) + 1;
  return (greatest_known / kStride + 1) * kStride + static_cast<int32_t>(node);
}

// Topic numbers of different nodes differ.
inline constexpr uint32_t kTopicNumberBits = 24;
constexpr uint32_t FirstTopicNumber(NodeId node) { return (node << kTopicNumberBits) + 1; }
constexpr NodeId NodeOfTopicNumber(uint32_t number) { return number >> kTopicNumberBits; }

// So do producer ids.
inline constexpr int kProducerIdBits = 48;
constexpr int64_t FirstProducerId(NodeId node) { return int64_t{node} << kProducerIdBits; }
constexpr NodeId NodeOfProducerId(int64_t id) { return static_cast<NodeId>(id >> kProducerIdBits); }

struct PartitionId {
  uint32_t topic = 0;  // its number
  uint32_t partition = 0;

  auto operator<=>(const PartitionId&) const = default;
};

// Kafka's topic id.
struct TopicUuid {
  uint64_t high = 0;
  uint64_t low = 0;

  auto operator<=>(const TopicUuid&) const = default;
};

struct FormatRecord {
  uint64_t version = kJournalFormat;
  NodeId node = 0;  // the journal's author
  bool operator==(const FormatRecord&) const = default;
};

// A partition at its home when the home moved there: where it ended, and its newest epochs.
struct PartitionAtHome {
  int64_t end_offset = 0;
  std::vector<EpochStart> epochs;  // ascending
  bool operator==(const PartitionAtHome&) const = default;
};

// What a topic is from now on: it was created, its home has moved here, or a new controller says
// what it knows of it.
struct TopicRecord {
  uint32_t topic = 0;
  TopicUuid uuid;
  std::string name;
  uint32_t partitions = 0;
  TopicOverrides overrides;
  int32_t controller_epoch = 0;  // known to the author
  NodeId home = 0;
  int32_t leader_epoch = 0;  // of the home
  // By number. What another data center has beside it of older epochs does not count. None: nothing
  // was there, or the home is another data center than the author.
  std::vector<PartitionAtHome> at_home;
  bool operator==(const TopicRecord&) const = default;
};

struct TopicDeletedRecord {
  uint32_t topic = 0;
  bool operator==(const TopicDeletedRecord&) const = default;
};

struct PartitionsAddedRecord {
  uint32_t topic = 0;
  uint32_t partitions = 0;  // in all
  bool operator==(const PartitionsAddedRecord&) const = default;
};

struct TopicConfiguredRecord {
  uint32_t topic = 0;
  TopicOverrides overrides;  // all of them
  bool operator==(const TopicConfiguredRecord&) const = default;
};

// The author is the controller from now on: it has the groups, and creates topics. Records before
// it say which topics there are, and what groups have committed.
struct ControllerMovedRecord {
  int32_t epoch = 0;
  bool operator==(const ControllerMovedRecord&) const = default;
};

struct BatchRecord {
  PartitionId partition;
  Bytes batch;  // not owned
};

struct LogStartMovedRecord {
  PartitionId partition;
  int64_t log_start_offset = 0;
  bool operator==(const LogStartMovedRecord&) const = default;
};

struct CommittedOffset {
  int64_t offset = 0;
  int32_t leader_epoch = -1;  // of the record before it, as the client said; -1: not said
  std::string metadata;
  bool operator==(const CommittedOffset&) const = default;
};

struct OffsetsCommittedRecord {
  struct Entry {
    PartitionId partition;
    CommittedOffset committed;
    bool operator==(const Entry&) const = default;
  };
  std::string group;
  std::vector<Entry> entries;
  bool operator==(const OffsetsCommittedRecord&) const = default;
};

struct OffsetsRemovedRecord {
  std::string group;
  std::vector<PartitionId> partitions;  // none: all of the group
  bool operator==(const OffsetsRemovedRecord&) const = default;
};

struct ProducerIdsRecord {
  int64_t end = 0;  // all ids below it may have been given to producers
  bool operator==(const ProducerIdsRecord&) const = default;
};

using JournalRecord =
    std::variant<FormatRecord, TopicRecord, TopicDeletedRecord, PartitionsAddedRecord,
                 TopicConfiguredRecord, ControllerMovedRecord, BatchRecord, LogStartMovedRecord,
                 OffsetsCommittedRecord, OffsetsRemovedRecord, ProducerIdsRecord>;

std::vector<uint8_t> EncodeJournalRecord(const JournalRecord& record);
// What stands before the batch in the record of a batch.
std::vector<uint8_t> EncodeBatchPrefix(PartitionId partition);
inline constexpr size_t kMaxBatchPrefixBytes = 16;

// Whether it is a TopicRecord, without decoding it.
bool IsTopicRecord(Bytes body);

// kInvalid: the kind or the format's version is unknown, a field is past its limit, or bytes are
// missing or left over.
Result<JournalRecord> DecodeJournalRecord(Bytes body);

}  // namespace meridian::queue
