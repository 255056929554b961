#include "base/bytes.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace meridian {
namespace {

TEST(ByteReader, ReadsBigEndianIntegersInOrder) {
  ByteReader reader(AsBytes("\x01\x02\x03\x04\x05\x06\x07"));
  EXPECT_EQ(reader.U8(), 1);
  EXPECT_EQ(reader.U16(), 0x0203);
  EXPECT_EQ(reader.U32(), 0x04050607u);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(ByteReader, ReadPastTheEndStaysFailed) {
  ByteReader reader(AsBytes("\x01\x02\x03"));
  EXPECT_EQ(reader.U32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.U8(), 0);
  EXPECT_TRUE(reader.Take(1).empty());
}

TEST(ByteWriter, WritePastTheEndIsReportedAndWritesNothing) {
  std::array<uint8_t, 3> space{};
  ByteWriter writer(space);
  writer.U16(0x0102);
  writer.U16(0x0304);
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(AsText(writer.written()), "\x01\x02");
  writer.Truncate(0);
  writer.Append(AsBytes("abc"));
  EXPECT_TRUE(writer.ok());
  EXPECT_EQ(AsText(writer.written()), "abc");
}

TEST(Buffer, KeepsBytesInOrderWhileItGrowsAndCompacts) {
  Buffer buffer(64 * 1024);
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    std::string piece = std::to_string(i) + ",";
    ASSERT_TRUE(buffer.Append(piece));
    expected += piece;
    if (i % 3 == 0) {
      buffer.Consume(2);
      expected.erase(0, 2);
    }
  }
  EXPECT_EQ(buffer.text(), expected);
}

TEST(Buffer, NeverHoldsMoreThanItsLimit) {
  Buffer buffer(10);
  EXPECT_TRUE(buffer.Append("12345678"));
  EXPECT_FALSE(buffer.Append("abc"));
  EXPECT_EQ(buffer.text(), "12345678");
  EXPECT_EQ(buffer.Prepare(100).size(), 2u);
  EXPECT_TRUE(buffer.Append("90"));
  EXPECT_TRUE(buffer.full());
  EXPECT_TRUE(buffer.Prepare(1).empty());
}

TEST(Buffer, TruncateRemovesAppendedBytes) {
  Buffer buffer(64);
  ASSERT_TRUE(buffer.Append("xabc"));
  buffer.Consume(1);
  buffer.Truncate(2);
  EXPECT_EQ(buffer.text(), "ab");
  ASSERT_TRUE(buffer.Append("d"));
  EXPECT_EQ(buffer.text(), "abd");
}

TEST(Buffer, AnIdleBufferHoldsNoMemory) {
  Buffer buffer(4096);
  ASSERT_TRUE(buffer.Append("x"));
  buffer.ReleaseIfEmpty();
  EXPECT_GT(buffer.capacity(), 0u);
  buffer.Consume(1);
  buffer.ReleaseIfEmpty();
  EXPECT_EQ(buffer.capacity(), 0u);
  EXPECT_TRUE(buffer.Append("y"));
}

}  // namespace
}  // namespace meridian
