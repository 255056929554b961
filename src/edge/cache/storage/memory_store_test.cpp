#include "edge/cache/storage/memory_store.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/message_fixture.hpp"

namespace meridian::edge {
namespace {

using namespace std::chrono_literals;
using Kind = PurgeOrder::Kind;
using wire::http::HeaderField;

constexpr TimePoint kNow{1h};

// The parameter: whether the store is that of a process with several loops.
class MemoryStoreTest : public testing::TestWithParam<bool> {
 protected:
  explicit MemoryStoreTest(size_t budget = kMinCacheBytes) : store_(budget, 42, GetParam()) {}

  std::shared_ptr<StoredResponse> Make(std::string_view text,
                                       const wire::http::HeaderFields& fields = {},
                                       const wire::http::HeaderFields& request = {}) {
    auto body = std::make_shared<Body>(store_.budget());
    if (body->Append(AsBytes(text), text.size()) != text.size()) return nullptr;
    body->Complete();
    return MakeStoredResponse({.fields = fields,
                               .request = request,
                               .freshness = {.received = kNow, .lifetime = 60s},
                               .received = WallTime{},
                               .body = body},
                              store_.budget());
  }
  bool Store(std::string_view path, std::shared_ptr<StoredResponse> response) {
    wire::http::RequestHead head = Get(path);
    KeyView key = *MakeKey(head, false, "", store_.seed());
    return response != nullptr && store_.Store(key, std::move(response), store_.mark());
  }
  bool Store(std::string_view path, std::string_view text,
             const wire::http::HeaderFields& fields = {},
             const wire::http::HeaderFields& request = {}) {
    return Store(path, Make(text, fields, request));
  }
  std::string Find(std::string_view path, std::initializer_list<HeaderField> fields = {}) {
    wire::http::RequestHead head = Get(path, fields);
    auto found = store_.Find(*MakeKey(head, false, "", store_.seed()), head.fields);
    if (found.response == nullptr) return found.has_url ? "other variants" : "none";
    return std::string(AsText(found.response->body->At(0)));
  }
  size_t Purge(Kind kind, std::string value, bool soft = false) {
    return store_.Purge({.kind = kind, .value = std::move(value), .soft = soft}, kNow + 10s);
  }

  MemoryStore store_;
};

TEST_P(MemoryStoreTest, FindsTheNewestStoredResponse) {
  EXPECT_EQ(Find("/a"), "none");
  EXPECT_TRUE(Store("/a", "one"));
  EXPECT_EQ(Find("/a"), "one");
  EXPECT_TRUE(Store("/a", "two"));
  EXPECT_EQ(Find("/a"), "two");
  EXPECT_EQ(store_.objects(), 1U);
  EXPECT_EQ(Find("/a?"), "none");
}

TEST_P(MemoryStoreTest, GivesARequestTheVariantThatItsFieldsSelect) {
  auto vary = Fields({{"Vary", "Accept-Language"}});
  Store("/a", "hello", vary, Fields({{"Accept-Language", "en"}}));
  Store("/a", "hallo", vary, Fields({{"Accept-Language", "de"}}));
  EXPECT_EQ(Find("/a", {{"Accept-Language", "en;q=0.9"}}), "hello");
  EXPECT_EQ(Find("/a", {{"Accept-Language", "de"}}), "hallo");
  EXPECT_EQ(Find("/a", {{"Accept-Language", "fr"}}), "other variants");
  EXPECT_EQ(Find("/a"), "other variants");
}

TEST_P(MemoryStoreTest, KeepsSixtyFourVariantsAndDropsTheOldestForOneMore) {
  auto vary = Fields({{"Vary", "X"}});
  for (size_t i = 0; i <= kMaxVariants; ++i) {
    std::string value = std::to_string(i);
    EXPECT_TRUE(Store("/a", value, vary, Fields({{"X", value}})));
    EXPECT_EQ(store_.objects(), std::min(i + 1, kMaxVariants));
  }
  EXPECT_EQ(Find("/a", {{"X", "0"}}), "other variants");
  EXPECT_EQ(Find("/a", {{"X", "1"}}), "1");
}

TEST_P(MemoryStoreTest, PurgesByUrlEveryVariantOnEverySchemeAndPort) {
  auto vary = Fields({{"Vary", "X"}});
  Store("/a?b", "1", vary, Fields({{"X", "1"}}));
  Store("/a?b", "2", vary, Fields({{"X", "2"}}));
  Store("/a", "3");
  EXPECT_EQ(Purge(Kind::kUrl, "https://PHOTOS.example:8443/a?b"), 2U);
  EXPECT_EQ(Find("/a?b", {{"X", "1"}}), "none");
  EXPECT_EQ(Find("/a"), "3");
  EXPECT_EQ(Purge(Kind::kUrl, "/a"), 1U);
  EXPECT_EQ(Purge(Kind::kUrl, "http://other.example/a"), 0U);
}

TEST_P(MemoryStoreTest, PurgesByPrefix) {
  Store("/img/1", "1");
  Store("/img/2", "2");
  Store("/im", "3");
  EXPECT_EQ(Purge(Kind::kPrefix, "http://photos.example/img/"), 2U);
  EXPECT_EQ(Find("/im"), "3");
  EXPECT_EQ(Purge(Kind::kPrefix, "photos.exampl"), 1U);
}

TEST_P(MemoryStoreTest, PurgesByTagOfEitherField) {
  Store("/1", "1", Fields({{"Surrogate-Key", "a b"}}));
  Store("/2", "2", Fields({{"Cache-Tag", "b, c d"}}));
  Store("/3", "3");
  EXPECT_EQ(Purge(Kind::kTag, "c"), 0U);
  EXPECT_EQ(Purge(Kind::kTag, ""), 0U);
  EXPECT_EQ(Purge(Kind::kTag, "c d"), 1U);
  EXPECT_EQ(Purge(Kind::kTag, "b"), 1U);
  EXPECT_EQ(Find("/1"), "none");
  EXPECT_EQ(Find("/3"), "3");
}

TEST_P(MemoryStoreTest, ASoftPurgeMakesStaleAndKeeps) {
  Store("/a", "1", Fields({{"Cache-Tag", "t"}}));
  EXPECT_EQ(Purge(Kind::kTag, "t", true), 1U);
  wire::http::RequestHead head = Get("/a");
  auto found = store_.Find(*MakeKey(head, false, "", store_.seed()), head.fields);
  ASSERT_NE(found.response, nullptr);
  EXPECT_LE(found.response->freshness.Left(kNow + 10s), Duration::zero());
  EXPECT_LE(found.response->freshness.Left(kNow + 10s - 8ms), Duration::zero()) << "another loop";
  EXPECT_EQ(Purge(Kind::kTag, "t", true), 0U);
}

TEST_P(MemoryStoreTest, AResponseRequestedBeforeAPurgeIsNotStored) {
  wire::http::RequestHead head = Get("/a");
  KeyView key = *MakeKey(head, false, "", store_.seed());
  for (auto [kind, value] :
       {std::pair(Kind::kUrl, "/a"), std::pair(Kind::kPrefix, "/"), std::pair(Kind::kTag, "t")}) {
    uint64_t mark = store_.mark();
    Purge(kind, value);
    EXPECT_TRUE(store_.MayForbid(mark, KeyText(key)));
    EXPECT_FALSE(store_.Store(key, Make("old", Fields({{"Cache-Tag", "t"}})), mark)) << value;
    EXPECT_TRUE(store_.Store(key, Make("new", Fields({{"Cache-Tag", "t"}})), store_.mark()));
  }
  uint64_t mark = store_.mark();
  Purge(Kind::kUrl, "/b");
  EXPECT_FALSE(store_.MayForbid(mark, KeyText(key)));
  Purge(Kind::kTag, "u");
  EXPECT_TRUE(store_.MayForbid(mark, KeyText(key)));
  EXPECT_TRUE(store_.Store(key, Make("new"), mark));
  store_.DropAll();
  EXPECT_FALSE(store_.Store(key, Make("old"), mark));
  EXPECT_EQ(store_.objects(), 0U);
}

TEST_P(MemoryStoreTest, AFetchThatIsOlderThanAllRememberedPurgesIsNotStored) {
  wire::http::RequestHead head = Get("/a");
  KeyView key = *MakeKey(head, false, "", store_.seed());
  uint64_t mark = store_.mark();
  for (size_t i = 0; i < kMaxRememberedPurges; ++i) Purge(Kind::kUrl, "/" + std::to_string(i));
  EXPECT_TRUE(store_.Store(key, Make("1"), mark));
  Purge(Kind::kUrl, "/x");
  EXPECT_FALSE(store_.Store(key, Make("2"), mark));
}

TEST_P(MemoryStoreTest, APurgeOfAnEscapeInOtherDigitsMissedWhatWasStored) {
  for (std::string_view stored : {"/caf%C3%A9", "/caf%c3%a9", "/caf%C3%a9?q=%2F"}) {
    for (const char* purged : {"http://photos.example/caf%c3%A9", "/caf%C3%A9"}) {
      const bool with_query = stored.contains('?');
      EXPECT_TRUE(Store(stored, "1"));
      EXPECT_EQ(Purge(Kind::kUrl, std::string(purged) + (with_query ? "?q=%2f" : "")), 1U)
          << stored;
      EXPECT_TRUE(Store(stored, "1"));
      EXPECT_EQ(Purge(Kind::kPrefix, purged), 1U) << stored;
    }
  }
  EXPECT_TRUE(Store("/ab%20c", "1"));
  for (const char* other : {"/aB%20c", "/ab%20C", "/ab%20cd", "/ab%2"}) {
    EXPECT_EQ(Purge(Kind::kUrl, other), 0U) << other;
  }
}

TEST_P(MemoryStoreTest, AValidationWithoutCookiesKeepsByCookie) {
  auto hers = Make("hers", {}, Fields({{"Cookie", "a=1"}}));
  EXPECT_TRUE(hers->by_cookie);
  auto confirm = [&](const StoredResponse& stored, const char* control) {
    return MakeStoredResponse(
        {.fields = {},
         .request = {},
         .control = wire::http::ParseCacheControl(Fields({{"Cache-Control", control}})),
         .received = WallTime{},
         .body = stored.body,
         .confirms = &stored},
        store_.budget());
  };
  auto confirmed = confirm(*hers, "max-age=0");
  EXPECT_TRUE(confirmed->by_cookie);
  EXPECT_TRUE(confirm(*confirmed, "public")->by_cookie);
  EXPECT_FALSE(confirm(*Make("all"), "max-age=0")->by_cookie);
}

TEST_P(MemoryStoreTest, AResponseThatIsStoredBeforeThePurgeTakesItsFirstStepStays) {
  for (auto [kind, value] :
       {std::pair(Kind::kUrl, "/new"), std::pair(Kind::kPrefix, "/"), std::pair(Kind::kTag, "t")}) {
    EXPECT_TRUE(Store("/old", "1", Fields({{"Cache-Tag", "t"}})));
    MemoryStore::Sweep sweep = store_.BeginPurge({.kind = kind, .value = value});
    EXPECT_TRUE(Store("/new", "2", Fields({{"Cache-Tag", "t"}})));
    while (sweep.Step(kNow)) {
    }
    EXPECT_EQ(Find("/new"), "2") << value;
  }
}

class SweepTest : public MemoryStoreTest {
 protected:
  static constexpr size_t kObjects = 3 * kSweepRemovals;
  SweepTest() : MemoryStoreTest(64 * kMinCacheBytes) {
    for (size_t i = 0; i < kObjects; ++i) {
      EXPECT_TRUE(Store("/" + std::to_string(i), "1", Fields({{"Cache-Tag", "t"}})));
    }
  }

  // Runs all slices, each of which must be small; responses stored between them stay.
  size_t StepThrough(MemoryStore::Sweep sweep) {
    size_t slices = 1;
    size_t before = 0;
    while (sweep.Step(kNow)) {
      EXPECT_LE(sweep.purged() - before, kSweepRemovals + kMaxVariants);
      before = sweep.purged();
      EXPECT_TRUE(Store("/later/" + std::to_string(slices++), "2", Fields({{"Cache-Tag", "t"}})));
    }
    EXPECT_GE(slices, 3U);
    EXPECT_EQ(store_.objects(), slices - 1) << "those of later, and no others";
    return sweep.purged();
  }
};

TEST_P(SweepTest, APurgeByPrefixWalkedTheWholeStoreInOneIteration) {
  EXPECT_EQ(StepThrough(store_.BeginPurge({.kind = Kind::kPrefix, .value = "/"})), kObjects);
}

TEST_P(SweepTest, APurgeByATagOfManyWalkedAllOfThemInOneIteration) {
  EXPECT_EQ(StepThrough(store_.BeginPurge({.kind = Kind::kTag, .value = "t"})), kObjects);
}

TEST_P(SweepTest, ADropOfEverythingWalkedTheWholeStoreInOneIteration) {
  EXPECT_EQ(StepThrough(store_.BeginDrop()), kObjects);
}

TEST_P(SweepTest, AFetchThatIsOlderThanASweepIsNotStoredWhileItGoesOn) {
  wire::http::RequestHead head = Get("/9");
  KeyView key = *MakeKey(head, false, "", store_.seed());
  const uint64_t mark = store_.mark();
  MemoryStore::Sweep sweep = store_.BeginPurge({.kind = Kind::kPrefix, .value = "/"});
  EXPECT_TRUE(sweep.Step(kNow));
  EXPECT_FALSE(store_.Store(key, Make("old"), mark));
}

TEST_P(MemoryStoreTest, APurgeThatIsTooLongMatchesNothing) {
  EXPECT_EQ(Purge(Kind::kPrefix, "/" + std::string(kMaxPurgeBytes, 'a')), 0U);
  EXPECT_EQ(store_.mark(), 0U);
}

TEST_P(MemoryStoreTest, AResponseThatIsHitOutlivesAScan) {
  Store("/kept", std::string(1000, 'k'));
  for (int i = 0; i < 5000; ++i) {
    EXPECT_TRUE(Store("/scan/" + std::to_string(i), std::string(1000, 's')));
    ASSERT_NE(Find("/kept"), "none");
  }
  EXPECT_GT(store_.evictions(), 1000U);
  EXPECT_LE(store_.budget()->used(), store_.budget()->limit());
}

TEST_P(MemoryStoreTest, AResponseInUseStaysChargedAndIsNotEvicted) {
  std::vector<std::shared_ptr<StoredResponse>> readers;
  for (int i = 0;; ++i) {
    auto response = Make(std::string(20'000, 'r'));
    if (response == nullptr || !Store("/" + std::to_string(i), response)) break;
    readers.push_back(std::move(response));
  }
  EXPECT_GT(readers.size(), 30U);
  EXPECT_EQ(store_.objects(), readers.size());
  EXPECT_FALSE(Store("/more", std::string(20'000, 'm')));
  EXPECT_EQ(Purge(Kind::kPrefix, "/"), readers.size());
  size_t pinned = store_.budget()->used();
  EXPECT_GT(pinned, readers.size() * 20'000);
  readers.clear();
  EXPECT_LT(store_.budget()->used(), pinned - 30 * 20'000);
}

// After random operations the charged bytes are the memory in use, and within the budget.
class MemoryStoreAccounting : public MemoryStoreTest {
 protected:
  MemoryStoreAccounting() : MemoryStoreTest(kMinCacheBytes) {}

  void Act(Random& random) {
    std::string path = "/" + std::to_string(random.Below(40));
    switch (random.Below(12)) {
      case 0:
        Purge(Kind::kUrl, path, random.Chance(0.3));
        break;
      case 1:
        Purge(Kind::kTag, "t" + std::to_string(random.Below(9)), random.Chance(0.3));
        break;
      case 2:
        Purge(Kind::kPrefix, path.substr(0, 2));
        break;
      case 3:
        if (random.Chance(0.05)) store_.DropAll();
        break;
      case 4:
        Hold(path);
        break;
      case 5:
        if (!held_.empty()) held_.erase(held_.begin());
        break;
      default:
        StoreSomething(path, random);
    }
  }

  void StoreSomething(const std::string& path, Random& random) {
    wire::http::HeaderFields fields = Fields({{"Vary", random.Chance(0.5) ? "X" : ""}});
    std::string tags;
    for (uint64_t i = random.Below(4); i > 0; --i)
      tags += "t" + std::to_string(random.Below(9)) + " ";
    fields.Add("Surrogate-Key", tags);
    std::string variant = std::to_string(random.Below(80));
    auto response = Make(std::string(random.Below(30'000), 'x'), fields, Fields({{"X", variant}}));
    if (response == nullptr) return;
    all_.push_back(response);
    Store(path, std::move(response));
  }

  void Hold(const std::string& path) {
    wire::http::RequestHead head = Get(path, {{"X", "1"}});
    auto found = store_.Find(*MakeKey(head, false, "", store_.seed()), head.fields);
    if (found.response != nullptr) held_.push_back(std::move(found.response));
  }

  // Compares the charged bytes with the memory of all live responses and the index.
  void ExpectTruth() {
    size_t charged = store_.AuditIndex();
    size_t truth = store_.AuditIndex();
    std::erase_if(all_, [](const auto& weak) { return weak.expired(); });
    for (const auto& weak : all_) {
      auto response = weak.lock();
      charged += response->charge.bytes() + response->body->cost();
      truth += response->MemoryBytes() + response->body->MemoryBytes();
    }
    ASSERT_EQ(store_.budget()->used(), charged);
    ASSERT_LE(truth, charged);
    ASSERT_LE(charged, store_.budget()->limit());
  }

  std::vector<std::weak_ptr<StoredResponse>> all_;
  std::vector<std::shared_ptr<StoredResponse>> held_;
};

TEST_P(MemoryStoreAccounting, IsExactAndWithinTheBudgetAfterAnySequence) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    for (int step = 0; step < 400; ++step) {
      Act(random);
      ASSERT_NO_FATAL_FAILURE(ExpectTruth()) << "seed " << seed << ", step " << step;
    }
  }
  held_.clear();
  store_.DropAll();
  ASSERT_NO_FATAL_FAILURE(ExpectTruth());
  EXPECT_TRUE(all_.empty());
}

INSTANTIATE_TEST_SUITE_P(Loops, MemoryStoreTest, testing::Bool());
INSTANTIATE_TEST_SUITE_P(Loops, SweepTest, testing::Bool());
INSTANTIATE_TEST_SUITE_P(Loops, MemoryStoreAccounting, testing::Bool());

}  // namespace
}  // namespace meridian::edge
