#include "watch/log/log_store.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch/log/log_source.hpp"
#include "watch/log/log_store_fixture.hpp"

namespace meridian::watch {
namespace {

using namespace std::chrono_literals;

constexpr proc::IntakeLimits kGenerous = {.bytes_per_second = 1 << 30, .burst_bytes = 1 << 30};

TEST_F(LogStoreTest, AllEntriesAreSyncedInTheEnd) {
  WithStore([&](LogStore& store) -> io::Task<void> {
    Add(store, 3000);  // several segments
    const uint64_t end = store.end_sequence();
    EXPECT_LT(store.synced_sequence(), end);
    co_await Until(store, [&](const LogStoreStatus&) { return store.synced_sequence() >= end; });
    EXPECT_EQ(store.synced_sequence(), store.end_sequence());
  });
}

TEST_F(LogStoreTest, TheNewestEntriesOfSoManyBytesAreKnown) {
  WithStore([&](LogStore& store) -> io::Task<void> {
    Add(store, 5000);  // a segment for about each thousand
    co_await Until(store, [](const LogStoreStatus& status) { return status.segments >= 4; });
    const LogStoreStatus status = store.status();
    EXPECT_EQ(store.SequenceOfNewest(2 * status.bytes), 0);
    const uint64_t half = store.SequenceOfNewest(status.bytes / 2);
    auto page = co_await store.Search({.order = LogOrder::kArrival, .limit = 1}, kNever);
    EXPECT_LT(page->entries.at(0).sequence, half);
    EXPECT_LT(half, store.end_sequence());
    EXPECT_GT(store.SequenceOfNewest(0), half);
  });
}

TEST_F(LogStoreTest, NoSequenceIsUsedTwiceThoughNoLineCameToTheDisk) {
  uint64_t end = 0;
  for (int start = 0; start < 4; ++start) {
    WithStore([&](LogStore& store) -> io::Task<void> {
      EXPECT_GT(store.first_sequence(), end);
      files_.code = Errc::kIo;
      files_.writes_left = 0;
      Add(store, 10);
      end = store.end_sequence();
      co_return;
    });
    files_.writes_left = ~uint64_t{0};
    // A start without lines.
    WithStore([&](LogStore& store) -> io::Task<void> {
      EXPECT_GT(store.first_sequence(), end);
      end = store.end_sequence();
      co_return;
    });
  }
  const auto marks =
      std::ranges::count_if(std::filesystem::directory_iterator(folder_),
                            [](const auto& file) { return file.path().extension() == ".start"; });
  EXPECT_EQ(marks, 1);
}

TEST_F(LogStoreTest, WhatIsAddedIsFoundAtOnceAndAfterEachStart) {
  for (int start = 0; start < 3; ++start) {
    WithStore([&](LogStore& store) -> io::Task<void> {
      EXPECT_EQ(co_await All(store), entries_);
      Add(store, 1700);
      EXPECT_EQ(co_await All(store), entries_);
    });
    EXPECT_EQ(last_.lost, 0);
  }
  EXPECT_GE(last_.segments, 3);
}

TEST_F(LogStoreTest, SequencesRiseAcrossStarts) {
  uint64_t end = 0;
  for (int start = 0; start < 3; ++start) {
    WithStore([&](LogStore& store) -> io::Task<void> {
      Add(store, 10);
      auto page = co_await store.Search({.order = LogOrder::kArrival}, kNever);
      CHECK(page);
      uint64_t first = page->entries[static_cast<size_t>(start) * 10].sequence;
      EXPECT_GE(first, end);
      EXPECT_EQ(page->end_sequence, page->entries.back().sequence + 1);
      end = page->end_sequence;
    });
  }
}

TEST_F(LogStoreTest, AFollowerIsWokenByTheNextEntry) {
  WithStore([&](LogStore& store) -> io::Task<void> {
    auto page = co_await store.Search({.order = LogOrder::kArrival}, kNever);
    CHECK(page);
    Result<void> timed_out = co_await store.AwaitEntry(page->end_sequence, loop_->After(1ms));
    EXPECT_EQ(timed_out.error().code, Errc::kTimeout);
    io::Scope scope(*loop_);
    bool woken = false;
    scope.Spawn([](LogStore& followed, uint64_t sequence, bool* set) -> io::Task<void> {
      *set = (co_await followed.AwaitEntry(sequence, kNever)).has_value();
    }(store, page->end_sequence, &woken));
    for (int i = 0; i < 3; ++i) (void)co_await io::SleepUntil(loop_->Now());
    EXPECT_FALSE(woken);
    Add(store, 1);
    co_await scope.Join();
    EXPECT_TRUE(woken);
  });
}

TEST_F(LogStoreTest, LinesOfAPipeAreStoredWithTheirOrigin) {
  WithStore([&](LogStore& store) -> io::Task<void> {
    LogOrigin origin{.dc = "us-east", .tier = "app", .instance = "us-east-1"};
    LogSource source(origin, kGenerous, store);
    Arrival at{loop_->Now(), loop_->Wall()};
    source.Feed("{\"level\":\"error\",\"msg\":\"no\",\"code\":7}\nplain\n", at);
    source.Finish(at);
    auto page = co_await store.Search(
        {.terms = {"code"}, .origin = {.instance = "us-east-1"}, .at_least = Severity::kError},
        kNever);
    CHECK(page);
    EXPECT_EQ(page->entries.size(), 1);
    EXPECT_EQ(page->entries.at(0).text, "no");
    EXPECT_EQ(page->entries.at(0).fields, "{\"code\":7}");
    EXPECT_EQ(page->entries.at(0).origin, origin);
    EXPECT_EQ(page->entries.at(0).arrival, ToLogTime(at.wall));
    EXPECT_EQ((co_await All(store)).size(), 2);
  });
}

TEST_F(LogStoreTest, SearchesAreLimitedAndCancelled) {
  WithStore([&](LogStore& store) -> io::Task<void> {
    Add(store, 3000);
    io::Scope scope(*loop_);
    int refused = 0;
    int cancelled = 0;
    for (size_t i = 0; i < kMaxSearches + 2; ++i) {
      scope.Spawn([](LogStore& searched, int* no_room, int* stopped) -> io::Task<void> {
        auto page = co_await searched.Search({.terms = {"request"}}, kNever);
        if (!page && page.error().code == Errc::kUnavailable) ++*no_room;
        if (!page && page.error().code == Errc::kCancelled) ++*stopped;
      }(store, &refused, &cancelled));
    }
    scope.Cancel();
    co_await scope.Join();
    EXPECT_EQ(cancelled, static_cast<int>(kMaxSearches) + 2);
    EXPECT_EQ(refused, 0);
    io::Scope others(*loop_);
    for (size_t i = 0; i < kMaxSearches + 2; ++i) {
      others.Spawn([](LogStore& searched, int* no_room) -> io::Task<void> {
        auto page = co_await searched.Search({.terms = {"request"}}, kNever);
        if (!page && page.error().code == Errc::kUnavailable) ++*no_room;
      }(store, &refused));
    }
    co_await others.Join();
    EXPECT_EQ(refused, 2);
    EXPECT_TRUE(co_await store.Search({}, kNever));
  });
}

TEST_F(LogStoreTest, ASecondProcessIsRefused) {
  WithStore([&](LogStore&) -> io::Task<void> {
    io::BlockingPool pool;
    auto second = co_await LogStore::Open(options_, *loop_, pool, files_);
    EXPECT_EQ(second.error().code, Errc::kExists);
  });
}

TEST_F(LogStoreTest, AnIdleStoreLeavesNoFilesButTheMarkOfItsLastStart) {
  for (int start = 0; start < 3; ++start) WithStore([](LogStore&) -> io::Task<void> { co_return; });
  std::vector<std::string> kinds;
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    if (file.path().filename() != "lock") kinds.push_back(file.path().extension());
  }
  EXPECT_THAT(kinds, testing::ElementsAre(".start"));
}

TEST_F(LogStoreTest, ASegmentIsClosedByItsAge) {
  options_.max_segment_age = 1ms;
  WithStore([&](LogStore& store) -> io::Task<void> {
    Add(store, 3);
    co_await Until(store, [](const LogStoreStatus& status) { return status.segments == 1; });
    Add(store, 3);
    co_await Until(store, [](const LogStoreStatus& status) { return status.segments == 2; });
    EXPECT_EQ(co_await All(store), entries_);
  });
}

// A process that adds entries, and writes to `told` how many of them were added longer ago than the
// store needs to have them in a file. It is killed then.
[[noreturn]] void AddUntilKilled(LogStoreTest& test, int told) {
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::BlockingPool pool(4);
  loop.RunToEnd(
      [](LogStoreTest& with, io::Loop& on, io::BlockingPool& blocking, int to) -> io::Task<void> {
        auto store = co_await LogStore::Open(with.options_, on, blocking, with.files_);
        CHECK(store);
        io::Scope scope(on);
        scope.Spawn((*store)->Run());
        size_t before = with.entries_.size();
        TimePoint end = on.After(kFlushInterval);
        while (on.Now() < end) {
          with.Add(**store, 37);
          (void)co_await io::Sleep(1ms);
        }
        uint64_t safe = with.entries_.size() - before;
        end = on.After(3 * kFlushInterval);
        while (on.Now() < end) {
          with.Add(**store, 37);
          (void)co_await io::Sleep(1ms);
        }
        CHECK(::write(to, &safe, sizeof(safe)) == sizeof(safe));
        for (;;) {
          with.Add(**store, 37);
          (void)co_await io::Sleep(1ms);
        }
      }(test, loop, pool, told));
  _exit(0);
}

TEST_F(LogStoreTest, AfterKill9AllLinesPastTheFlushAreThere) {
  options_.folder = folder_;
  for (uint64_t round = 0; round < 2; ++round) {
    maker_ = EntryMaker(100 + round);
    int told[2];
    ASSERT_EQ(pipe(told), 0);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) AddUntilKilled(*this, told[1]);
    close(told[1]);
    uint64_t safe = 0;
    ssize_t got = ::read(told[0], &safe, sizeof(safe));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(told[0]);
    ASSERT_EQ(got, ssize_t{sizeof(safe)});
    for (uint64_t i = 0; i < safe; ++i) entries_.push_back(maker_.Next());
    WithStore([&](LogStore& store) -> io::Task<void> {
      std::vector<LogEntry> all = co_await All(store);
      EXPECT_TRUE(problems_.empty());
      EXPECT_GE(all.size(), entries_.size());
      // Later lines may be there too.
      for (size_t more = entries_.size(); more < all.size(); ++more)
        entries_.push_back(maker_.Next());
      EXPECT_TRUE(all == entries_);
    });
  }
}

}  // namespace
}  // namespace meridian::watch
