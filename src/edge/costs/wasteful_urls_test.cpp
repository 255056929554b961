#include "edge/costs/wasteful_urls.hpp"

#include <string>

#include <gtest/gtest.h>

#include "edge/limits.hpp"

namespace meridian::edge {
namespace {

TEST(WastefulUrls, TheMostWastefulComesFirst) {
  WastefulUrls urls;
  urls.Add("http://a/small", Waste::kNoFreshness, ContentKind::kPng, 10);
  urls.Add("http://a/large", Waste::kSetCookie, ContentKind::kPng, 5'000'000);
  urls.Add("http://a/large", Waste::kNoValidator, ContentKind::kCss, 5'000'000);
  auto most = urls.Top(10);
  ASSERT_EQ(most.size(), 2U);
  EXPECT_EQ(most[0].url, "http://a/large");
  EXPECT_EQ(most[0].wasted.requests, 2U);
  EXPECT_EQ(most[0].wasted.bytes, 10'000'000U);
  EXPECT_EQ(most[0].waste, Waste::kNoValidator);
  EXPECT_EQ(urls.Top(1).size(), 1U);
}

TEST(WastefulUrls, RequestsCountWhereNoBodyIsWasted) {
  WastefulUrls urls;
  for (int i = 0; i < 100; ++i) urls.Add("http://a/304", Waste::kShortLived, ContentKind::kPng, 0);
  urls.Add("http://a/once", Waste::kNoFreshness, ContentKind::kPng, 100);
  EXPECT_EQ(urls.Top(1).front().url, "http://a/304");
}

TEST(WastefulUrls, PastTheLimitTheLeastWastefulUrlIsReplaced) {
  WastefulUrls urls;
  urls.Add("http://a/large", Waste::kNoFreshness, ContentKind::kPng, 1'000'000'000);
  for (size_t i = 0; i < kMaxWastefulUrls; ++i) {
    urls.Add("http://a/" + std::to_string(i), Waste::kNoFreshness, ContentKind::kPng, 1);
  }
  auto all = urls.Top(2 * kMaxWastefulUrls);
  EXPECT_EQ(all.size(), kMaxWastefulUrls);
  EXPECT_EQ(all.front().url, "http://a/large");
}

TEST(WastefulUrls, AnUrlPastItsLimitIsLeftOut) {
  WastefulUrls urls;
  urls.Add(std::string(kMaxWastefulUrlBytes, 'u'), Waste::kVary, ContentKind::kPng, 1);
  EXPECT_EQ(urls.Top(10).size(), 1U);
  urls.Add(std::string(kMaxWastefulUrlBytes + 1, 'u'), Waste::kVary, ContentKind::kPng, 1);
  EXPECT_EQ(urls.Top(10).size(), 1U);
}

TEST(WastefulUrls, TheSameContentIsRecognised) {
  WastefulUrls urls;
  EXPECT_FALSE(urls.Remember(7, 1).asked);
  WastefulUrls::Before same = urls.Remember(7, 1);
  EXPECT_TRUE(same.asked && same.same);
  WastefulUrls::Before other = urls.Remember(7, 2);
  EXPECT_TRUE(other.asked && !other.same && other.changed);
  (void)urls.Remember(7, 0);
  WastefulUrls::Before unknown = urls.Remember(7, 0);
  EXPECT_TRUE(unknown.asked && !unknown.same && !unknown.changed) << "nothing tells what it holds";
}

TEST(WastefulUrls, RememberedContentsAreLimitedAndAFurtherOneOverwrites) {
  WastefulUrls urls;
  for (size_t i = 1; i <= kRememberedAnswers; ++i) EXPECT_FALSE(urls.Remember(i, 1).asked);
  for (size_t i = 1; i <= kRememberedAnswers; ++i) EXPECT_TRUE(urls.Remember(i, 1).asked);
  EXPECT_FALSE(urls.Remember(kRememberedAnswers + 1, 1).asked);
  EXPECT_FALSE(urls.Remember(1, 1).asked) << "forgotten, and not taken for the other";
}

}  // namespace
}  // namespace meridian::edge
