#include "queue/partition/segment_index.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "queue/partition/limits.hpp"

namespace meridian::queue {
namespace {

constexpr uint64_t kBatch = kIndexIntervalBytes / 2;

// Batches of one offset, half an interval long, with timestamps of 10 ms each.
SegmentIndex IndexOf(int64_t batches) {
  SegmentIndex index;
  for (int64_t i = 0; i < batches; ++i) {
    index.Add({.base_offset = i,
               .bytes = kBatch,
               .crc = static_cast<uint32_t>(i),
               .max_timestamp_ms = i * 10},
              static_cast<uint64_t>(i) * kBatch);
  }
  return index;
}

std::vector<uint8_t> Encoded(const SegmentIndex& index) {
  std::vector<uint8_t> bytes;
  SegmentIndex::Encode(index.entries(), bytes);
  return bytes;
}

SegmentIndex Decoded(Bytes bytes, uint64_t end_position = UINT64_MAX) {
  SegmentIndex index;
  index.Decode(bytes, end_position);
  return index;
}

TEST(SegmentIndex, HasAnEntryForEachInterval) {
  SegmentIndex index = IndexOf(7);
  ASSERT_EQ(index.entries().size(), 3U);
  EXPECT_EQ(index.entries()[2], (IndexEntry{.offset = 6,
                                            .position = 6 * kBatch,
                                            .max_timestamp_ms = 50,
                                            .batch_crc = 6,
                                            .verified = true}));
}

TEST(SegmentIndex, EntriesAreFoundByOffsetPositionAndTime) {
  SegmentIndex index = IndexOf(7);
  EXPECT_EQ(index.AtOrBeforeOffset(1), nullptr);
  EXPECT_EQ(index.AtOrBeforeOffset(2)->offset, 2);
  EXPECT_EQ(index.AtOrBeforeOffset(3)->offset, 2);
  EXPECT_EQ(index.AtOrBeforeOffset(99)->offset, 6);
  EXPECT_EQ(index.AtOrBeforePosition(2 * kBatch - 1), nullptr);
  EXPECT_EQ(index.AtOrBeforePosition(2 * kBatch)->offset, 2);
  EXPECT_EQ(index.BeforeTimestamp(10), nullptr);  // the batch with 10 ms is before the first entry
  EXPECT_EQ(index.BeforeTimestamp(11)->offset, 2);
  EXPECT_EQ(index.BeforeTimestamp(1000)->offset, 6);
}

TEST(SegmentIndex, FileGivesTheSameEntriesUnverified) {
  SegmentIndex index = Decoded(Encoded(IndexOf(7)));
  ASSERT_EQ(index.entries().size(), 3U);
  EXPECT_EQ(index.entries()[2].position, 6 * kBatch);
  EXPECT_EQ(index.entries()[2].max_timestamp_ms, 50);
  EXPECT_FALSE(index.entries()[2].verified);
  EXPECT_EQ(index.last_position(), 6 * kBatch);
}

TEST(SegmentIndex, TornFileIsReadUpToItsFirstWrongEntry) {
  std::vector<uint8_t> file = Encoded(IndexOf(7));
  EXPECT_EQ(Decoded(Bytes(file).first(file.size() - 1)).entries().size(), 2U);
  file[kIndexEntryBytes + 3] ^= 1;
  EXPECT_EQ(Decoded(file).entries().size(), 1U);
}

TEST(SegmentIndex, EntriesBeyondTheSegmentOrOutOfOrderAreIgnored) {
  std::vector<uint8_t> file = Encoded(IndexOf(7));
  EXPECT_EQ(Decoded(file, 6 * kBatch).entries().size(), 2U);
  std::vector<uint8_t> twice = file;
  twice.insert(twice.end(), file.begin(), file.end());
  EXPECT_EQ(Decoded(twice).entries().size(), 3U);
}

TEST(SegmentIndex, OlderPartIsPrependedToWhatWasAppended) {
  SegmentIndex appended(3 * kBatch, 20);
  for (int64_t i = 3; i < 7; ++i) {
    appended.Add({.base_offset = i, .bytes = kBatch, .max_timestamp_ms = i * 10},
                 static_cast<uint64_t>(i) * kBatch);
  }
  ASSERT_EQ(appended.entries().size(), 1U);
  EXPECT_EQ(appended.entries()[0].offset, 5);
  EXPECT_EQ(appended.entries()[0].max_timestamp_ms, 40);
  appended.Prepend(IndexOf(3));
  EXPECT_EQ(appended.begin_position(), 0U);
  EXPECT_EQ(appended.entries().size(), 2U);
  EXPECT_EQ(appended.AtOrBeforeOffset(4)->offset, 2);
}

}  // namespace
}  // namespace meridian::queue
