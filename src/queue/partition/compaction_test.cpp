#include "queue/partition/compaction.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/kafka/batch_writer.hpp"
#include "wire/kafka/record_reader.hpp"

namespace meridian::queue {
namespace {

using wire::kafka::BatchHeader;
using wire::kafka::BatchWriter;
using wire::kafka::Record;

using KeyValue = std::pair<std::optional<std::string>, std::optional<std::string>>;

std::vector<uint8_t> Batch(BatchHeader header, const std::vector<KeyValue>& records) {
  BatchWriter writer(header);
  int64_t offset = header.base_offset;
  for (const auto& [key, value] : records) {
    writer.Add({.offset = offset++, .timestamp_ms = 50, .key = key, .value = value});
  }
  return writer.Finish().value();
}

LastOffsets LastOf(const std::vector<std::vector<uint8_t>>& batches) {
  LastOffsets last;
  for (const auto& batch : batches) EXPECT_TRUE(last.Add(batch).value());
  return last;
}

// "offset:key=value ...", with "-" for a tombstone; "none" for a batch that goes.
std::string TextOf(const Result<std::optional<std::vector<uint8_t>>>& batch) {
  if (!batch) return std::string(ErrcName(batch.error().code));
  if (!*batch) return "none";
  EXPECT_TRUE(wire::kafka::CheckStoredBatch(**batch));
  auto reader = wire::kafka::RecordReader::Open(**batch);
  std::string text;
  Record record;
  while (reader->Next(&record)) {
    EXPECT_EQ(record.timestamp_ms, 50);
    text += (text.empty() ? "" : " ") + std::to_string(record.offset) + ":" +
            std::string(record.key.value_or("")) + "=" + std::string(record.value.value_or("-"));
  }
  EXPECT_TRUE(reader->complete());
  return text;
}

constexpr CompactionTimes kNow = {.now_ms = 1000, .delete_retention_ms = 100};

TEST(Compaction, LastRecordOfEachKeyStaysAtItsOffset) {
  auto first = Batch({.base_offset = 0}, {{"a", "1"}, {"b", "2"}, {"a", "3"}, {"c", "4"}});
  auto second = Batch({.base_offset = 4}, {{"b", "5"}});
  LastOffsets last = LastOf({first, second});
  EXPECT_EQ(last.end_offset(), 5);
  EXPECT_EQ(TextOf(CompactBatch(first, last, kNow)), "2:a=3 3:c=4");
  EXPECT_EQ(TextOf(CompactBatch(second, last, kNow)), "4:b=5");
}

TEST(Compaction, BatchKeepsItsRangeOfOffsetsAndUnchangedOnesTheirBytes) {
  auto first = Batch({.base_offset = 0, .leader_epoch = 7}, {{"a", "1"}, {"b", "2"}, {"c", "3"}});
  auto second = Batch({.base_offset = 3}, {{"c", "4"}});
  LastOffsets last = LastOf({first, second});
  auto compacted = CompactBatch(first, last, kNow).value();
  auto header = wire::kafka::ReadBatchHeader(*compacted).value();
  EXPECT_EQ(header.next_offset(), 3);
  EXPECT_EQ(header.leader_epoch, 7);
  EXPECT_EQ(header.record_count, 2);
  EXPECT_EQ(CompactBatch(second, last, kNow).value(), second);
}

TEST(Compaction, BatchWithoutRecordsGoes) {
  auto first = Batch({.base_offset = 0}, {{"a", "1"}});
  auto second = Batch({.base_offset = 1}, {{"a", "2"}});
  EXPECT_EQ(TextOf(CompactBatch(first, LastOf({first, second}), kNow)), "none");
}

TEST(Compaction, RecordsWithoutKeyAndThoseOutsideTheRangeStay) {
  auto first = Batch({.base_offset = 0}, {{std::nullopt, "1"}, {"a", "2"}});
  auto second = Batch({.base_offset = 2}, {{std::nullopt, "3"}, {"a", "4"}});
  EXPECT_EQ(TextOf(CompactBatch(first, LastOf({first, second}), kNow)), "0:=1");
  EXPECT_EQ(TextOf(CompactBatch(second, LastOf({first}), kNow)), "2:=3 3:a=4");
}

TEST(Compaction, TombstoneStaysUntilItsDeleteHorizon) {
  auto first = Batch({.base_offset = 0}, {{"a", "1"}});
  auto second = Batch({.base_offset = 1}, {{"a", std::nullopt}, {"b", "2"}});
  LastOffsets last = LastOf({first, second});
  EXPECT_EQ(TextOf(CompactBatch(first, last, kNow)), "none");
  auto marked = CompactBatch(second, last, kNow).value();
  EXPECT_EQ(TextOf(marked), "1:a=- 2:b=2");
  EXPECT_EQ(wire::kafka::ReadBatchHeader(*marked)->base_timestamp_ms, 1100);
  CompactionTimes before = {.now_ms = 1099, .delete_retention_ms = 100};
  EXPECT_EQ(CompactBatch(*marked, last, before).value(), *marked);
  CompactionTimes after = {.now_ms = 1100, .delete_retention_ms = 100};
  EXPECT_EQ(TextOf(CompactBatch(*marked, last, after)), "2:b=2");
}

TEST(Compaction, LastBatchOfAProducerKeepsItsHeader) {
  BatchHeader header = {
      .base_offset = 0, .producer_id = 9, .producer_epoch = 1, .base_sequence = 4};
  auto first = Batch(header, {{"a", "1"}, {"b", "1"}});
  header.base_offset = 2;
  header.base_sequence = 6;
  auto second = Batch(header, {{"a", "2"}, {"b", "2"}});
  auto third = Batch({.base_offset = 4}, {{"a", "3"}, {"b", "3"}});
  LastOffsets last = LastOf({first, second, third});
  EXPECT_EQ(TextOf(CompactBatch(first, last, kNow)), "none");
  auto kept = CompactBatch(second, last, kNow).value();
  EXPECT_EQ(TextOf(kept), "");
  auto kept_header = wire::kafka::ReadBatchHeader(*kept).value();
  EXPECT_EQ(kept_header.next_offset(), 4);
  EXPECT_EQ(kept_header.producer_id, 9);
  EXPECT_EQ(kept_header.base_sequence, 6);
  EXPECT_EQ(kept_header.record_count, 0);
}

TEST(Compaction, KeysThatNeedTooMuchMemoryEndTheRange) {
  LastOffsets last(100);
  EXPECT_TRUE(last.Add(Batch({.base_offset = 0}, {{"a", "1"}})).value());
  EXPECT_FALSE(last.Add(Batch({.base_offset = 1}, {{"b", "1"}})).value());
  EXPECT_EQ(last.end_offset(), 1);
  EXPECT_FALSE(last.IsReplaced("b", 0));
}

TEST(Compaction, DamagedBatchIsAnError) {
  auto batch = Batch({.base_offset = 0}, {{"a", "1"}});
  batch.back() ^= 1;
  LastOffsets last;
  EXPECT_FALSE(last.Add(batch));
  EXPECT_FALSE(CompactBatch(batch, last, kNow));
}

}  // namespace
}  // namespace meridian::queue
