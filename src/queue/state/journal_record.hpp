// The bodies of the records of the queue's journal: a byte for the kind, then packed fields. Pure.
//
// The first record of a journal is a FormatRecord. A record of a batch holds the Kafka batch as it
// is in the segment file, with its final base offset and leader epoch. Topics are named by a number
// that is never given twice.
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
#include "queue/state/topic_config.hpp"

namespace meridian::queue {

// The name of the journal in log lines, and where logs are mirrored.
inline constexpr std::string_view kJournalName = "queue";
inline constexpr uint64_t kJournalFormat = 2;

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
  bool operator==(const FormatRecord&) const = default;
};

struct TopicCreatedRecord {
  uint32_t topic = 0;
  TopicUuid uuid;
  std::string name;
  uint32_t partitions = 0;
  TopicOverrides overrides;
  bool operator==(const TopicCreatedRecord&) const = default;
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

struct EpochRaisedRecord {
  uint32_t topic = 0;
  int32_t epoch = 0;
  bool operator==(const EpochRaisedRecord&) const = default;
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
    std::variant<FormatRecord, TopicCreatedRecord, TopicDeletedRecord, PartitionsAddedRecord,
                 TopicConfiguredRecord, EpochRaisedRecord, BatchRecord, LogStartMovedRecord,
                 OffsetsCommittedRecord, OffsetsRemovedRecord, ProducerIdsRecord>;

std::vector<uint8_t> EncodeJournalRecord(const JournalRecord& record);
// What stands before the batch in the record of a batch.
std::vector<uint8_t> EncodeBatchPrefix(PartitionId partition);
inline constexpr size_t kMaxBatchPrefixBytes = 16;

// kInvalid: the kind or the format's version is unknown, a field is past its limit, or bytes are
// missing or left over.
Result<JournalRecord> DecodeJournalRecord(Bytes body);

}  // namespace meridian::queue
