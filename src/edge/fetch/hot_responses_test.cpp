#include "edge/fetch/hot_responses.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "edge/cache/limits.hpp"
#include "edge/cache/message_fixture.hpp"
#include "edge/cache/storage/byte_budget.hpp"
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
                                        const wire::http::HeaderFields& fields = {},
                                        const wire::http::HeaderFields& request = {}) {
    const std::string text(bytes, 'x');
    auto body = std::make_shared<Body>(store_.budget());
    EXPECT_EQ(body->Append(AsBytes(text), bytes), bytes);
    body->Complete();
    auto response = MakeStoredResponse({.fields = fields,
                                        .request = request,
                                        .freshness = {.received = kNow, .lifetime = 60s},
                                        .received = WallTime{},
                                        .body = body},
                                       store_.budget());
    EXPECT_TRUE(store_.Store(Key(path), response, store_.mark()));
    return response;
  }
  // As the handler looks it up; tells whether the key was hot.
  bool Hit(std::string_view path, TimePoint now, const wire::http::HeaderFields& request = {}) {
    const KeyView key = Key(path);
    if (hot_.Find(key, request, now) != nullptr) return true;
    if (auto found = store_.Find(key, request).response) hot_.OnFound(key, request, found, now);
    return false;
  }
  // The response that the request gets, and is hot from then on.
  std::shared_ptr<StoredResponse> Heat(std::string_view path,
                                       const wire::http::HeaderFields& request = {}) {
    Hit(path, kNow, request);
    Hit(path, kNow, request);
    return hot_.Find(Key(path), request, kNow);
  }

  // Takes so much memory that one response must go.
  void EvictOne() {
    const uint64_t before = store_.evictions();
    ASSERT_TRUE(filler_.Add(store_.budget()->limit() - store_.budget()->used() + 1));
    ASSERT_EQ(store_.evictions(), before + 1);
  }

  MemoryStore store_{64 * kMinCacheBytes, 42, true};
  HotResponses hot_{64 * kMinCacheBytes, 2};
  std::vector<std::unique_ptr<wire::http::RequestHead>> heads_;
  Charge filler_{store_.budget()};
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
    auto handle = hot_.Find(Key("/a"), {}, kNow);
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
  EXPECT_EQ(hot_.Find(Key("/a"), {}, kNow), nullptr);
  EXPECT_TRUE(hot_.empty());
}

TEST_F(HotResponsesTest, ANewerResponseReplacesAHotOne) {
  auto old = Store("/a");
  Hit("/a", kNow);
  Hit("/a", kNow);
  auto next = Store("/a");
  EXPECT_FALSE(Hit("/a", kNow));
  Hit("/a", kNow);
  EXPECT_EQ(hot_.Find(Key("/a"), {}, kNow), next);
}

TEST_F(HotResponsesTest, AResponseIsHotUpToTheLimitOfAllHotResponsesTogether) {
  constexpr size_t kLimit = 64 * kMinCacheBytes / kHotBudgetShare / 2;
  Store("/most", kLimit * 3 / 4);
  Store("/more", kLimit / 2);
  Store("/small", 100);
  Store("/too-large", kLimit + 1);
  EXPECT_EQ(Heat("/too-large"), nullptr);
  EXPECT_NE(Heat("/most"), nullptr);
  EXPECT_EQ(Heat("/more"), nullptr);
  EXPECT_NE(Heat("/small"), nullptr);
  EXPECT_LE(hot_.bytes(), kLimit);
  hot_.DropUnused(kNow + kHotLife);
  EXPECT_EQ(hot_.bytes(), 0U);
  EXPECT_NE(Heat("/more"), nullptr);
}

TEST_F(HotResponsesTest, VariantsAreHotBesideEachOtherAndReachOnlyTheirVisitors) {
  const auto vary = Fields({{"Vary", "X-Visitor"}});
  std::map<std::string, std::shared_ptr<StoredResponse>> stored;
  for (const char* visitor : {"a", "b", "c"}) {
    stored[visitor] = Store("/a", 100, vary, Fields({{"X-Visitor", visitor}}));
  }
  for (const auto& [visitor, response] : stored) {
    EXPECT_EQ(Heat("/a", Fields({{"X-Visitor", visitor}})), response);
  }
  for (const auto& [visitor, response] : stored) {
    EXPECT_EQ(hot_.Find(Key("/a"), Fields({{"X-Visitor", visitor}}), kNow), response);
  }
  for (const auto& fields :
       {Fields({}), Fields({{"X-Visitor", ""}}), Fields({{"X-Visitor", "d"}}),
        Fields({{"X-Visitor", "A"}}), Fields({{"X-Visitor", "a"}, {"X-Visitor", "b"}}),
        Fields({{"X_Visitor", "a"}}), Fields({{"X-Visitor", "a"}, {"X_Visitor", "b"}}),
        Fields({{"X-Visitor", std::string(kMaxVariantKeyBytes + 1, 'a')}})}) {
    EXPECT_EQ(Heat("/a", fields), nullptr);
  }
}

TEST_F(HotResponsesTest, AHotVariantOfOneUrlIsNotThatOfAnother) {
  const auto vary = Fields({{"Vary", "X"}});
  const auto request = Fields({{"X", "1"}});
  Store("/a", 100, vary, request);
  EXPECT_NE(Heat("/a", request), nullptr);
  EXPECT_EQ(hot_.Find(Key("/b"), request, kNow), nullptr);
  // The same hash with another URL.
  KeyView same_hash = Key("/b");
  same_hash.hash = Key("/a").hash;
  EXPECT_EQ(hot_.Find(same_hash, request, kNow), nullptr);
}

TEST_F(HotResponsesTest, AResponseWithMoreVaryEndsTheHotOneBeforeIt) {
  const auto one = Fields({{"X", "1"}, {"Y", "1"}});
  const auto two = Fields({{"X", "1"}, {"Y", "2"}});
  Store("/a", 100, Fields({{"Vary", "X"}}), one);
  EXPECT_NE(Heat("/a", one), nullptr);
  // The origin has begun to tell visitors apart by Y.
  auto newer = Store("/a", 100, Fields({{"Vary", "X, Y"}}), two);
  EXPECT_EQ(hot_.Find(Key("/a"), two, kNow), nullptr);
  EXPECT_EQ(Heat("/a", two), newer);
}

TEST_F(HotResponsesTest, ANewerResponseThatAnswersTheSameRequestsEndsTheHotOneBeforeIt) {
  const auto vary = Fields({{"Vary", "Accept-Encoding"}, {"Content-Encoding", "gzip"}});
  const auto both = Fields({{"Accept-Encoding", "br, gzip"}});
  const auto gzip = Fields({{"Accept-Encoding", "gzip"}});
  auto older = Store("/a", 100, vary, gzip);
  EXPECT_EQ(Heat("/a", gzip), older);
  auto newer = Store("/a", 100, vary, both);
  EXPECT_EQ(hot_.Find(Key("/a"), gzip, kNow), nullptr);
  EXPECT_EQ(store_.Find(Key("/a"), gzip).response, newer);
  EXPECT_EQ(Heat("/a", both), newer);
}

TEST_F(HotResponsesTest, AVeryPopularKeyWasEvictedSoonAfterItsLastHotHit) {
  // All in one shard, so that the hand goes around these alone.
  std::vector<std::string> paths;
  for (int i = 0; paths.size() < 20; ++i) {
    const std::string path = "/" + std::to_string(i);
    if (Key(path).hash % kStoreShards == Key("/popular").hash % kStoreShards) paths.push_back(path);
  }
  const auto use_all_others = [&] {
    for (const std::string& path : paths) (void)store_.Find(Key(path), {});
  };
  Store("/popular");
  for (const std::string& path : paths) Store(path);
  EXPECT_NE(Heat("/popular"), nullptr);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(Hit("/popular", kNow));
  use_all_others();
  EvictOne();  // the hand has cleared all marks
  hot_.DropUnused(kNow + kHotLife);
  use_all_others();
  EvictOne();
  EXPECT_NE(store_.Find(Key("/popular"), {}).response, nullptr);
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
