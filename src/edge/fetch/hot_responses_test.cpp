#include "edge/fetch/hot_responses.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "edge/cache/limits.hpp"
#include "edge/cache/message_fixture.hpp"
#include "edge/cache/storage/memory_store.hpp"

namespace meridian::edge {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1h};

class HotResponsesTest : public testing::Test {
 protected:
  KeyView Key(std::string_view path) {
    heads_.push_back(std::make_unique<wire::http::RequestHead>(Get(path)));
    return *MakeKey(*heads_.back(), false, "", store_.seed());
  }
  std::shared_ptr<StoredResponse> Store(std::string_view path, size_t bytes = 100,
                                        const wire::http::HeaderFields& fields = {}) {
    const std::string text(bytes, 'x');
    auto body = std::make_shared<Body>(store_.budget());
    EXPECT_EQ(body->Append(AsBytes(text), bytes), bytes);
    body->Complete();
    auto response = MakeStoredResponse({.fields = fields,
                                        .request = {},
                                        .freshness = {.received = kNow, .lifetime = 60s},
                                        .received = WallTime{},
                                        .body = body},
                                       store_.budget());
    EXPECT_TRUE(store_.Store(Key(path), response, store_.mark()));
    return response;
  }
  // As the handler looks it up; tells whether the key was hot.
  bool Hit(std::string_view path, TimePoint now) {
    const KeyView key = Key(path);
    if (hot_.Find(key, now) != nullptr) return true;
    if (auto found = store_.Find(key, {}).response) hot_.OnFound(key, found, now);
    return false;
  }

  MemoryStore store_{64 * kMinCacheBytes, 42, true};
  HotResponses hot_{64 * kMinCacheBytes, 2};
  std::vector<std::unique_ptr<wire::http::RequestHead>> heads_;
};

TEST_F(HotResponsesTest, AKeyIsHotFromItsThirdHitOn) {
  Store("/a");
  EXPECT_FALSE(Hit("/a", kNow));
  EXPECT_FALSE(Hit("/a", kNow + 1ms));
  EXPECT_TRUE(Hit("/a", kNow + 2ms));
  EXPECT_FALSE(Hit("/b", kNow + 2ms));
}

TEST_F(HotResponsesTest, HitsOfAHotKeyLeaveTheSharedCountOfReferencesAlone) {
  auto response = Store("/a");
  Hit("/a", kNow);
  Hit("/a", kNow);
  const long before = response.use_count();
  for (int i = 0; i < 1000; ++i) {
    auto handle = hot_.Find(Key("/a"), kNow);
    ASSERT_EQ(handle.get(), response.get());
    EXPECT_EQ(response.use_count(), before);
    EXPECT_GE(handle.use_count(), 2) << "the loop's own count";
  }
}

TEST_F(HotResponsesTest, TwoRareHitsMakeNoKeyHot) {
  Store("/a");
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(Hit("/a", kNow + i * kHotLife));
  EXPECT_TRUE(hot_.empty());
}

TEST_F(HotResponsesTest, AKeyThatIsNotUsedIsDroppedAndItsResponseFreed) {
  std::weak_ptr<StoredResponse> response = Store("/a");
  Hit("/a", kNow);
  Hit("/a", kNow);
  hot_.DropUnused(kNow + kHotLife / 2);
  EXPECT_TRUE(Hit("/a", kNow + kHotLife / 2));
  hot_.DropUnused(kNow + kHotLife);
  EXPECT_FALSE(hot_.empty());
  hot_.DropUnused(kNow + 2 * kHotLife);
  EXPECT_TRUE(hot_.empty());
  store_.DropAll();
  EXPECT_TRUE(response.expired());
}

TEST_F(HotResponsesTest, AResponseThatAnotherThreadPurgesIsHotNoMore) {
  Store("/a");
  Hit("/a", kNow);
  Hit("/a", kNow);
  ASSERT_TRUE(Hit("/a", kNow));
  std::thread([&] {
    (void)store_.Purge({.kind = PurgeOrder::kPrefix, .value = "/"}, kNow);
  }).join();
  EXPECT_EQ(hot_.Find(Key("/a"), kNow), nullptr);
  EXPECT_TRUE(hot_.empty());
}

TEST_F(HotResponsesTest, ANewerResponseReplacesAHotOne) {
  auto old = Store("/a");
  Hit("/a", kNow);
  Hit("/a", kNow);
  auto next = Store("/a");
  EXPECT_FALSE(Hit("/a", kNow));
  Hit("/a", kNow);
  EXPECT_EQ(hot_.Find(Key("/a"), kNow), next);
}

TEST_F(HotResponsesTest, LargeResponsesAndVariantsAreNeverHot) {
  Store("/large", 64 * kMinCacheBytes / kHotBudgetShare / kMaxHotResponses / 2);
  Store("/vary", 1, Fields({{"Vary", "X"}}));
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(Hit("/large", kNow));
    EXPECT_FALSE(Hit("/vary", kNow));
  }
}

TEST_F(HotResponsesTest, ManyKeysHoldAtMostTheLimit) {
  std::vector<std::string> paths;
  for (size_t i = 0; i < 4 * kMaxHotResponses; ++i) {
    paths.push_back("/" + std::to_string(i));
    Store(paths.back());
  }
  size_t hot = 0;
  for (const std::string& path : paths) {
    Hit(path, kNow);
    Hit(path, kNow);
    if (Hit(path, kNow)) ++hot;
  }
  EXPECT_GT(hot, kMaxHotResponses / 2);
  EXPECT_LE(hot, kMaxHotResponses);
}

}  // namespace
}  // namespace meridian::edge
