#include "edge/cache/storage/versioned_response.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/message_fixture.hpp"
#include "edge/cache/storage/body.hpp"
#include "edge/cache/storage/memory_store.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1h};
constexpr std::string_view kVersion = "0123456789abcdef0123456789abcdef";

class VersionedResponseTest : public testing::Test {
 protected:
  std::shared_ptr<StoredResponse> Plain(const wire::http::HeaderFields& fields,
                                        std::string_view text = "content") {
    auto body = std::make_shared<Body>(store_.budget());
    EXPECT_EQ(body->Append(AsBytes(text), text.size()), text.size());
    body->Complete();
    return MakeStoredResponse({.fields = fields,
                               .request = {},
                               .freshness = {.received = kNow - 50s, .lifetime = 60s},
                               .received = WallTime{},
                               .body = body},
                              store_.budget());
  }
  static std::shared_ptr<StoredResponse> Version(const StoredResponse& plain) {
    return MakeVersionedResponse(
        {.plain = plain, .version = kVersion, .lifetime = 1h, .now = kNow});
  }
  bool Store(std::string_view path, std::shared_ptr<StoredResponse> response) {
    wire::http::RequestHead head = Get(path);
    return store_.Store(*MakeKey(head, false, "", store_.seed()), std::move(response),
                        store_.mark());
  }
  bool Has(std::string_view path) {
    wire::http::RequestHead head = Get(path);
    return store_.Find(*MakeKey(head, false, "", store_.seed()), {}).response != nullptr;
  }
  size_t PurgeTag(std::string tag) {
    return store_.Purge({.kind = PurgeOrder::kTag, .value = std::move(tag)}, kNow);
  }

  MemoryStore store_{kMinCacheBytes, 42};
};

TEST_F(VersionedResponseTest, IsImmutableAndHasItsVersionAsETag) {
  auto plain = Plain(Fields({{"Content-Type", "image/png"},
                             {"Cache-Control", "max-age=60, must-revalidate"},
                             {"CDN-Cache-Control", "max-age=10"},
                             {"Expires", "Sat, 21 Nov 2020 10:00:00 GMT"},
                             {"ETag", "W/\"of-this-data-center\""},
                             {"Last-Modified", "Sat, 21 Nov 2020 10:00:00 GMT"}}));
  auto version = Version(*plain);
  wire::http::HeaderFields fields = version->ParseLines();
  EXPECT_EQ(fields.Find("Cache-Control"), "public, max-age=3600, immutable");
  EXPECT_EQ(fields.Find("ETag"), "\"" + std::string(kVersion) + "\"");
  EXPECT_EQ(fields.Find("Content-Type"), "image/png");
  EXPECT_EQ(version->content_type, "image/png");
  for (const char* gone : {"CDN-Cache-Control", "Expires", "Last-Modified"}) {
    EXPECT_FALSE(fields.Has(gone)) << gone;
  }
  EXPECT_EQ(version->freshness.Left(kNow), 1h);
}

TEST_F(VersionedResponseTest, IsTheSameForAllVisitors) {
  auto plain = Plain(Fields({{"Vary", "Accept-Encoding, Cookie"}, {"Set-Cookie", "sid=1"}}));
  auto version = Version(*plain);
  EXPECT_FALSE(version->ParseLines().Has("Set-Cookie"));
  EXPECT_FALSE(version->ParseLines().Has("Vary"));
  EXPECT_TRUE(version->vary.empty());
}

TEST_F(VersionedResponseTest, SharesTheBodyAndOutlivesThePlainPathsEntry) {
  auto plain = Plain(Fields({{"Surrogate-Key", "images"}}));
  auto version = Version(*plain);
  EXPECT_EQ(version->body, plain->body);
  ASSERT_TRUE(Store("/a", std::move(plain)));
  ASSERT_TRUE(Store("/v/a", std::move(version)));
  (void)store_.Purge({.kind = PurgeOrder::kUrl, .value = "/a"}, kNow);
  EXPECT_FALSE(Has("/a"));
  EXPECT_TRUE(Has("/v/a"));
  EXPECT_EQ(PurgeTag("images"), 1U);
  EXPECT_FALSE(Has("/v/a"));
}

TEST_F(VersionedResponseTest, APurgeByTagTakesBoth) {
  auto plain = Plain(Fields({{"Surrogate-Key", "images new"}}));
  ASSERT_TRUE(Store("/v/a", Version(*plain)));
  ASSERT_TRUE(Store("/a", std::move(plain)));
  EXPECT_EQ(PurgeTag("new"), 2U);
  EXPECT_EQ(store_.objects(), 0U);
}

TEST_F(VersionedResponseTest, ABodyOfTwoEntriesIsNoReasonNotToEvictThem) {
  const std::string large(200'000, 'x');
  for (int i = 0; i < 20; ++i) {
    auto plain = Plain({}, large);
    ASSERT_NE(plain, nullptr) << i;
    ASSERT_TRUE(Store("/v/" + std::to_string(i), Version(*plain)));
    ASSERT_TRUE(Store("/" + std::to_string(i), std::move(plain)));
  }
  EXPECT_TRUE(Has("/19"));
  EXPECT_TRUE(Has("/v/19"));
  EXPECT_FALSE(Has("/0"));
  EXPECT_FALSE(Has("/v/0"));
  EXPECT_LE(store_.budget()->used(), store_.budget()->limit());
}

TEST_F(VersionedResponseTest, IsNotMadeWhereThereIsNoRoom) {
  auto plain = Plain(Fields({{"X-Long", "value"}}));
  Charge all(store_.budget());
  ASSERT_TRUE(all.Add(store_.budget()->limit() - store_.budget()->used()));
  EXPECT_EQ(Version(*plain), nullptr);
}

}  // namespace
}  // namespace meridian::edge
