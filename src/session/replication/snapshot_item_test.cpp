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

constexpr size_t kMax = 10;

std::vector<std::string> ItemsOf(std::string_view record) {
  std::vector<std::string> items;
  ItemsOfChange parts(AsBytes(record), kMax);
  while (auto item = parts.Next()) items.emplace_back(AsText(*item));
  return items;
}

TEST(SnapshotItem, ChangeOfTheLimitIsOneItemAndOneByteMoreTakesTwo) {
  EXPECT_EQ(ItemsOf("0123456789"), std::vector<std::string>{"0123456789"});
  EXPECT_EQ(ItemsOf("0123456789a").size(), 2);
}

TEST(SnapshotItem, RecordsOfAnyLengthComeBack) {
  SnapshotItemReader reader;
  for (size_t size = 0; size < 5 * kMax; ++size) {
    std::string record(size, 'x');
    std::string read;
    for (const std::string& item : ItemsOf(record)) {
      EXPECT_LE(item.size(), kMax);
      Result<std::optional<Bytes>> taken = reader.Take(AsBytes(item));
      ASSERT_TRUE(taken);
      if (*taken) read = AsText(**taken);
    }
    EXPECT_EQ(read, record);
    EXPECT_FALSE(reader.within_change());
  }
}

TEST(SnapshotItem, RecordWithoutAnEndIsRefused) {
  SnapshotItemReader reader;
  std::vector<std::string> items = ItemsOf(std::string(3 * kMax, 'x'));
  EXPECT_TRUE(reader.Take(AsBytes(items[0])));
  EXPECT_TRUE(reader.within_change());
  EXPECT_FALSE(reader.Take(AsBytes("record")));
}

TEST(SnapshotItem, PartThatIsNoneIsRefused) {
  SnapshotItemReader reader;
  EXPECT_FALSE(reader.Take(AsBytes("\xfe")));
  EXPECT_FALSE(reader.Take(AsBytes("\xfe\x02 beat")));
}

}  // namespace
}  // namespace meridian::session
