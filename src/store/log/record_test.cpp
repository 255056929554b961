#include "store/log/record.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "store/limits.hpp"
#include "store/log/record_fixture.hpp"

namespace meridian::store {
namespace {

TEST(RecordTest, RecordThatWasEncodedDecodesTheSame) {
  std::vector<uint8_t> bytes;
  AppendRecord({.offset = 7,
                .time = {99},
                .epoch = 3,
                .span = 5,
                .above_synced = 2,
                .body = AsBytes("body")},
               bytes);
  EXPECT_EQ(bytes.size(), kRecordHeaderBytes + 4);
  Record record;
  ASSERT_EQ(DecodeRecord(bytes, &record), Decoding::kWhole);
  EXPECT_EQ(record.offset, 7U);
  EXPECT_EQ(record.time.bits, 99U);
  EXPECT_EQ(record.epoch, 3U);
  EXPECT_EQ(record.end_offset(), 12U);
  EXPECT_EQ(record.synced_before(), 5U);
  EXPECT_EQ(AsText(record.body), "body");
}

TEST(RecordTest, EveryCutIsIncompleteAndEveryFlippedBitIsDamage) {
  std::vector<uint8_t> bytes = Encoded({{.offset = 7, .body = "some body"}});
  Record record;
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeRecord(Bytes(bytes).first(size), &record), Decoding::kIncomplete) << size;
  }
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<uint8_t> flipped = bytes;
    flipped[bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
    EXPECT_EQ(DecodeRecord(flipped, &record), Decoding::kDamaged) << bit;
  }
}

TEST(RecordTest, LargestBodyAndSpanAreRecordsAndOneMoreIsNone) {
  std::string largest(kMaxRecordBytes, 'x');
  std::vector<uint8_t> bytes = Encoded({{.offset = 0, .body = largest, .span = kMaxRecordSpan}});
  Record record;
  EXPECT_EQ(DecodeRecord(bytes, &record), Decoding::kWhole);
  EXPECT_EQ(record.body.size(), kMaxRecordBytes);
  EXPECT_EQ(DecodeRecord(Encoded({{.offset = 0, .span = kMaxRecordSpan + 1}}), &record),
            Decoding::kDamaged);
  EXPECT_EQ(DecodeRecord(Encoded({{.offset = kMaxOffset}}), &record), Decoding::kWhole);
  EXPECT_EQ(DecodeRecord(Encoded({{.offset = kMaxOffset + 1}}), &record), Decoding::kDamaged);
}

TEST(RecordBatchTest, BatchGivesItsRecordsInOrder) {
  auto batch = RecordBatch::Parse(
      Encoded({{.offset = 4, .body = "a", .span = 2}, {.offset = 6, .body = "b"}}));
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->records(), 2U);
  EXPECT_EQ(batch->begin_offset(), 4U);
  EXPECT_EQ(batch->end_offset(), 7U);
  std::string bodies;
  batch->ForEach([&](const Record& record) { bodies += AsText(record.body); });
  EXPECT_EQ(bodies, "ab");
}

TEST(RecordBatchTest, GapOrRemainderIsRefused) {
  EXPECT_EQ(RecordBatch::Parse(Encoded({{.offset = 4}, {.offset = 6}})).error().message,
            "a batch goes on at offset 6 instead of 5");
  std::vector<uint8_t> bytes = Encoded({{.offset = 4}, {.offset = 5}});
  bytes.pop_back();
  EXPECT_EQ(RecordBatch::Parse(bytes).error().message, "no whole record at byte 44 of a batch");
  EXPECT_TRUE(RecordBatch::Parse({})->empty());
}

}  // namespace
}  // namespace meridian::store
