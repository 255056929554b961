// The store with real threads; run it under the thread sanitizer.
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/message_fixture.hpp"
#include "edge/cache/storage/memory_store.hpp"

namespace meridian::edge {
namespace {

using namespace std::chrono_literals;
using Kind = PurgeOrder::Kind;

constexpr TimePoint kNow{1h};
constexpr int kThreads = 4;
constexpr int kSteps = 3000;
constexpr uint64_t kPaths = 200;

class MemoryStoreThreads : public testing::Test {
 protected:
  // A response whose text is its path and the number of the purge that it comes after.
  std::shared_ptr<StoredResponse> Make(const std::string& path, uint64_t version, size_t bytes) {
    const std::string text = path + " " + std::to_string(version) + " " + std::string(bytes, 'x');
    auto body = std::make_shared<Body>(store_.budget());
    if (body->Append(AsBytes(text), text.size()) != text.size()) return nullptr;
    body->Complete();
    return MakeStoredResponse({.fields = Fields({{"Cache-Tag", "tag" + path.substr(1, 1)}}),
                               .request = {},
                               .freshness = {.received = kNow, .lifetime = 60s},
                               .received = WallTime{},
                               .body = body},
                              store_.budget());
  }
  std::shared_ptr<StoredResponse> Find(const std::string& path) {
    wire::http::RequestHead head = Get(path);
    return store_.Find(*MakeKey(head, false, "", store_.seed()), head.fields).response;
  }
  bool Store(const std::string& path, std::shared_ptr<StoredResponse> response, uint64_t mark) {
    wire::http::RequestHead head = Get(path);
    return response != nullptr &&
           store_.Store(*MakeKey(head, false, "", store_.seed()), std::move(response), mark);
  }
  static std::string RandomPath(Random& random) {
    return "/" + std::to_string(random.Below(kPaths));
  }
  static void OnThreads(const std::function<void(uint64_t seed)>& run) {
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < kThreads; ++i) threads.emplace_back(run, i + 1);
    for (std::thread& thread : threads) thread.join();
  }
  void ExpectOnlyTheIndexIsCharged() {
    store_.DropAll();
    EXPECT_EQ(store_.objects(), 0U);
    EXPECT_EQ(store_.budget()->used(), store_.AuditIndex());
  }

  MemoryStore store_{4 * kMinCacheBytes, 42, true};
};

TEST_F(MemoryStoreThreads, HitsStoresPurgesAndEvictionsKeepTheBudget) {
  std::atomic<uint64_t> hits = 0;
  OnThreads([&](uint64_t seed) {
    Random random(seed);
    std::vector<std::shared_ptr<StoredResponse>> held;
    for (int step = 0; step < kSteps; ++step) {
      const std::string path = RandomPath(random);
      const uint64_t dice = random.Below(100);
      if (dice == 0) {
        (void)store_.Purge({.kind = Kind::kUrl, .value = path, .soft = random.Chance(0.3)}, kNow);
      } else if (dice == 1 && random.Chance(0.2)) {
        (void)store_.Purge({.kind = Kind::kTag, .value = "tag" + path.substr(1, 1)}, kNow);
      } else if (dice == 2 && random.Chance(0.1)) {
        (void)store_.Purge({.kind = Kind::kPrefix, .value = "/1"}, kNow);
      } else if (dice < 8) {
        if (!held.empty()) held.erase(held.begin());
      } else if (dice < 40) {
        Store(path, Make(path, 0, random.Below(60'000)), store_.mark());
      } else if (auto found = Find(path)) {
        ++hits;
        // Bytes of another response, or of freed memory, would not begin with the path.
        EXPECT_TRUE(AsText(found->body->At(0)).starts_with(path + " "));
        if (random.Chance(0.05)) held.push_back(std::move(found));
      }
      EXPECT_LE(store_.budget()->used(), store_.budget()->limit());
    }
  });
  EXPECT_GT(hits, 0U);
  EXPECT_GT(store_.evictions(), 0U);
  ExpectOnlyTheIndexIsCharged();
}

// Each response carries the number of purges that had begun when it was requested. Once a purge is
// over, a hit that begins later must not be older.
TEST_F(MemoryStoreThreads, WhatAPurgeHasRemovedIsNeverFoundAfterIt) {
  std::atomic<uint64_t> begun = 0;   // purges
  std::atomic<uint64_t> purged = 0;  // purges that are over
  std::atomic<bool> done = false;
  std::thread purging([&] {
    while (!done) {
      const uint64_t next = ++begun;
      switch (next % 3) {
        case 0:
          (void)store_.Purge({.kind = Kind::kPrefix, .value = "/"}, kNow);
          break;
        case 1:
          for (int digit = 0; digit < 10; ++digit) {
            (void)store_.Purge({.kind = Kind::kTag, .value = "tag" + std::to_string(digit)}, kNow);
          }
          break;
        default:
          store_.DropAll();
      }
      purged = next;
    }
  });
  OnThreads([&](uint64_t seed) {
    Random random(seed);
    for (int step = 0; step < kSteps; ++step) {
      const std::string path = RandomPath(random);
      const uint64_t over = purged;
      if (auto found = Find(path)) {
        const std::string_view text = AsText(found->body->At(0));
        const std::string_view number =
            text.substr(path.size() + 1, text.rfind(' ') - path.size() - 1);
        uint64_t version = 0;
        std::from_chars(number.data(), number.data() + number.size(), version);
        EXPECT_GE(version, over) << path;
        continue;
      }
      const uint64_t mark = store_.mark();
      const uint64_t version = begun;
      Store(path, Make(path, version, random.Below(2000)), mark);
    }
  });
  done = true;
  purging.join();
  EXPECT_GT(purged, 3U);
  ExpectOnlyTheIndexIsCharged();
}

// An unsafe request sets the flag and then removes the key.
TEST_F(MemoryStoreThreads, AResponseThatWasForbiddenWhileItWasStoredIsGone) {
  for (int round = 0; round < 100; ++round) {
    std::atomic<bool> forbidden = false;
    std::latch both(2);
    const std::string path = "/a";
    auto response = Make(path, 0, 10);
    wire::http::RequestHead head = Get(path);
    const KeyView key = *MakeKey(head, false, "", store_.seed());
    std::thread storing([&] {
      both.arrive_and_wait();
      (void)store_.Store(key, response, {.mark = store_.mark(), .forbidden = &forbidden});
    });
    both.arrive_and_wait();
    forbidden = true;
    store_.Remove(key);
    storing.join();
    EXPECT_EQ(Find(path), nullptr);
  }
}

TEST_F(MemoryStoreThreads, AResponseThatLeavesTheStoreSaysSo) {
  auto first = Make("/a", 0, 10);
  ASSERT_TRUE(Store("/a", first, store_.mark()));
  EXPECT_FALSE(first->removed);
  auto second = Make("/a", 0, 10);
  ASSERT_TRUE(Store("/a", second, store_.mark()));
  EXPECT_TRUE(first->removed);
  std::thread([&] { (void)store_.Purge({.kind = Kind::kPrefix, .value = "/"}, kNow); }).join();
  EXPECT_TRUE(second->removed);
}

// Room is taken from all shards, also by a response of a shard that has little.
TEST_F(MemoryStoreThreads, AFullStoreEvictsFromAllShards) {
  for (int i = 0; i < 3000; ++i) {
    const std::string path = "/" + std::to_string(i);
    ASSERT_TRUE(Store(path, Make(path, 0, 5000), store_.mark())) << i;
  }
  const size_t objects = store_.objects();
  EXPECT_GT(store_.evictions(), 1000U);
  EXPECT_GT(store_.budget()->used(), store_.budget()->limit() * 9 / 10);
  auto large = Make("/large", 0, 2 * kMinCacheBytes);
  ASSERT_TRUE(Store("/large", large, store_.mark()));
  EXPECT_LT(store_.objects(), objects);
  EXPECT_NE(Find("/large"), nullptr);
}

}  // namespace
}  // namespace meridian::edge
