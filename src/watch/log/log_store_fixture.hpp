// A log store that writes into a scratch folder, on a disk that fails as it is told. For tests.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/scratch_dir.hpp"
#include "io/blocking.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/log_fixture.hpp"
#include "watch/log/log_store.hpp"
#include "watch/log/segment/segment_fixture.hpp"

namespace meridian::watch {

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
    TimePoint end = loop_->After(std::chrono::seconds{60});
    while (!wanted(store.status())) {
      EXPECT_LT(loop_->Now(), end);
      if (loop_->Now() >= end) co_return;
      (void)co_await io::Sleep(std::chrono::milliseconds{5});
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

}  // namespace meridian::watch
