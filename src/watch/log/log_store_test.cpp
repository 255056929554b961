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

#include "base/scratch_dir.hpp"
#include "io/epoll.hpp"
#include "io/scope.hpp"
#include "watch/log/log_source.hpp"
#include "watch/log/segment/segment_fixture.hpp"

namespace meridian::watch {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr proc::IntakeLimits kGenerous = {.bytes_per_second = 1 << 30, .burst_bytes = 1 << 30};

class LogStoreTest : public testing::Test {
 public:
  // Runs `use` with a store that writes, then closes it.
  void WithStore(std::function<io::Task<void>(LogStore&)> use) {
    io::EpollDriver driver;
    io::Loop loop(driver);
    io::BlockingPool pool(4);
    loop_ = &loop;
    loop.RunToEnd(Use(loop, pool, use));
  }
  io::Task<void> Use(io::Loop& loop, io::BlockingPool& pool,
                     std::function<io::Task<void>(LogStore&)>& use) {
    options_.folder = folder_;
    auto store = co_await LogStore::Open(options_, loop, pool, files_);
    EXPECT_TRUE(store) << store.error().message;
    if (!store) co_return;
    io::Scope scope(loop);
    scope.Spawn((*store)->Run());
    co_await use(**store);
    scope.Cancel();
    co_await scope.Join();
    last_ = (*store)->status();
  }
  void Add(LogStore& store, size_t lines) {
    for (size_t i = 0; i < lines; ++i) {
      EXPECT_TRUE(store.Add(entries_.emplace_back(maker_.Next())));
    }
  }
  // All entries of the store in the order of arrival, without their sequences.
  io::Task<std::vector<LogEntry>> All(LogStore& store) {
    std::vector<LogEntry> all;
    LogQuery query{.order = LogOrder::kArrival, .limit = kMaxPageEntries};
    for (;;) {
      auto page = co_await store.Search(query, kNever);
      CHECK(page);
      problems_ = page->problems;
      for (LogEntry& entry : page->entries) {
        entry.sequence = 0;
        all.push_back(std::move(entry));
      }
      if (!page->next) co_return all;
      query.after = page->next;
    }
  }
  // The log of the oldest segment.
  std::string OldestFile() const {
    std::string oldest;
    for (const auto& file : std::filesystem::directory_iterator(folder_)) {
      std::string path = file.path();
      if (path.ends_with(".log") && (oldest.empty() || path < oldest)) oldest = path;
    }
    return oldest;
  }
  // Waits until the store's status is as `wanted` says.
  io::Task<void> Until(LogStore& store, std::function<bool(const LogStoreStatus&)> wanted) {
    TimePoint end = loop_->After(60s);
    while (!wanted(store.status())) {
      EXPECT_LT(loop_->Now(), end);
      if (loop_->Now() >= end) co_return;
      (void)co_await io::Sleep(5ms);
    }
  }

  ScratchDir scratch_;
  std::string folder_ = scratch_.path();
  FailingFiles files_;
  LogStoreOptions options_{.reserve_bytes = 0, .segment_bytes = kMinSegmentBytes};
  EntryMaker maker_{31};
  std::vector<LogEntry> entries_;
  std::vector<std::string> problems_;
  LogStoreStatus last_;
  io::Loop* loop_ = nullptr;
};

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
    Add(store, 3000);
    co_await Until(store, [](const LogStoreStatus& status) { return status.segments > 3; });
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

TEST_F(LogStoreTest, WhatWasRemovedIsKnownOverAStart) {
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

TEST_F(LogStoreTest, TheQuotaRemovesTheOldestSegments) {
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

TEST_F(LogStoreTest, AFullDiskRemovesTheOldestAndGoesOn) {
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

TEST_F(LogStoreTest, TheReserveOfTheDiskIsKeptFree) {
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

TEST_F(LogStoreTest, EntriesThatNoDiskTakesAreCountedAndAnEntrySaysSo) {
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

TEST_F(LogStoreTest, WhenTheDiskIsTooSlowEntriesAreRefusedCountedAndReported) {
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

TEST_F(LogStoreTest, AnIdleStoreLeavesNoFiles) {
  for (int start = 0; start < 3; ++start) WithStore([](LogStore&) -> io::Task<void> { co_return; });
  size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder_))
    files += file.path().filename() == "lock" ? 0 : 1;
  EXPECT_EQ(files, 0);
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
