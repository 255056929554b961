#include "queue/state/journal_record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "queue/state/limits.hpp"

namespace meridian::queue {
namespace {

std::vector<JournalRecord> OneOfEachKind() {
  return {
      FormatRecord{.node = 3},
      TopicRecord{.topic = 70'000,
                  .uuid = {1, std::numeric_limits<uint64_t>::max()},
                  .name = "orders",
                  .partitions = 300,
                  .overrides = {{"retention.ms", "-1"}, {"cleanup.policy", "compact"}},
                  .controller_epoch = 65,
                  .home = 2,
                  .leader_epoch = 130,
                  .at_home = {{.end_offset = 9, .epochs = {{1, 0}, {66, 7}}},
                              {.end_offset = int64_t{1} << 60}}},
      TopicDeletedRecord{7},
      PartitionsAddedRecord{7, 12},
      TopicConfiguredRecord{7, {{"segment.ms", "60000"}}},
      ControllerMovedRecord{65},
      LogStartMovedRecord{{7, 2}, int64_t{1} << 60},
      OffsetsCommittedRecord{
          .group = "billing",
          .entries = {{{7, 0}, {.offset = 5, .leader_epoch = 2, .metadata = "half"}},
                      {{8, 1}, {.offset = 0, .leader_epoch = -1, .metadata = ""}}}},
      OffsetsRemovedRecord{"billing", {{7, 0}, {8, 1}}},
      OffsetsRemovedRecord{"billing", {}},
      ProducerIdsRecord{4000},
  };
}

// All kinds but batches, which are views.
bool Same(const JournalRecord& one, const JournalRecord& other) {
  if (one.index() != other.index()) return false;
  return std::visit(
      [&](const auto& record) {
        using Kind = std::decay_t<decltype(record)>;
        if constexpr (std::is_same_v<Kind, BatchRecord>)
          return false;
        else
          return record == std::get<Kind>(other);
      },
      one);
}

TEST(JournalRecordTest, EveryKindIsReadAsItWasWritten) {
  for (const JournalRecord& record : OneOfEachKind()) {
    std::vector<uint8_t> bytes = EncodeJournalRecord(record);
    auto read = DecodeJournalRecord(bytes);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(Same(record, *read)) << "kind " << int{bytes[0]};
  }
}

TEST(JournalRecordTest, BatchIsAViewOfTheBytesBehindItsPrefix) {
  PartitionId partition{std::numeric_limits<uint32_t>::max(), kMaxPartitions};
  std::vector<uint8_t> bytes = EncodeBatchPrefix(partition);
  EXPECT_LE(bytes.size(), kMaxBatchPrefixBytes);
  size_t prefix = bytes.size();
  bytes.insert(bytes.end(), {9, 8, 7});
  auto read = DecodeJournalRecord(bytes);
  ASSERT_TRUE(read);
  const auto& batch = std::get<BatchRecord>(*read);
  EXPECT_EQ(batch.partition, partition);
  EXPECT_EQ(batch.batch.data(), bytes.data() + prefix);
  EXPECT_EQ(batch.batch.size(), 3U);
}

TEST(JournalRecordTest, EveryTruncationAndEveryExtensionIsRefused) {
  for (const JournalRecord& record : OneOfEachKind()) {
    std::vector<uint8_t> bytes = EncodeJournalRecord(record);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(DecodeJournalRecord(Bytes(bytes).first(size))) << size;
    }
    bytes.push_back(0);
    EXPECT_FALSE(DecodeJournalRecord(bytes));
  }
}

TEST(JournalRecordTest, UnknownFormatIsRefusedByItsVersion) {
  auto read = DecodeJournalRecord(EncodeJournalRecord(FormatRecord{1}));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message,
            "the queue's journal has format 1, and this program knows only format 2");
}

TEST(JournalRecordTest, UnknownKindsAreRefused) {
  for (int kind : {0, 12, 255}) {
    std::vector<uint8_t> bytes = {static_cast<uint8_t>(kind), 0, 0};
    EXPECT_FALSE(DecodeJournalRecord(bytes));
  }
}

TEST(JournalRecordTest, HostileLengthsAllocateNothing) {
  // A commit for group "" with 2^62 entries.
  std::vector<uint8_t> bytes = {9, 0};
  for (int i = 0; i < 8; ++i) bytes.push_back(0xff);
  bytes.push_back(0x3f);
  EXPECT_FALSE(DecodeJournalRecord(bytes));
  // A varint without an end.
  bytes.assign(20, 0xff);
  bytes[0] = 3;
  EXPECT_FALSE(DecodeJournalRecord(bytes));
}

}  // namespace
}  // namespace meridian::queue
