#include "watch/copies/log_copy.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.hpp"
#include "base/random.hpp"
#include "base/scratch_dir.hpp"
#include "io/epoll.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"
#include "watch/copies/copy_position.hpp"
#include "watch/copies/copy_server.hpp"
#include "watch/copies/limits.hpp"
#include "watch/log/segment/segment_fixture.hpp"

namespace meridian::watch {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// us-east has lines, us-west copies them over a connection on loopback.
class LogCopyTest : public testing::Test {
 public:
  // A run of both.
  void Run(std::function<io::Task<void>()> use) {
    io::EpollDriver driver;
    io::Loop loop(driver);
    io::SystemNetwork network(driver);
    io::BlockingPool pool(8);
    loop_ = &loop;
    network_ = &network;
    pool_ = &pool;
    loop.RunToEnd(RunOn(use));
  }

  void Add(std::string text, std::string tier = "edge", Severity severity = Severity::kInfo) {
    LogEntry entry{.origin = {.dc = dc_, .tier = std::move(tier)}, .severity = severity};
    entry.time = entry.arrival = ToLogTime(loop_->Wall());
    entry.text = std::move(text);
    EXPECT_TRUE(source_->Add(std::move(entry)));
  }
  void AddNumbered(int count) {
    for (int i = 0; i < count; ++i) {
      expected_.push_back(fmt::format("line {}", expected_.size()));
      Add(expected_.back());
    }
  }
  io::Task<std::vector<std::string>> Copied() {
    std::vector<std::string> texts;
    if (copy_->store() == nullptr) co_return texts;
    LogQuery query{.order = LogOrder::kArrival, .limit = kMaxPageEntries};
    while (true) {
      auto page = co_await copy_->store()->Search(query, kNever);
      CHECK(page);
      for (const LogEntry& entry : page->entries) texts.push_back(entry.text);
      if (!page->next) co_return texts;
      query.after = page->next;
    }
  }
  io::Task<void> UntilCopied(size_t entries) {
    const TimePoint end = loop_->After(30s);
    while ((co_await Copied()).size() < entries && loop_->Now() < end) {
      (void)co_await io::Sleep(5ms);
    }
    EXPECT_GE((co_await Copied()).size(), entries);
  }
  io::Task<void> Until(std::function<bool()> done) {
    const TimePoint end = loop_->After(30s);
    while (!done() && loop_->Now() < end) (void)co_await io::Sleep(5ms);
    EXPECT_TRUE(done());
  }
  std::filesystem::path PositionFile() const { return folder_ / "copies" / "us-east" / "position"; }

  ScratchDir folder_;
  LogFiles files_;
  FailingFiles source_files_;
  std::unique_ptr<LogStore> source_;
  std::unique_ptr<LogCopy> copy_;
  std::unique_ptr<CopyServer> server_;
  std::vector<std::string> expected_;
  std::string dc_ = "us-east";
  std::string allowed_ = "us-west";
  uint64_t source_bytes_ = uint64_t{1} << 30;  // of its store
  uint64_t copy_bytes_ = uint64_t{1} << 30;
  uint32_t first_segment_ = 1;
  bool cut_ = false;  // no connection comes about
  std::vector<io::Stream*> open_;
  int dialled_ = 0;
  std::unique_ptr<io::Scope> storing_;
  io::Loop* loop_ = nullptr;
  io::SystemNetwork* network_ = nullptr;
  io::BlockingPool* pool_ = nullptr;

  // Lines that do not get smaller on the disk, of a mebibyte or more.
  void AddMuch() {
    Random random(17);
    for (int i = 0; i < 4000; ++i) {
      std::string text;
      while (text.size() < 400) text += fmt::format("{:016x} ", random.Next());
      Add(std::move(text));
    }
  }
  io::Task<void> Cut() {
    cut_ = true;
    for (io::Stream* stream : open_) stream->Close();
    co_await Until([&] { return !copy_->status().connected && open_.empty(); });
  }
  io::Task<void> UntilLast(std::string text) {
    const TimePoint end = loop_->After(60s);
    std::vector<std::string> texts = co_await Copied();
    while ((texts.empty() || texts.back() != text) && loop_->Now() < end) {
      (void)co_await io::Sleep(5ms);
      texts = co_await Copied();
    }
    EXPECT_THAT(texts, testing::Contains(text));
  }
  io::Task<std::vector<std::string>> CopiedGaps() {
    std::vector<std::string> texts = co_await Copied();
    std::erase_if(texts, [](const std::string& each) { return !each.contains("may be missing"); });
    co_return texts;
  }

  // A new process of us-east, with what its store had written.
  io::Task<void> RestartSource() {
    server_->Close();
    cut_ = true;
    for (io::Stream* stream : open_) stream->Close();
    co_await Until([&] { return open_.empty(); });
    co_await StopSource();
    source_files_.writes_left = ~uint64_t{0};
    co_await StartSource();
    cut_ = false;
  }

 private:
  io::Task<void> StartSource() {
    auto store = co_await LogStore::Open({.folder = folder_ / "log",
                                          .max_bytes = source_bytes_,
                                          .reserve_bytes = 0,
                                          .segment_bytes = kMinSegmentBytes,
                                          .first_segment = first_segment_},
                                         *loop_, *pool_, source_files_);
    CHECK(store);
    source_ = std::move(*store);
    server_->Open(*source_);
    storing_ = std::make_unique<io::Scope>(*loop_);
    storing_->Spawn(source_->Run());
  }
  io::Task<void> StopSource() {
    storing_->Cancel();
    co_await storing_->Join();
    storing_.reset();
    source_.reset();
  }
  io::Task<Result<std::unique_ptr<io::Stream>>> Dial(Endpoint to, TimePoint deadline) {
    ++dialled_;
    if (cut_) co_return Fail(Errc::kUnavailable, "the link is cut");
    co_return co_await network_->Connect(to, {.deadline = deadline});
  }
  io::Task<void> ServeOne(std::unique_ptr<io::Stream> stream) {
    open_.push_back(stream.get());
    io::Stream* which = stream.get();
    co_await server_->Serve(std::move(stream),
                            [this](std::string_view name) { return name == allowed_; });
    std::erase(open_, which);
  }
  io::Task<void> Accept(io::Listener& listener, io::Scope& serving) {
    while (true) {
      auto stream = co_await listener.Accept();
      if (!stream) co_return;
      serving.Spawn(ServeOne(std::move(*stream)));
    }
  }
  io::Task<void> RunOn(std::function<io::Task<void>()>& use) {
    std::filesystem::create_directory(folder_ / "log");
    server_ = std::make_unique<CopyServer>(*loop_);
    co_await StartSource();
    auto listener = network_->Listen({IpAddress::V4(127, 0, 0, 1), 0}, {});
    CHECK(listener);
    const Endpoint at = (*listener)->local();
    LogCopyOptions options{.here = "us-west",
                           .data_center = "us-east",
                           .folder = folder_ / "copies" / "us-east",
                           .max_bytes = copy_bytes_};
    options.dial = [this, at](TimePoint deadline) { return Dial(at, deadline); };
    copy_ = std::make_unique<LogCopy>(std::move(options), *loop_, *pool_, files_);
    io::Scope serving(*loop_);
    serving.Spawn(Accept(**listener, serving));
    io::Scope copying(*loop_);
    copying.Spawn(copy_->Run());
    co_await use();
    copying.Cancel();
    co_await copying.Join();
    server_->Close();
    serving.Cancel();
    co_await serving.Join();
    co_await StopSource();
    copy_.reset();
    server_.reset();
  }
};

TEST_F(LogCopyTest, LinesOfBeforeAndOfNowAreCopiedInTheirOrder) {
  Run([&]() -> io::Task<void> {
    AddNumbered(700);  // several pages
    co_await UntilCopied(700);
    AddNumbered(5);
    co_await UntilCopied(705);
    EXPECT_EQ(co_await Copied(), expected_);
    EXPECT_TRUE(copy_->status().connected);
    EXPECT_EQ(copy_->status().entries, 705);
    EXPECT_GT(copy_->status().until, LogTime{});
  });
}

TEST_F(LogCopyTest, EachLineIsCopiedOnceOverStartsWithAnyPosition) {
  for (int start = 0; start < 4; ++start) {
    Run([&]() -> io::Task<void> {
      AddNumbered(300);
      co_await UntilCopied(expected_.size());
      EXPECT_EQ(co_await Copied(), expected_);
    });
    // After kill -9 the position is an older one.
    if (start == 0) {
      std::filesystem::copy(PositionFile(), folder_ / "old");
    } else {
      std::filesystem::copy(folder_ / "old", PositionFile(),
                            std::filesystem::copy_options::overwrite_existing);
    }
  }
}

TEST_F(LogCopyTest, EachLineIsCopiedOnceThoughTheFirstProcessWasKilled) {
  Run([&]() -> io::Task<void> {
    co_await Until([&] { return std::filesystem::exists(PositionFile()); });
    std::filesystem::copy(PositionFile(), folder_ / "first");
    AddNumbered(300);
    co_await UntilCopied(expected_.size());
  });
  std::filesystem::copy(folder_ / "first", PositionFile(),
                        std::filesystem::copy_options::overwrite_existing);
  Run([&]() -> io::Task<void> {
    AddNumbered(5);
    co_await UntilCopied(expected_.size());
    EXPECT_EQ(co_await Copied(), expected_);
  });
}

TEST_F(LogCopyTest, AConnectionThatBreaksIsMadeAnewAndNothingIsMissing) {
  Run([&]() -> io::Task<void> {
    AddNumbered(10);
    co_await UntilCopied(10);
    cut_ = true;
    for (io::Stream* stream : open_) stream->Close();
    co_await Until([&] { return !copy_->status().connected && dialled_ > 1; });
    AddNumbered(300);
    const LogTime until = copy_->status().until;
    EXPECT_EQ((co_await Copied()).size(), 10U);
    cut_ = false;
    co_await UntilCopied(310);
    EXPECT_EQ(co_await Copied(), expected_);
    EXPECT_GT(copy_->status().until, until);
  });
}

TEST_F(LogCopyTest, LinesThatWereRemovedDuringALongCutAreTold) {
  source_bytes_ = kMinStoreBytes;
  Run([&]() -> io::Task<void> {
    AddNumbered(10);
    co_await UntilCopied(10);
    EXPECT_EQ(copy_->status().gaps, 0);
    co_await Cut();
    AddMuch();
    co_await Until([&] { return source_->removed_sequence() > source_->first_sequence() + 10; });
    cut_ = false;
    Add("the last one");
    co_await UntilLast("the last one");
    // While the first of what is left was copied, more of it may have been removed.
    const uint64_t gaps = copy_->status().gaps;
    EXPECT_GE(gaps, 1U);
    EXPECT_EQ((co_await CopiedGaps()).size(), gaps);
    EXPECT_EQ((co_await Copied()).at(10),
              "lines may be missing: they were gone before us-west could copy them");
    // Of the next cut nothing is missing.
    co_await Cut();
    cut_ = false;
    Add("more");
    co_await UntilLast("more");
    EXPECT_EQ(copy_->status().gaps, gaps);
  });
}

TEST_F(LogCopyTest, AFollowerThatBeginsIsSentWhatItsQuotaHoldsAndMissesNothing) {
  copy_bytes_ = kMinStoreBytes;
  Run([&]() -> io::Task<void> {
    cut_ = true;
    co_await Until([&] { return dialled_ > 0; });
    AddNumbered(10);
    AddMuch();
    co_await Until([&] { return source_->SequenceOfNewest(copy_bytes_) > 0; });
    Add("the last one");
    cut_ = false;
    co_await UntilLast("the last one");
    EXPECT_LT(copy_->status().entries, 4000);
    EXPECT_EQ(copy_->status().gaps, 0);
  });
}

TEST_F(LogCopyTest, WhatTheOtherStoreLostStaysAndIsCopiedOnceIfItComesAgain) {
  Run([&]() -> io::Task<void> {
    AddNumbered(3);
    co_await UntilCopied(3);
    co_await RestartSource();  // these are written now
    source_files_.code = Errc::kIo;
    source_files_.writes_left = 0;
    const LogTime time = ToLogTime(loop_->Wall());
    for (const char* text : {"comes again", "comes never"}) {
      EXPECT_TRUE(source_->Add(
          {.origin = {.dc = dc_, .tier = "edge"}, .time = time, .arrival = time, .text = text}));
    }
    co_await UntilCopied(5);
    co_await RestartSource();
    EXPECT_TRUE(source_->Add({.origin = {.dc = dc_, .tier = "edge"},
                              .time = time,
                              .arrival = time + std::chrono::seconds{1},
                              .text = "comes again"}));
    AddNumbered(1);
    co_await UntilCopied(6);
    EXPECT_THAT(co_await Copied(),
                ElementsAre("line 0", "line 1", "line 2", "comes again", "comes never", "line 3"));
  });
}

TEST_F(LogCopyTest, ErrorsOfTiersComeFirstWhenThereIsMuchToSend) {
  Run([&]() -> io::Task<void> {
    cut_ = true;
    co_await Until([&] { return dialled_ > 0; });
    for (int i = 0; i < 3000; ++i) Add("many", "app", Severity::kError);
    Add("the disk is full", "sql", Severity::kError);
    for (int i = 0; i < 3000; ++i) Add("many", "app");
    cut_ = false;
    co_await UntilCopied(6001);
    const std::vector<std::string> texts = co_await Copied();
    // On a busy machine a few of the others are sent until it is found.
    EXPECT_LT(std::ranges::find(texts, "the disk is full") - texts.begin(), 2000);
    EXPECT_EQ(texts.size(), 6001U);
    EXPECT_EQ(std::ranges::count(texts, "the disk is full"), 1);
  });
}

TEST_F(LogCopyTest, OnlyTheDataCenterOfTheCertificateIsSentLines) {
  allowed_ = "eu-west";
  Run([&]() -> io::Task<void> {
    AddNumbered(3);
    co_await Until([&] { return dialled_ >= 2; });
    EXPECT_THAT(co_await Copied(), IsEmpty());
    EXPECT_FALSE(copy_->status().connected);
    EXPECT_EQ(copy_->status().until, LogTime{});
  });
}

TEST_F(LogCopyTest, LinesOfAnotherDataCenterAreNotTaken) {
  Run([&]() -> io::Task<void> {
    dc_ = "eu-west";
    Add("forged");
    co_await Until([&] { return dialled_ >= 2; });
    EXPECT_THAT(co_await Copied(), IsEmpty());
  });
}

TEST_F(LogCopyTest, AStoreThatWasMadeAnewWithHigherSequencesIsCopiedFromItsFront) {
  Run([&]() -> io::Task<void> {
    for (int i = 0; i < 3; ++i) Add("old");
    co_await UntilCopied(3);
  });
  std::filesystem::remove_all(folder_ / "log");
  first_segment_ = 5000;
  Run([&]() -> io::Task<void> {
    for (int i = 0; i < 4; ++i) Add("new");
    co_await UntilCopied(8);
    EXPECT_THAT(co_await Copied(), ElementsAre("old", "old", "old", HasSubstr("may be missing"),
                                               "new", "new", "new", "new"));
  });
}

TEST_F(LogCopyTest, AStoreThatWasMadeAnewIsCopiedFromItsFront) {
  Run([&]() -> io::Task<void> {
    for (int i = 0; i < 3; ++i) Add("old");
    co_await UntilCopied(3);
  });
  // Its sequences begin again, below those of the position.
  std::ofstream(PositionFile()) << EncodeCopyPosition(
      {.cursor = {.rest = uint64_t{1} << 60, .urgent = uint64_t{1} << 60}});
  std::filesystem::remove_all(folder_ / "log");
  Run([&]() -> io::Task<void> {
    Add("new");
    co_await UntilCopied(5);
    EXPECT_THAT(co_await Copied(),
                ElementsAre("old", "old", "old", HasSubstr("may be missing"), "new"));
  });
}

}  // namespace
}  // namespace meridian::watch
