#include "watch/own_lines/own_lines.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "base/log_file.hpp"
#include "base/scratch_dir.hpp"
#include "io/epoll.hpp"
#include "io/scope.hpp"
#include "watch/limits.hpp"
#include "watch/log/segment/segment_fixture.hpp"
#include "watch/own_lines/limits.hpp"
#include "watch/own_lines/trail_positions.hpp"

namespace meridian::watch {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class OwnLinesTest : public testing::Test {
 public:
  // A process of the tier, from its start to its end. `crashes`: it ends as by kill -9, apart from
  // what the store had not written.
  void Run(std::function<io::Task<void>()> use, bool crashes = false) {
    io::EpollDriver driver;
    io::Loop loop(driver);
    io::BlockingPool pool(4);
    loop_ = &loop;
    loop.RunToEnd(RunOn(loop, pool, use, crashes));
  }

  // Writes lines "edge N", and says which.
  void Write(int count, uint64_t max_bytes = kMaxLogFileBytes) {
    auto log = LogFile::Open({.path = folder_ / "edge.log", .max_bytes = max_bytes}).value();
    for (int i = 0; i < count; ++i) {
      expected_.push_back(fmt::format("edge {}", expected_.size()));
      WriteTo(*log, "edge", expected_.back());
    }
  }
  static void WriteTo(LogFile& log, const std::string& process, const std::string& event) {
    const auto now = ToLogTime(SystemClock().Wall());
    const auto day = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{now - day};
    log.Write(fmt::format(
        "{{\"time\":\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z\",\"level\":"
        "\"warning\",\"process\":\"{}\",\"dc\":\"us-east\",\"event\":\"{}\","
        "\"port\":80}}\n",
        int(date.year()), unsigned(date.month()), unsigned(date.day()), time.hours().count(),
        time.minutes().count(), time.seconds().count(), time.subseconds().count(), process, event));
  }

  io::Task<std::vector<LogEntry>> Stored() {
    std::vector<LogEntry> all;
    LogQuery query{.order = LogOrder::kArrival, .limit = kMaxPageEntries};
    while (true) {
      auto page = co_await store_->Search(query, kNever);
      CHECK(page);
      for (LogEntry& entry : page->entries) all.push_back(std::move(entry));
      if (!page->next) co_return all;
      query.after = page->next;
    }
  }
  io::Task<std::vector<std::string>> Texts() {
    std::vector<std::string> texts;
    for (const LogEntry& entry : co_await Stored()) texts.push_back(entry.text);
    co_return texts;
  }
  io::Task<void> Until(std::function<bool()> done) {
    const TimePoint end = loop_->After(60s);
    while (!done() && loop_->Now() < end) (void)co_await io::Sleep(5ms);
    EXPECT_TRUE(done());
  }
  io::Task<void> UntilStored(size_t entries) {
    const TimePoint end = loop_->After(60s);
    while ((co_await Stored()).size() < entries && loop_->Now() < end) {
      (void)co_await io::Sleep(5ms);
    }
  }
  // Waits until so many lines of edge are stored, and gives their texts.
  io::Task<std::vector<std::string>> UntilLines(size_t count) {
    const TimePoint end = loop_->After(60s);
    while (true) {
      std::vector<std::string> texts = co_await Texts();
      std::erase_if(texts, [](const std::string& text) { return !text.starts_with("edge "); });
      if (texts.size() >= count || loop_->Now() >= end) co_return texts;
      (void)co_await io::Sleep(5ms);
    }
  }
  static std::string ReadAll(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string Positions() const { return ReadAll(folder_ / "positions"); }

  ScratchDir folder_;
  std::vector<OwnSource> sources_ = {
      {.path = folder_ / "edge.log", .tier = "edge", .processes = {"edge"}},
      {.path = folder_ / "agent.log",
       .tier = "agent",
       .processes = {"agent", "guard"},
       .skips_output = true}};
  std::vector<std::string> expected_;
  FailingFiles files_;
  std::unique_ptr<LogStore> store_;
  std::unique_ptr<OwnLines> own_lines_;
  io::Loop* loop_ = nullptr;

 private:
  io::Task<void> RunOn(io::Loop& loop, io::BlockingPool& pool, std::function<io::Task<void>()>& use,
                       bool crashes) {
    std::filesystem::create_directory(folder_ / "log");
    auto store = co_await LogStore::Open({.folder = folder_ / "log", .reserve_bytes = 0}, loop,
                                         pool, files_);
    CHECK(store);
    store_ = std::move(*store);
    own_lines_ = std::make_unique<OwnLines>(OwnLinesOptions{.positions = folder_ / "positions",
                                                            .data_center = "us-east",
                                                            .host = "h1",
                                                            .sources = sources_},
                                            loop, pool);
    io::Scope storing(loop);
    storing.Spawn(store_->Run());
    io::Scope reading(loop);
    reading.Spawn(own_lines_->Run(*store_));
    co_await use();
    reading.Cancel();
    co_await reading.Join();
    storing.Cancel();
    co_await storing.Join();
    if (!crashes) co_await own_lines_->Finish(*store_);
    own_lines_.reset();
    store_.reset();
  }
};

TEST_F(OwnLinesTest, LinesAreEntriesOfTheirProcess) {
  Write(1);
  auto agent = LogFile::Open({.path = folder_ / "agent.log"}).value();
  WriteTo(*agent, "guard", "started");
  WriteTo(*agent, "agent", "output");
  agent->Write("terminate called\n");
  Run([&]() -> io::Task<void> {
    co_await UntilStored(3);
    const std::vector<LogEntry> entries = co_await Stored();
    std::vector<std::string> texts;
    for (const LogEntry& each : entries) {
      texts.push_back(each.origin.tier + ": " + each.text);
      EXPECT_EQ(each.origin.dc, "us-east");
      EXPECT_EQ(each.origin.host, "h1");
    }
    EXPECT_THAT(texts, testing::UnorderedElementsAre("edge: edge 0", "guard: started",
                                                     "agent: terminate called"));
    if (entries.empty()) co_return;
    EXPECT_EQ(entries[0].severity, Severity::kWarning);
    EXPECT_EQ(entries[0].fields, R"({"port":80})");
    EXPECT_GE(entries[0].arrival, entries[0].time);
  });
}

TEST_F(OwnLinesTest, EachLineIsStoredOnceOverEndsAndKills) {
  for (int start = 0; start < 6; ++start) {
    Write(20);
    Run(
        [&]() -> io::Task<void> {
          Write(20);
          co_await UntilStored(expected_.size());
          EXPECT_EQ(co_await Texts(), expected_);
        },
        start % 2 == 0);
  }
}

TEST_F(OwnLinesTest, ALineWithoutATimeIsStoredOnceOverAKill) {
  auto log = LogFile::Open({.path = folder_ / "agent.log"}).value();
  log->Write("terminate called\n");
  Run([&]() -> io::Task<void> { co_await UntilStored(1); }, true);
  std::ofstream(folder_ / "positions") << EncodePositions({});  // of before it was read
  Run([&]() -> io::Task<void> {
    log->Write("another\n");
    co_await UntilStored(2);
    EXPECT_THAT(co_await Texts(), testing::ElementsAre("terminate called", "another"));
  });
}

TEST_F(OwnLinesTest, LinesThatTheStoreHadNotWrittenAreReadAgain) {
  Write(10);
  Run([&]() -> io::Task<void> { co_await UntilStored(10); });
  const std::string before = Positions();
  Run(
      [&]() -> io::Task<void> {
        Write(10);
        co_await UntilStored(20);
        files_.code = Errc::kIo;
        files_.writes_left = 0;  // nothing of them comes to the disk
      },
      true);
  EXPECT_EQ(Positions(), before);
  files_.writes_left = ~uint64_t{0};
  Run([&]() -> io::Task<void> {
    co_await UntilStored(20);
    std::vector<std::string> texts = co_await Texts();
    std::erase_if(texts, [](const std::string& text) { return text.contains("lost"); });
    EXPECT_EQ(texts, expected_);
  });
}

TEST_F(OwnLinesTest, RotationWhileItReadsAndWhileItIsAwayLosesNothing) {
  constexpr uint64_t kSmallFile = 4096;
  Write(10, kSmallFile);
  Run([&]() -> io::Task<void> {
    co_await UntilStored(10);
    Write(40, kSmallFile);
    co_await UntilStored(50);
    EXPECT_EQ(co_await Texts(), expected_);
  });
  Write(60, kSmallFile);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "edge.log.1"));
  Run([&]() -> io::Task<void> {
    co_await UntilStored(110);
    EXPECT_EQ(co_await Texts(), expected_);
    EXPECT_EQ(own_lines_->counts().gaps, 0);
  });
}

TEST_F(OwnLinesTest, AFileThatWasGoneBeforeItWasReadIsTold) {
  Write(10);
  Run([&]() -> io::Task<void> { co_await UntilStored(10); });
  std::filesystem::remove(folder_ / "edge.log");
  Write(5);
  Run([&]() -> io::Task<void> {
    co_await UntilStored(16);
    const std::vector<LogEntry> entries = co_await Stored();
    EXPECT_EQ(entries.size(), 16U);
    if (entries.size() != 16) co_return;
    EXPECT_THAT(entries[10].text, HasSubstr("lines may be missing"));
    EXPECT_TRUE(entries[10].marks.Has(EntryMark::kDropped));
    EXPECT_EQ(entries[11].text, "edge 10");
    EXPECT_EQ(own_lines_->counts().gaps, 1);
  });
}

TEST_F(OwnLinesTest, PositionsThatCannotBeReadMakeLinesComeTwiceRatherThanNever) {
  Write(10);
  Run([&]() -> io::Task<void> { co_await UntilStored(10); });
  std::ofstream(folder_ / "positions") << "damaged";
  Run([&]() -> io::Task<void> {
    co_await UntilStored(20);
    EXPECT_EQ((co_await Stored()).size(), 20U);
  });
}

TEST_F(OwnLinesTest, PositionsThatCannotBeReadForAMomentAreNotReplaced) {
  Write(10);
  Run([&]() -> io::Task<void> { co_await UntilStored(10); });
  std::filesystem::rename(folder_ / "positions", folder_ / "kept");
  std::filesystem::create_directory(folder_ / "positions");
  const std::string log = folder_ / "watch.log";
  ConfigureLog({.file = {.path = log}, .process = "watch", .dc = "us-east"});
  Write(5);
  Run([&]() -> io::Task<void> {
    co_await Until([&] { return ReadAll(log).contains("cannot be read now"); });
    std::filesystem::remove(folder_ / "positions");
    std::filesystem::rename(folder_ / "kept", folder_ / "positions");
    co_await UntilStored(15);
    EXPECT_EQ(co_await Texts(), expected_);
  });
  ConfigureLog({});
}

TEST_F(OwnLinesTest, WhatTheDiskLostIsReadAgainAndStoredOnce) {
  Write(10);
  Run([&]() -> io::Task<void> {
    co_await UntilStored(10);
    files_.code = Errc::kIo;
    files_.writes_left = 0;
    Write(1500);
    co_await Until([&] { return store_->status().lost > 0; });
    EXPECT_FALSE(store_->has_room());
    Write(1500);
    const int tries = files_.failed_writes + 4;
    co_await Until([&] { return files_.failed_writes >= tries; });
    // While the disk fails nothing is read, but for a round that was under way.
    EXPECT_LT(own_lines_->counts().bytes, std::filesystem::file_size(folder_ / "edge.log"));
    files_.writes_left = ~uint64_t{0};
    std::vector<std::string> texts = co_await UntilLines(expected_.size());
    std::ranges::sort(texts);
    std::ranges::sort(expected_);
    EXPECT_EQ(texts, expected_);
  });
}

TEST_F(OwnLinesTest, EachLineIsStoredOnceThoughAStartEndsBeforeItKnowsWhatIsStored) {
  Write(10);
  Run([&]() -> io::Task<void> { co_await UntilStored(10); });
  const std::string before = Positions();
  Write(300);
  Run([&]() -> io::Task<void> { co_await UntilStored(310); });
  std::ofstream(folder_ / "positions") << before;
  Run([&]() -> io::Task<void> { co_return; });
  Run([&]() -> io::Task<void> {
    Write(1);
    (void)co_await UntilLines(expected_.size());
    EXPECT_EQ(co_await Texts(), expected_);
  });
}

TEST_F(OwnLinesTest, LinesBehindARotationOfJustNowAreStoredOnceOverAKill) {
  Write(10);
  Run([&]() -> io::Task<void> { co_await UntilStored(10); });
  const std::string before = Positions();
  const std::filesystem::path rotated = folder_ / "edge.log.1";
  std::filesystem::rename(folder_ / "edge.log", rotated);
  Write(10);
  Run([&]() -> io::Task<void> { co_await UntilStored(20); }, true);
  std::ofstream(folder_ / "positions") << before;
  std::filesystem::permissions(rotated, std::filesystem::perms::owner_read);  // changed just now
  const uint64_t bytes = std::filesystem::file_size(folder_ / "edge.log");
  Run([&]() -> io::Task<void> {
    co_await Until([&] { return own_lines_->counts().bytes >= bytes; });
    EXPECT_EQ(co_await Texts(), expected_);
  });
}

TEST_F(OwnLinesTest, LinesOfAFileThatCouldNotBeReadAtFirstAreStoredOnceOverAKill) {
  std::filesystem::create_directory(folder_ / "tier");
  const std::filesystem::path link = folder_ / "link";
  std::filesystem::create_directory_symlink(folder_ / "tier", link);
  Write(10);
  std::filesystem::rename(folder_ / "edge.log", folder_ / "tier" / "edge.log");
  sources_[0].path = link / "edge.log";
  std::ofstream(folder_ / "positions") << EncodePositions({});
  const std::string before = Positions();
  Run([&]() -> io::Task<void> { co_await UntilStored(10); }, true);
  std::ofstream(folder_ / "positions") << before;
  std::filesystem::remove(link);
  std::filesystem::create_symlink(link, link);  // too many links: no look at the file succeeds
  const uint64_t bytes = std::filesystem::file_size(folder_ / "tier" / "edge.log");
  Run([&]() -> io::Task<void> {
    co_await Until([&] { return own_lines_->counts().rounds >= 3; });
    EXPECT_EQ(own_lines_->counts().bytes, 0);
    std::filesystem::remove(link);
    std::filesystem::create_directory_symlink(folder_ / "tier", link);
    co_await Until([&] { return own_lines_->counts().bytes >= bytes; });
    EXPECT_EQ(co_await Texts(), expected_);
  });
}

TEST_F(OwnLinesTest, AFileThatCannotBeReadDoesNotStopTheOthers) {
  std::filesystem::create_directory(folder_ / "agent.log");
  Write(3);
  Run([&]() -> io::Task<void> {
    co_await UntilStored(3);
    EXPECT_EQ(co_await Texts(), expected_);
  });
}

TEST_F(OwnLinesTest, ItsOwnLinesComeToAnEnd) {
  // What the tier tells of a log that it cannot read is in a log that it reads.
  sources_.push_back({.path = folder_ / "watch.log",
                      .tier = "watch",
                      .processes = {"watch"},
                      .limits = kWatchSourceLimits});
  sources_.push_back({.path = folder_ / "edge.log" / "none.log", .tier = "broken"});
  Write(1);
  ConfigureLog({.file = {.path = folder_ / "watch.log"}, .process = "watch", .dc = "us-east"});
  Run([&]() -> io::Task<void> {
    co_await UntilStored(2);
    // In so many rounds a loop would have gone round.
    const uint64_t rounds = own_lines_->counts().rounds + 20;
    co_await Until([&] { return own_lines_->counts().rounds >= rounds; });
    std::vector<std::string> texts = co_await Texts();
    EXPECT_EQ(std::ranges::count(texts, "a log file cannot be read"), 1);
    EXPECT_LT(texts.size(), 10U);
  });
  ConfigureLog({});
}

}  // namespace
}  // namespace meridian::watch
