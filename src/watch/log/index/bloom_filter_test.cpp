#include "watch/log/index/bloom_filter.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "watch/log/limits.hpp"

namespace meridian::watch {
namespace {

TEST(BloomFilter, ContainsWhatWasAddedAndLittleElse) {
  Random random(1);
  BloomBuilder builder;
  std::vector<uint64_t> hashes;
  for (int i = 0; i < 5000; ++i) hashes.push_back(random.Next());
  for (uint64_t hash : hashes) builder.Add(hash);
  for (uint64_t hash : hashes) builder.Add(hash);  // again: it is no longer for that
  std::string filter = builder.Take();
  EXPECT_EQ(filter.size(), 6250);
  for (uint64_t hash : hashes) EXPECT_TRUE(MayContain(filter, hash));
  int wrong = 0;
  for (int i = 0; i < 10'000; ++i) wrong += MayContain(filter, random.Next()) ? 1 : 0;
  EXPECT_LT(wrong, 200);
}

TEST(BloomFilter, OfNothingContainsNothing) {
  BloomBuilder builder;
  EXPECT_FALSE(MayContain(builder.Take(), 7));
  builder.Add(0);
  EXPECT_TRUE(MayContain(builder.Take(), 0));
  EXPECT_FALSE(MayContain(builder.Take(), 0));
}

TEST(BloomFilter, KeepsItsLimitAndIsRightBeyond) {
  Random random(2);
  BloomBuilder builder;
  std::vector<uint64_t> hashes;
  for (int i = 0; i < 100'000; ++i) builder.Add(hashes.emplace_back(random.Next()));
  std::string filter = builder.Take();
  EXPECT_EQ(filter.size(), kMaxBloomBytes);
  for (uint64_t hash : hashes) ASSERT_TRUE(MayContain(filter, hash));
}

TEST(BloomFilter, KindsAreToldApart) {
  EXPECT_NE(BloomHash(BloomKind::kTier, "edge"), BloomHash(BloomKind::kToken, "edge"));
}

}  // namespace
}  // namespace meridian::watch
