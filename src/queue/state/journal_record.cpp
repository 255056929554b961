#include "queue/state/journal_record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "queue/state/epoch_history.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/packed.hpp"
#include "queue/state/topic_config.hpp"

namespace meridian::queue {
namespace {

enum class Kind : uint8_t {
  kFormat = 1,
  kTopic = 2,
  kTopicDeleted = 3,
  kPartitionsAdded = 4,
  kTopicConfigured = 5,
  kControllerMoved = 6,
  kBatch = 7,
  kLogStartMoved = 8,
  kOffsetsCommitted = 9,
  kOffsetsRemoved = 10,
  kProducerIds = 11,
};

constexpr uint64_t kMaxTopicNumber = std::numeric_limits<uint32_t>::max();
constexpr size_t kMaxConfigKeyBytes = 64;

// --- Encoding ------------------------------------------------------------------------------------

class Encoder {
 public:
  std::vector<uint8_t> Encode(const JournalRecord& record) {
    std::visit([this](const auto& kind) { Add(kind); }, record);
    return out_.Take();
  }

 private:
  void Begin(Kind kind) { out_.U8(static_cast<uint8_t>(kind)); }
  void Add(PartitionId partition) {
    out_.Unsigned(partition.topic);
    out_.Unsigned(partition.partition);
  }
  void Add(const TopicOverrides& overrides) {
    out_.Unsigned(overrides.size());
    for (const auto& [key, value] : overrides) {
      out_.Text(key);
      out_.Text(value);
    }
  }
  void Add(const FormatRecord& record) {
    Begin(Kind::kFormat);
    out_.Unsigned(record.version);
    out_.Unsigned(record.node);
  }
  void Add(const TopicRecord& record) {
    Begin(Kind::kTopic);
    out_.Unsigned(record.topic);
    for (uint64_t half : {record.uuid.high, record.uuid.low}) {
      for (int shift = 56; shift >= 0; shift -= 8) out_.U8(static_cast<uint8_t>(half >> shift));
    }
    out_.Text(record.name);
    out_.Unsigned(record.partitions);
    Add(record.overrides);
    out_.Signed(record.controller_epoch);
    out_.Unsigned(record.home);
    out_.Signed(record.leader_epoch);
    out_.Unsigned(record.at_home.size());
    for (const PartitionAtHome& partition : record.at_home) {
      out_.Signed(partition.end_offset);
      out_.Unsigned(partition.epochs.size());
      for (const EpochStart& start : partition.epochs) {
        out_.Signed(start.epoch);
        out_.Signed(start.start_offset);
      }
    }
  }
  void Add(const TopicDeletedRecord& record) {
    Begin(Kind::kTopicDeleted);
    out_.Unsigned(record.topic);
  }
  void Add(const PartitionsAddedRecord& record) {
    Begin(Kind::kPartitionsAdded);
    out_.Unsigned(record.topic);
    out_.Unsigned(record.partitions);
  }
  void Add(const TopicConfiguredRecord& record) {
    Begin(Kind::kTopicConfigured);
    out_.Unsigned(record.topic);
    Add(record.overrides);
  }
  void Add(const ControllerMovedRecord& record) {
    Begin(Kind::kControllerMoved);
    out_.Signed(record.epoch);
  }
  void Add(const BatchRecord& record) {
    Begin(Kind::kBatch);
    Add(record.partition);
    out_.Raw(record.batch);
  }
  void Add(const LogStartMovedRecord& record) {
    Begin(Kind::kLogStartMoved);
    Add(record.partition);
    out_.Signed(record.log_start_offset);
  }
  void Add(const OffsetsCommittedRecord& record) {
    Begin(Kind::kOffsetsCommitted);
    out_.Text(record.group);
    out_.Unsigned(record.entries.size());
    for (const auto& [partition, committed] : record.entries) {
      Add(partition);
      out_.Signed(committed.offset);
      out_.Signed(committed.leader_epoch);
      out_.Text(committed.metadata);
    }
  }
  void Add(const OffsetsRemovedRecord& record) {
    Begin(Kind::kOffsetsRemoved);
    out_.Text(record.group);
    out_.Unsigned(record.partitions.size());
    for (PartitionId partition : record.partitions) Add(partition);
  }
  void Add(const ProducerIdsRecord& record) {
    Begin(Kind::kProducerIds);
    out_.Signed(record.end);
  }

  PackedWriter out_;
};

// --- Decoding ------------------------------------------------------------------------------------

uint32_t TakeTopic(PackedReader& in) { return static_cast<uint32_t>(in.Bounded(kMaxTopicNumber)); }

PartitionId TakePartition(PackedReader& in) {
  uint32_t topic = TakeTopic(in);
  return {topic, static_cast<uint32_t>(in.Bounded(kMaxPartitions))};
}

uint64_t TakeBigEndian(PackedReader& in) {
  ByteReader bytes(in.Raw(sizeof(uint64_t)));
  return bytes.U64();
}

int32_t TakeEpoch(PackedReader& in) {
  int64_t epoch = in.Signed();
  return static_cast<int32_t>(std::clamp<int64_t>(epoch, -1, std::numeric_limits<int32_t>::max()));
}

TopicOverrides TakeOverrides(PackedReader& in) {
  TopicOverrides overrides;
  size_t count = in.Bounded(kMaxTopicOverrides);
  for (size_t i = 0; i < count && in.ok(); ++i) {
    std::string key = in.Text(kMaxConfigKeyBytes);
    overrides[std::move(key)] = in.Text(kMaxConfigValueBytes);
  }
  return overrides;
}

NodeId TakeNode(PackedReader& in) { return static_cast<NodeId>(in.Bounded(kMaxNodeId)); }

FormatRecord TakeFormat(PackedReader& in) {
  FormatRecord record{.version = in.Unsigned()};
  // Another format may go on differently.
  if (record.version == kJournalFormat) {
    record.node = TakeNode(in);
  } else {
    (void)in.Rest();
  }
  return record;
}

TopicRecord TakeTopicRecord(PackedReader& in) {
  TopicRecord record;
  record.topic = TakeTopic(in);
  record.uuid.high = TakeBigEndian(in);
  record.uuid.low = TakeBigEndian(in);
  record.name = in.Text(kMaxTopicNameBytes);
  record.partitions = static_cast<uint32_t>(in.Bounded(kMaxPartitions));
  record.overrides = TakeOverrides(in);
  record.controller_epoch = TakeEpoch(in);
  record.home = TakeNode(in);
  record.leader_epoch = TakeEpoch(in);
  constexpr size_t kMinPartitionBytes = 2;
  size_t partitions = in.Count(kMinPartitionBytes);
  for (size_t i = 0; i < partitions && in.ok(); ++i) {
    PartitionAtHome& partition = record.at_home.emplace_back();
    partition.end_offset = in.Signed();
    size_t epochs = in.Bounded(kMaxToldEpochs);
    for (size_t j = 0; j < epochs && in.ok(); ++j) {
      EpochStart& start = partition.epochs.emplace_back();
      start.epoch = TakeEpoch(in);
      start.start_offset = in.Signed();
    }
  }
  return record;
}

OffsetsCommittedRecord TakeOffsetsCommitted(PackedReader& in) {
  OffsetsCommittedRecord record;
  record.group = in.Text(kMaxGroupNameBytes);
  constexpr size_t kMinEntryBytes = 5;
  size_t count = in.Count(kMinEntryBytes);
  record.entries.reserve(count);
  for (size_t i = 0; i < count && in.ok(); ++i) {
    OffsetsCommittedRecord::Entry entry;
    entry.partition = TakePartition(in);
    entry.committed.offset = in.Signed();
    entry.committed.leader_epoch = TakeEpoch(in);
    entry.committed.metadata = in.Text(kMaxOffsetMetadataBytes);
    record.entries.push_back(std::move(entry));
  }
  return record;
}

OffsetsRemovedRecord TakeOffsetsRemoved(PackedReader& in) {
  OffsetsRemovedRecord record;
  record.group = in.Text(kMaxGroupNameBytes);
  constexpr size_t kMinEntryBytes = 2;
  size_t count = in.Count(kMinEntryBytes);
  for (size_t i = 0; i < count && in.ok(); ++i) record.partitions.push_back(TakePartition(in));
  return record;
}

JournalRecord TakeRecord(Kind kind, PackedReader& in) {
  switch (kind) {
    case Kind::kFormat:
      return TakeFormat(in);
    case Kind::kTopic:
      return TakeTopicRecord(in);
    case Kind::kTopicDeleted:
      return TopicDeletedRecord{TakeTopic(in)};
    case Kind::kPartitionsAdded: {
      PartitionId partition = TakePartition(in);
      return PartitionsAddedRecord{partition.topic, partition.partition};
    }
    case Kind::kTopicConfigured: {
      uint32_t topic = TakeTopic(in);
      return TopicConfiguredRecord{topic, TakeOverrides(in)};
    }
    case Kind::kControllerMoved:
      return ControllerMovedRecord{TakeEpoch(in)};
    case Kind::kBatch: {
      PartitionId partition = TakePartition(in);
      return BatchRecord{partition, in.Rest()};
    }
    case Kind::kLogStartMoved: {
      PartitionId partition = TakePartition(in);
      return LogStartMovedRecord{partition, in.Signed()};
    }
    case Kind::kOffsetsCommitted:
      return TakeOffsetsCommitted(in);
    case Kind::kOffsetsRemoved:
      return TakeOffsetsRemoved(in);
    case Kind::kProducerIds:
      return ProducerIdsRecord{in.Signed()};
  }
  (void)in.U8();
  return FormatRecord{0};
}

}  // namespace

std::vector<uint8_t> EncodeJournalRecord(const JournalRecord& record) {
  return Encoder().Encode(record);
}

std::vector<uint8_t> EncodeBatchPrefix(PartitionId partition) {
  return Encoder().Encode(BatchRecord{partition, {}});
}

bool IsTopicRecord(Bytes body) {
  return !body.empty() && body.front() == static_cast<uint8_t>(Kind::kTopic);
}

Result<JournalRecord> DecodeJournalRecord(Bytes body) {
  PackedReader in(body);
  uint8_t kind = in.U8();
  if (!in.ok()) return Fail(Errc::kInvalid, "an empty record in the queue's journal");
  if (kind < static_cast<uint8_t>(Kind::kFormat) ||
      kind > static_cast<uint8_t>(Kind::kProducerIds)) {
    return Fail(Errc::kInvalid, "a record of the unknown kind {} in the queue's journal", kind);
  }
  JournalRecord record = TakeRecord(static_cast<Kind>(kind), in);
  if (!in.at_end()) {
    return Fail(Errc::kInvalid, "a record of kind {} in the queue's journal is malformed", kind);
  }
  if (const auto* format = std::get_if<FormatRecord>(&record);
      format != nullptr && format->version != kJournalFormat) {
    return Fail(Errc::kInvalid,
                "the queue's journal has format {}, and this program knows only format {}",
                format->version, kJournalFormat);
  }
  return record;
}

}  // namespace meridian::queue
