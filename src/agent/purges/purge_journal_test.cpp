#include "agent/purges/purge_journal.hpp"

#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "agent/limits.hpp"
#include "base/scratch_dir.hpp"
#include "io/blocking.hpp"
#include "io/epoll.hpp"
#include "io/file/forwarding_disk.hpp"
#include "io/file/system_disk.hpp"
#include "io/scope.hpp"
#include "site/limits.hpp"

namespace meridian::agent {
namespace {

site::PurgeOrder Order(const std::string& value) { return {.value = value}; }

// A disk whose files fail to sync while `fails` is set.
class FailingDisk final : public io::ForwardingDisk {
 public:
  using ForwardingDisk::ForwardingDisk;
  io::Task<Result<std::unique_ptr<io::File>>> Open(std::string path, io::OpenMode mode) override {
    auto file = co_await ForwardingDisk::Open(std::move(path), mode);
    if (!file) co_return Fail(file.error());
    co_return std::make_unique<FailingFile>(std::move(*file), fails);
  }

  bool fails = false;

 private:
  class FailingFile final : public io::File {
   public:
    FailingFile(std::unique_ptr<io::File> file, const bool& fails)
        : file_(std::move(file)), fails_(fails) {}
    io::Task<Result<size_t>> ReadAt(uint64_t offset, MutableBytes into) override {
      return file_->ReadAt(offset, into);
    }
    io::Task<Result<void>> WriteAt(uint64_t offset, Bytes data) override {
      return file_->WriteAt(offset, data);
    }
    io::Task<Result<void>> Truncate(uint64_t bytes) override { return file_->Truncate(bytes); }
    io::Task<Result<void>> Sync() override {
      if (fails_) co_return Fail(Errc::kIo, "the disk is broken");
      co_return co_await file_->Sync();
    }
    io::Task<Result<uint64_t>> Size() override { return file_->Size(); }

   private:
    std::unique_ptr<io::File> file_;
    const bool& fails_;
  };
};

class PurgeJournalTest : public testing::Test {
 protected:
  // Opens the journal in the folder and runs `use` with it.
  void With(const std::function<io::Task<void>(PurgeJournal&)>& use) {
    auto main = [&]() -> io::Task<void> {
      PurgeJournal journal(disk_, scratch_.path(), "purges", Random(seed_++));
      EXPECT_TRUE(co_await journal.Open());
      io::Scope scope(loop_);
      scope.Spawn(journal.Run());
      co_await use(journal);
      scope.Cancel();
      co_await scope.Join();
    };
    loop_.RunToEnd(main());
  }
  void Append(int count) {
    With([&](PurgeJournal& journal) -> io::Task<void> {
      for (int i = 0; i < count; ++i) {
        EXPECT_EQ(co_await journal.Append(Order("/" + std::to_string(journal.newest() + 1))),
                  journal.newest());
      }
    });
  }
  site::PurgePollAnswer News(uint64_t after = 0) {
    site::PurgePollAnswer answer;
    With([&](PurgeJournal& journal) -> io::Task<void> {
      answer = journal.After(after);
      co_return;
    });
    return answer;
  }
  std::string path() { return scratch_ / "purges"; }
  std::string Text() {
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Write(const std::string& text) { std::ofstream(path(), std::ios::trunc) << text; }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::BlockingPool pool_;
  io::SystemDisk system_disk_{pool_};
  FailingDisk disk_{system_disk_};
  ScratchDir scratch_;
  uint64_t seed_ = 1;
};

TEST_F(PurgeJournalTest, OrdersOutliveTheProcess) {
  Append(2);
  site::PurgePollAnswer before = News();
  Append(1);
  site::PurgePollAnswer after = News();
  EXPECT_EQ(after.journal, before.journal);
  EXPECT_EQ(after.oldest, 1U);
  ASSERT_EQ(after.entries.size(), 3U);
  EXPECT_EQ(after.entries[2], (site::PurgeEntry{.number = 3, .order = Order("/3")}));
  EXPECT_EQ(News(2).entries.size(), 1U);
  EXPECT_TRUE(News(3).entries.empty());
}

TEST_F(PurgeJournalTest, WhatACrashLeftUnfinishedIsCutOff) {
  Append(2);
  std::string whole = Text();
  size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  uint64_t id = News().journal;
  for (size_t size = last; size < whole.size(); ++size) {
    Write(whole.substr(0, size));
    site::PurgePollAnswer answer = News();
    EXPECT_EQ(answer.journal, id) << size;
    EXPECT_EQ(answer.newest, 1U) << size;
  }
  Append(1);
  EXPECT_EQ(News().entries[1].order, Order("/2"));
}

TEST_F(PurgeJournalTest, DamageBeginsANewJournal) {
  Append(3);
  std::string whole = Text();
  uint64_t id = News().journal;
  for (size_t at : {size_t{0}, size_t{20}, whole.find("\"/1\"") + 1, whole.find('\n')}) {
    std::string damaged = whole;
    damaged[at] ^= 4;
    Write(damaged);
    EXPECT_NE(News().journal, id) << at;
    EXPECT_EQ(News().newest, 0U) << at;
  }
  Write("");
  EXPECT_NE(News().journal, id);
}

TEST_F(PurgeJournalTest, OldOrdersGo) {
  With([&](PurgeJournal& journal) -> io::Task<void> {
    io::Scope scope(loop_);
    uint64_t appended = 0;
    auto one = [&]() -> io::Task<void> {
      EXPECT_TRUE(co_await journal.Append(Order("/")));
      ++appended;
    };
    while (journal.newest() < kMaxPurges + 1) {
      for (size_t i = 0; i < kMaxPurgesInBatch; ++i) scope.Spawn(one());
      co_await scope.Join();
    }
    EXPECT_EQ(journal.newest(), appended);
    site::PurgePollAnswer answer = journal.After(0);
    EXPECT_EQ(answer.newest - answer.oldest + 1, kMaxPurges);
    EXPECT_EQ(answer.entries.front().number, answer.oldest);
    EXPECT_EQ(answer.entries.size(), site::kMaxPurgesInAnswer);
  });
  site::PurgePollAnswer again = News();
  EXPECT_EQ(again.newest - again.oldest + 1, kMaxPurges);
}

TEST_F(PurgeJournalTest, OneMoreThanABatchTakesIsRefused) {
  With([&](PurgeJournal& journal) -> io::Task<void> {
    size_t refused = 0;
    auto one = [&]() -> io::Task<void> {
      auto number = co_await journal.Append(Order("/"));
      if (!number && number.error().code == Errc::kUnavailable) ++refused;
    };
    io::Scope scope(loop_);
    for (size_t i = 0; i < kMaxPurgesInBatch + 1; ++i) scope.Spawn(one());
    co_await scope.Join();
    EXPECT_EQ(refused, 1U);
    EXPECT_EQ(journal.newest(), kMaxPurgesInBatch);
  });
}

TEST_F(PurgeJournalTest, LongOrdersGoSooner) {
  With([&](PurgeJournal& journal) -> io::Task<void> {
    std::string longest = "/" + std::string(site::kMaxPurgeValueBytes - 1, 'a');
    for (size_t i = 0; i <= kMaxPurgeBytes / longest.size(); ++i) {
      EXPECT_TRUE(co_await journal.Append(Order(longest)));
    }
    site::PurgePollAnswer answer = journal.After(0);
    EXPECT_EQ((answer.newest - answer.oldest + 1) * longest.size(), kMaxPurgeBytes);
  });
}

TEST_F(PurgeJournalTest, AFailedSyncIsToldAndNotForgotten) {
  Append(1);
  With([&](PurgeJournal& journal) -> io::Task<void> {
    disk_.fails = true;
    auto number = co_await journal.Append(Order("/lost"));
    EXPECT_EQ(number.error().code, Errc::kIo);
    EXPECT_EQ(journal.newest(), 1U);
    EXPECT_FALSE(co_await journal.Append(Order("/lost too")));
    disk_.fails = false;
    EXPECT_EQ(co_await journal.Append(Order("/safe")), 2U);
  });
  ASSERT_EQ(News().entries.size(), 2U);
  EXPECT_EQ(News().entries[1].order, Order("/safe"));
}

}  // namespace
}  // namespace meridian::agent
