#include "store/log/segment.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "store/limits.hpp"
#include "store/log/record_fixture.hpp"

namespace meridian::store {
namespace {

// Each record 44 bytes long. Written in groups of two: the second knows that the first was not
// synced.
std::vector<TestRecord> Pairs(size_t records) {
  std::vector<TestRecord> made;
  for (size_t i = 0; i < records; ++i) {
    made.push_back({.offset = i, .above_synced = static_cast<uint32_t>(i % 2)});
  }
  return made;
}
constexpr size_t kBytes = 44;

SegmentScan Scanned(Bytes bytes, uint64_t begin_offset = 0) {
  SegmentScan scan(begin_offset, 0);
  EXPECT_EQ(scan.Feed(bytes, true), bytes.size());
  return scan;
}

TEST(SegmentHeaderTest, HeaderThatWasEncodedDecodesTheSameAndNoFlippedBitPasses) {
  SegmentHeader header{.log_id = 0x1122334455667788, .begin_offset = 42, .starts_over = true};
  std::vector<uint8_t> bytes;
  AppendSegmentHeader(header, bytes);
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  EXPECT_EQ(ParseSegmentHeader(bytes), header);
  EXPECT_EQ(ParseSegmentHeader(Bytes(bytes).first(kSegmentHeaderBytes - 1)), std::nullopt);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<uint8_t> flipped = bytes;
    flipped[bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
    EXPECT_EQ(ParseSegmentHeader(flipped), std::nullopt) << bit;
  }
}

TEST(SegmentNameTest, NamesSortAsOffsetsDo) {
  EXPECT_EQ(SegmentName(42), "00000000000000000042.log");
  EXPECT_LT(SegmentName(9), SegmentName(10));
  EXPECT_EQ(ParseSegmentName(SegmentName(kMaxOffset)), kMaxOffset);
}

TEST(SegmentNameTest, OtherNamesAreNone) {
  for (const char* name :
       {"", "42.log", "00000000000000000042.snapshot", "0000000000000000004x.log",
        "00000000000000000042.log~", "99999999999999999999.log", "-0000000000000000042.log"}) {
    EXPECT_EQ(ParseSegmentName(name), std::nullopt) << name;
  }
}

TEST(SegmentScanTest, WholeSegmentIsFoundHoweverItIsCutIntoPieces) {
  std::vector<uint8_t> bytes = Encoded(Pairs(6));
  for (size_t piece = 1; piece < bytes.size(); piece += 7) {
    SegmentScan scan(0, 100);
    size_t given = 0;
    size_t done = 0;
    while (done < bytes.size()) {
      given = std::min(given + piece, bytes.size());
      done += scan.Feed(Bytes(bytes).subspan(done, given - done), given == bytes.size());
    }
    std::vector<SegmentScan::Found> found = scan.TakeFound();
    ASSERT_EQ(found.size(), 6U) << piece;
    EXPECT_EQ(found[5].position, 100 + 5 * kBytes);
    EXPECT_EQ(scan.end_offset(), 6U);
    EXPECT_TRUE(scan.damages().empty());
  }
}

TEST(SegmentScanTest, UnfinishedRecordAtTheEndIsNoProofOfDamage) {
  std::vector<uint8_t> bytes = Encoded(Pairs(3));
  for (size_t lost = 1; lost < kBytes; ++lost) {
    SegmentScan scan = Scanned(Bytes(bytes).first(bytes.size() - lost));
    ASSERT_EQ(scan.damages().size(), 1U) << lost;
    EXPECT_FALSE(scan.damages()[0].was_synced);
    EXPECT_EQ(scan.damages()[0].begin_position, 2 * kBytes);
    EXPECT_EQ(scan.damages()[0].records_before, 2U);
  }
}

TEST(SegmentScanTest, TornGroupWhoseLaterRecordSurvivedIsNoProofOfDamage) {
  std::vector<uint8_t> bytes = Encoded(Pairs(4));
  std::fill_n(bytes.begin() + 2 * kBytes, kBytes, uint8_t{0});  // the first of the last group
  SegmentScan scan = Scanned(bytes);
  ASSERT_EQ(scan.damages().size(), 1U);
  EXPECT_FALSE(scan.damages()[0].was_synced);
  EXPECT_EQ(scan.damages()[0].begin_offset, 2U);
  EXPECT_EQ(scan.damages()[0].end_offset, 3U);
}

TEST(SegmentScanTest, LaterGroupProvesThatWhatIsDamagedHadBeenSynced) {
  for (size_t damaged = 0; damaged < 4; ++damaged) {
    std::vector<uint8_t> bytes = Encoded(Pairs(6));
    bytes[damaged * kBytes + 20] ^= 1;
    SegmentScan scan = Scanned(bytes);
    ASSERT_EQ(scan.damages().size(), 1U);
    EXPECT_EQ(scan.damages()[0], (Damage{.begin_position = damaged * kBytes,
                                         .end_position = (damaged + 1) * kBytes,
                                         .begin_offset = damaged,
                                         .end_offset = damaged + 1,
                                         .records_before = damaged,
                                         .was_synced = true}));
    EXPECT_EQ(scan.TakeFound().size(), 5U);
  }
}

TEST(SegmentScanTest, RecordWithinTheBodyOfADamagedOneIsNotFound) {
  std::vector<uint8_t> inner = Encoded({{.offset = 5}});
  std::vector<TestRecord> records = Pairs(4);
  records[0].body = std::string(AsText(inner)) + "tail";
  std::vector<uint8_t> bytes = Encoded(records);
  bytes[kRecordHeaderBytes + inner.size()] ^= 1;
  SegmentScan scan = Scanned(bytes);
  ASSERT_EQ(scan.damages().size(), 1U);
  EXPECT_EQ(scan.damages()[0].end_offset, 1U);
}

TEST(SegmentScanTest, MissingOffsetsWithoutMissingBytesAreDamage) {
  SegmentScan scan = Scanned(Encoded({{.offset = 0}, {.offset = 3}, {.offset = 4}}));
  ASSERT_EQ(scan.damages().size(), 1U);
  EXPECT_EQ(scan.damages()[0].begin_offset, 1U);
  EXPECT_EQ(scan.damages()[0].end_offset, 3U);
  EXPECT_EQ(scan.damages()[0].begin_position, scan.damages()[0].end_position);
}

TEST(SegmentScanTest, OlderRecordsLeftBehindInTheFileAreNotTaken) {
  std::vector<uint8_t> bytes = Encoded({{.offset = 10}, {.offset = 3}});
  SegmentScan scan = Scanned(bytes, 10);
  EXPECT_EQ(scan.TakeFound().size(), 1U);
  EXPECT_EQ(scan.end_offset(), 11U);
}

TEST(SegmentScanTest, DamagesPastTheLimitAreReportedAsOne) {
  std::vector<TestRecord> records = Pairs(2 * (kMaxDamages + 5));
  std::vector<uint8_t> bytes = Encoded(records);
  for (size_t i = 0; i < kMaxDamages + 3; ++i) bytes[2 * i * kBytes + 5] ^= 1;
  SegmentScan scan = Scanned(bytes);
  ASSERT_EQ(scan.damages().size(), kMaxDamages);
  EXPECT_EQ(scan.damages().back().begin_offset, 2 * (kMaxDamages - 1));
  EXPECT_EQ(scan.damages().back().end_offset, 2 * (kMaxDamages + 2) + 1);
}

// Whatever bits flip: what is found was written, in order, and nothing between is called good.
TEST(SegmentScanPropertyTest, FlippedBitsLoseOnlyTheRecordsThatTheyHit) {
  std::vector<uint8_t> bytes = Encoded(Pairs(20));
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    std::vector<uint8_t> flipped = bytes;
    std::vector<bool> hit(20);
    for (uint64_t flips = random.Below(4); flips > 0; --flips) {
      uint64_t bit = random.Below(bytes.size() * 8);
      flipped[bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
      hit[bit / 8 / kBytes] = true;
    }
    SegmentScan scan = Scanned(flipped);
    size_t expected = 0;
    for (const SegmentScan::Found& found : scan.TakeFound()) {
      while (expected < 20 && hit[expected]) ++expected;
      // Two flips of one bit are none.
      if (found.record.offset < expected) expected = found.record.offset;
      ASSERT_EQ(found.record.offset, expected) << seed;
      ASSERT_EQ(found.position, expected * kBytes) << seed;
      ++expected;
    }
  }
}

}  // namespace
}  // namespace meridian::store
