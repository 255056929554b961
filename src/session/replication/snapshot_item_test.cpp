#include "session/replication/snapshot_item.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meridian::session {
namespace {

constexpr size_t kMost = 10;

std::vector<std::string> ItemsOf(std::string_view record) {
  std::vector<std::string> items;
  ItemsOfRecord parts(AsBytes(record), kMost);
  while (auto item = parts.Next()) items.emplace_back(AsText(*item));
  return items;
}

TEST(SnapshotItem, RecordOfTheLimitIsOneItemAsItIsAndOneByteMoreTakesTwo) {
  EXPECT_EQ(ItemsOf("0123456789"), std::vector<std::string>{"0123456789"});
  EXPECT_EQ(ItemsOf("0123456789a").size(), 2);
}

TEST(SnapshotItem, RecordsOfAnyLengthComeBack) {
  ItemReader reader;
  for (size_t size = 0; size < 5 * kMost; ++size) {
    std::string record(size, 'x');
    std::string read;
    for (const std::string& item : ItemsOf(record)) {
      EXPECT_LE(item.size(), kMost);
      Result<std::optional<Bytes>> taken = reader.Take(AsBytes(item));
      ASSERT_TRUE(taken);
      if (*taken) read = AsText(**taken);
    }
    EXPECT_EQ(read, record);
    EXPECT_FALSE(reader.within_record());
  }
}

TEST(SnapshotItem, RecordWithoutAnEndIsRefused) {
  ItemReader reader;
  std::vector<std::string> items = ItemsOf(std::string(3 * kMost, 'x'));
  EXPECT_TRUE(reader.Take(AsBytes(items[0])));
  EXPECT_TRUE(reader.within_record());
  EXPECT_FALSE(reader.Take(AsBytes("record")));
}

TEST(SnapshotItem, PartThatIsNoneIsRefused) {
  ItemReader reader;
  EXPECT_FALSE(reader.Take(AsBytes("\xfe")));
  EXPECT_FALSE(reader.Take(AsBytes("\xfe\x02 beat")));
}

}  // namespace
}  // namespace meridian::session
