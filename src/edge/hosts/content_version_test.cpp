#include "edge/hosts/content_version.hpp"

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "edge/cache/storage/body.hpp"
#include "edge/cache/storage/byte_budget.hpp"

namespace meridian::edge {
namespace {

constexpr size_t kBudget = size_t{1} << 20;

std::string VersionOf(std::string_view text, size_t piece) {
  Body body(std::make_shared<ByteBudget>(kBudget));
  for (size_t at = 0; at < text.size(); at += piece) {
    Bytes bytes = AsBytes(text.substr(at, piece));
    EXPECT_EQ(body.Append(bytes, 0), bytes.size());
  }
  body.Complete();
  EXPECT_EQ(ContentVersion(body), ContentVersion(body));
  return ContentVersion(body);
}

// `printf abc | sha256sum | cut -c 1-32`, and so on.
TEST(ContentVersionTest, IsTheBeginningOfTheSha256) {
  EXPECT_EQ(VersionOf("", 1), "e3b0c44298fc1c149afbf4c8996fb924");
  EXPECT_EQ(VersionOf("abc", 3), "ba7816bf8f01cfea414140de5dae2223");
}

TEST(ContentVersionTest, IsOfAllChunks) {
  const std::string text(300'000, 'x');
  EXPECT_EQ(VersionOf(text, 300'000), VersionOf(text, 1000));
  EXPECT_NE(VersionOf(text, 300'000), VersionOf(text.substr(1), 300'000));
}

}  // namespace
}  // namespace meridian::edge
