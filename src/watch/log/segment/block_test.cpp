#include "watch/log/segment/block.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/log_fixture.hpp"

namespace meridian::watch {
namespace {

std::vector<LogEntry> Fill(BlockBuilder* builder, size_t lines, uint64_t seed = 1) {
  EntryMaker maker(seed);
  std::vector<LogEntry> entries;
  for (size_t i = 0; i < lines; ++i) builder->Add(entries.emplace_back(maker.Next()));
  return entries;
}

TEST(Block, HasTheEntriesThatWereAdded) {
  BlockBuilder builder;
  std::vector<LogEntry> entries = Fill(&builder, kMaxBlockLines);
  EXPECT_TRUE(builder.full());
  std::string raw = builder.Encode();
  Result<Block> block = Block::Decode(raw);
  ASSERT_TRUE(block);
  ASSERT_EQ(block->rows().size(), entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(block->Entry(i), entries[i]);
    EXPECT_EQ(block->Searched(block->rows()[i]), ReferenceText(entries[i]));
  }
  EXPECT_EQ(block->range(), builder.range());
}

TEST(Block, MarksThatAreNotKnownDoNotMakeItUnreadable) {
  BlockBuilder builder;
  LogEntry entry{.text = "marked"};
  entry.marks = EntryMarks(0x81);
  builder.Add(entry);
  const std::string raw = builder.Encode();
  Result<Block> block = Block::Decode(raw);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->Entry(0).marks, EntryMarks(1));
}

TEST(Block, APartHasTheRowsFromItsFirstOn) {
  BlockBuilder builder;
  std::vector<LogEntry> entries = Fill(&builder, 100);
  std::string raw = builder.Encode(60);
  Result<Block> block = Block::Decode(raw);
  ASSERT_TRUE(block);
  ASSERT_EQ(block->rows().size(), 40);
  for (size_t i = 0; i < 40; ++i) EXPECT_EQ(block->Entry(i), entries[60 + i]);
}

TEST(Block, IsFullByItsBytesToo) {
  BlockBuilder builder;
  builder.Add({.text = std::string(kBlockBytes - 1, 'x')});
  EXPECT_FALSE(builder.full());
  builder.Add({.text = "x"});
  EXPECT_TRUE(builder.full());
}

TEST(Block, TextsPastTheLimitsAreCutAndMarked) {
  BlockBuilder builder;
  builder.Add({.text = std::string(kMaxEntryBytes - 1, 'x') + "ü"});
  builder.Add({.text = std::string(kMaxEntryBytes, 'x'), .fields = "{}"});
  builder.Add({.origin = {.dc = std::string(1000, 'd')}, .trace_id = std::string(1000, '7')});
  std::string raw = builder.Encode();
  Result<Block> block = Block::Decode(raw);
  ASSERT_TRUE(block);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(block->Entry(i).marks.Has(EntryMark::kCut));
  EXPECT_EQ(block->Entry(0).text, std::string(kMaxEntryBytes - 1, 'x'));
  EXPECT_EQ(block->Entry(1).fields, "");
  EXPECT_EQ(block->Entry(2).origin.dc.size(), kMaxOriginFieldBytes);
  EXPECT_EQ(block->Entry(2).trace_id.size(), kMaxTraceIdBytes);
}

TEST(Block, TimesFarOffAreClampedAndDoNotOverflow) {
  BlockBuilder builder;
  for (LogTime time : {LogTime::max(), LogTime::min(), LogTime::max()})
    builder.Add({.time = time, .arrival = time});
  std::string raw = builder.Encode();
  Result<Block> block = Block::Decode(raw);
  ASSERT_TRUE(block);
  EXPECT_GT(block->Entry(0).time, kLogStart);
  EXPECT_LT(block->Entry(1).time, kLogStart);
}

TEST(Block, DamagedBytesAreRefusedOrConsistent) {
  BlockBuilder builder;
  Fill(&builder, 20);
  std::string raw = builder.Encode();
  Random random(5);
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = raw.substr(0, random.Chance(0.5) ? raw.size() : random.Below(raw.size()));
    if (!damaged.empty())
      damaged[random.Below(damaged.size())] = static_cast<char>(random.Below(256));
    Result<Block> block = Block::Decode(damaged);
    refused += block ? 0 : 1;
    for (size_t i = 0; block && i < block->rows().size(); ++i) {
      EXPECT_LE(block->Entry(i).text.size(), damaged.size());
      EXPECT_LE(block->TraceId(block->rows()[i]).size(), damaged.size());
    }
  }
  EXPECT_GT(refused, 2500);
}

}  // namespace
}  // namespace meridian::watch
