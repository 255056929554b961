// The log store when its disk is full, slow or broken.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "watch/log/log_source.hpp"
#include "watch/log/log_store.hpp"
#include "watch/log/log_store_fixture.hpp"

namespace meridian::watch {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr proc::IntakeLimits kGenerous = {.bytes_per_second = 1 << 30, .burst_bytes = 1 << 30};

using LogStoreDiskTest = LogStoreTest;

TEST_F(LogStoreDiskTest, WhatWasRemovedIsKnownOverAStart) {
  options_.max_bytes = kMinStoreBytes;
  uint64_t removed = 0;
  WithStore([&](LogStore& store) -> io::Task<void> {
    const uint64_t first = store.first_sequence();
    EXPECT_EQ(store.removed_sequence(), first);  // it has had none
    Add(store, 1);
    EXPECT_EQ(store.removed_sequence(), first);
    for (uint64_t count = 1; store.status().removed_segments == 0; ++count) {
      Add(store, 3000);
      co_await Until(store, [](const LogStoreStatus& status) { return status.waiting_bytes == 0; });
      EXPECT_LT(count, 100U);
      if (count == 100) co_return;
    }
    removed = store.removed_sequence();
    auto page = co_await store.Search({.order = LogOrder::kArrival, .limit = 1}, kNever);
    EXPECT_GT(removed, first);
    EXPECT_GE(page->entries.at(0).sequence, removed);
  });
  WithStore([&](LogStore& store) -> io::Task<void> {
    auto page = co_await store.Search({.order = LogOrder::kArrival, .limit = 1}, kNever);
    EXPECT_GE(store.removed_sequence(), removed);
    EXPECT_GE(page->entries.at(0).sequence, store.removed_sequence());
  });
}

TEST_F(LogStoreDiskTest, TheQuotaRemovesTheOldestSegments) {
  options_.max_bytes = kMinStoreBytes;
  WithStore([&](LogStore& store) -> io::Task<void> {
    for (int block = 0; block < 40; ++block) {
      for (int i = 0; i < 500; ++i) {
        LogEntry entry = maker_.Next();
        // What cannot be compressed much.
        for (int word = 0; word < 12; ++word)
          entry.text += fmt::format(" {:x}", maker_.random().Next());
        EXPECT_TRUE(store.Add(entries_.emplace_back(std::move(entry))));
      }
      co_await Until(store,
                     [&](const LogStoreStatus& status) { return status.waiting_bytes == 0; });
      EXPECT_LE(store.status().bytes, kMinStoreBytes * 3 / 2);
    }
    co_await Until(store,
                   [&](const LogStoreStatus& status) { return status.bytes <= kMinStoreBytes; });
    EXPECT_GT(store.status().removed_segments, 0);
    std::vector<LogEntry> kept = co_await All(store);
    EXPECT_GT(kept.size(), 2000);
    EXPECT_LT(kept.size(), entries_.size());
    // The newest, without a gap.
    EXPECT_TRUE(std::ranges::equal(kept, std::span(entries_).last(kept.size())));
    EXPECT_TRUE(problems_.empty());
    auto page = co_await store.Search({}, kNever);
    EXPECT_GT(page->kept_since.value_or(LogTime{}), entries_[0].time);
  });
  uint64_t on_disk = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder_)) on_disk += file.file_size();
  EXPECT_LE(on_disk, kMinStoreBytes * 5 / 4);
}

TEST_F(LogStoreDiskTest, AFullDiskRemovesTheOldestAndGoesOn) {
  WithStore([&](LogStore& store) -> io::Task<void> {
    Add(store, 5000);
    co_return;
  });
  ASSERT_GE(last_.segments, 3);
  WithStore([&](LogStore& store) -> io::Task<void> {
    files_.full_while_there = OldestFile();
    Add(store, 500);
    co_await Until(store, [](const LogStoreStatus& status) { return status.waiting_bytes == 0; });
    std::vector<LogEntry> kept = co_await All(store);
    EXPECT_TRUE(std::ranges::equal(kept, std::span(entries_).last(kept.size())));
    EXPECT_LT(kept.size(), entries_.size());
    EXPECT_GT(kept.size(), entries_.size() / 2);
  });
  EXPECT_EQ(last_.removed_for_room, 1);
  EXPECT_EQ(last_.lost, 0);
}

// Without free descriptors, until it is destroyed.
class NoDescriptors {
 public:
  NoDescriptors() {
    CHECK(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    constexpr rlim_t kStandardStreams = 3;  // they are open
    const rlimit few{.rlim_cur = kStandardStreams, .rlim_max = before_.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { CHECK(setrlimit(RLIMIT_NOFILE, &before_) == 0); }

 private:
  rlimit before_{};
};

TEST_F(LogStoreDiskTest, WithoutFreeDescriptorsNoSegmentIsRemoved) {
  WithStore([&](LogStore& store) -> io::Task<void> {
    Add(store, 5000);
    co_return;
  });
  const size_t before = last_.segments;
  ASSERT_GE(before, 3);
  WithStore([&](LogStore& store) -> io::Task<void> {
    {
      NoDescriptors none;
      Add(store, 3000);
      co_await Until(store, [](const LogStoreStatus& status) { return status.lost > 0; });
      EXPECT_THAT(store.status().problem, HasSubstr("no free descriptor"));
    }
    co_await Until(store, [](const LogStoreStatus& status) {
      return status.problem.empty() && status.waiting_bytes == 0;
    });
    const std::vector<LogEntry> all = co_await All(store);
    EXPECT_GE(all.size(), 5000U);
    EXPECT_TRUE(std::ranges::equal(std::span(all).first(5000), std::span(entries_).first(5000)));
  });
  EXPECT_EQ(last_.removed_for_room, 0);
}

TEST_F(LogStoreDiskTest, WhatASyncFailedToKeepCountsAsLostAndASegmentBegins) {
  WithStore([&](LogStore& store) -> io::Task<void> {
    Add(store, 100);
    const uint64_t first = store.end_sequence();
    co_await Until(store, [&](const LogStoreStatus&) { return store.synced_sequence() >= first; });
    files_.failing_syncs = 1;
    Add(store, 600);  // a block of 500, and 200 that are in memory too
    co_await Until(store, [](const LogStoreStatus& status) { return status.lost > 0; });
    EXPECT_EQ(store.status().lost, 400);
    co_await Until(store, [](const LogStoreStatus& status) { return status.segments == 1; });
    const uint64_t end = store.end_sequence();
    EXPECT_GT(end >> 32, first >> 32);
    co_await Until(store, [&](const LogStoreStatus& status) {
      return status.problem.empty() && store.synced_sequence() >= end;
    });
    std::vector<LogEntry> all = co_await All(store);
    EXPECT_EQ(all.size(), 701U);
    EXPECT_THAT(all.back().text, HasSubstr("400 entries of all sources lost"));
  });
  EXPECT_EQ(last_.lost, 400);
}

TEST_F(LogStoreDiskTest, AProblemEndsByItselfThoughNothingIsAdded) {
  WithStore([&](LogStore& store) -> io::Task<void> {
    Add(store, 600);
    const uint64_t end = store.end_sequence();
    co_await Until(store, [&](const LogStoreStatus&) { return store.synced_sequence() >= end; });
    files_.code = Errc::kIo;
    files_.writes_left = 0;
    Add(store, 1);
    co_await Until(store, [](const LogStoreStatus& status) { return !status.problem.empty(); });
    EXPECT_FALSE(store.has_room());
    // A sync of what was written before does not end it.
    const uint64_t synced = store.synced_sequence();
    EXPECT_LT(synced, store.end_sequence());
    files_.writes_left = ~uint64_t{0};
    co_await Until(store, [&](const LogStoreStatus&) { return store.has_room(); });
    EXPECT_EQ(store.status().lost, 0);
  });
}

TEST_F(LogStoreDiskTest, TheReserveOfTheDiskIsKeptFree) {
  WithStore([&](LogStore& store) -> io::Task<void> {
    Add(store, 5000);
    co_return;
  });
  size_t before = last_.segments;
  options_.reserve_bytes = 2000;
  files_.free_bytes = 1000;
  WithStore([&](LogStore& store) -> io::Task<void> {
    co_await Until(store, [](const LogStoreStatus& status) { return status.removed_for_room > 0; });
    files_.free_bytes = 1 << 20;
  });
  EXPECT_LT(last_.segments, before);
  EXPECT_GT(last_.segments, 0);
}

TEST_F(LogStoreDiskTest, EntriesThatNoDiskTakesAreCountedAndAnEntrySaysSo) {
  files_.code = Errc::kIo;
  WithStore([&](LogStore& store) -> io::Task<void> {
    files_.writes_left = 0;
    Add(store, 500);
    co_await Until(store, [](const LogStoreStatus& status) { return status.lost > 0; });
    EXPECT_FALSE(store.status().problem.empty());
    files_.writes_left = 1 << 30;
    std::vector<LogEntry> all = co_await All(store);
    EXPECT_EQ(all.size(), 1);
    EXPECT_TRUE(all.at(0).marks.Has(EntryMark::kDropped));
    EXPECT_THAT(all.at(0).text, HasSubstr("500 entries of all sources lost"));
    Add(store, 500);
    co_await Until(store, [](const LogStoreStatus& status) { return status.problem.empty(); });
    EXPECT_EQ((co_await All(store)).size(), 501);
  });
  EXPECT_EQ(last_.lost, 500);
}

TEST_F(LogStoreDiskTest, WhenTheDiskIsTooSlowEntriesAreRefusedCountedAndReported) {
  // Nothing runs Run: nothing is written.
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::BlockingPool pool;
  options_.folder = folder_;
  loop.RunToEnd([](LogStoreTest& test, io::Loop& on, io::BlockingPool& blocking) -> io::Task<void> {
    auto store = co_await LogStore::Open(test.options_, on, blocking, test.files_);
    CHECK(store);
    LogSource source({.tier = "app"}, kGenerous, **store);
    Arrival at{on.Now(), on.Wall()};
    std::string line = std::string(60'000, 'x') + "\n";
    for (size_t i = 0; i < kMaxWaitingBytes / line.size() + 100; ++i) source.Feed(line, at);
    EXPECT_GT(source.refused_entries(), 0);
    EXPECT_GE((*store)->status().refused, source.refused_entries());
    uint64_t refused = source.refused_entries();
    io::Scope scope(on);
    scope.Spawn((*store)->Run());
    while (source.refused_entries() > 0) {
      source.Feed("y\nz\n", at);
      if (source.refused_entries() == refused) break;
      refused = source.refused_entries();
      (void)co_await io::Sleep(5ms);
    }
    auto page = co_await (*store)->Search({.terms = {"dropped:"}}, kNever);
    CHECK(page);
    EXPECT_EQ(page->entries.size(), 1);
    EXPECT_THAT(page->entries.at(0).text, HasSubstr(fmt::format("{} entries dropped", refused)));
    scope.Cancel();
    co_await scope.Join();
  }(*this, loop, pool));
}

}  // namespace
}  // namespace meridian::watch
