// Copies whose disk fails, whose process ends while it catches up, and whose connection is missing.
#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "watch/copies/copy_frame.hpp"
#include "watch/copies/log_copy_fixture.hpp"

namespace meridian::watch {
namespace {

using testing::HasSubstr;

class LogCopyFailureTest : public LogCopyTest {
 public:
  // Without what the copy's store says of itself.
  io::Task<std::vector<std::string>> CopiedLines() {
    std::vector<std::string> texts = co_await Copied();
    std::erase_if(texts, [](const std::string& text) { return !text.starts_with("line "); });
    co_return texts;
  }
  void ReplacePosition() {
    std::filesystem::copy(folder_ / "old", PositionFile(),
                          std::filesystem::copy_options::overwrite_existing);
  }
};

TEST_F(LogCopyFailureTest, WhatTheDiskLostIsCopiedAgainAndOnce) {
  Run([&]() -> io::Task<void> {
    AddNumbered(10);
    co_await UntilCopied(10);
    files_.code = Errc::kIo;
    files_.writes_left = 0;
    AddNumbered(3000);
    co_await Until([&] { return copy_->store()->status().lost > 0; });
    EXPECT_THAT(copy_->status().problem, HasSubstr("the test's disk fails"));
    files_.writes_left = ~uint64_t{0};
    const TimePoint end = loop_->After(std::chrono::seconds{60});
    std::vector<std::string> lines = co_await CopiedLines();
    while (lines.size() < expected_.size() && loop_->Now() < end) {
      (void)co_await io::Sleep(std::chrono::milliseconds{5});
      lines = co_await CopiedLines();
    }
    co_await Until([&] { return copy_->status().problem.empty(); });
    std::ranges::sort(lines);
    std::ranges::sort(expected_);
    EXPECT_EQ(lines, expected_);
  });
}

TEST_F(LogCopyFailureTest, NothingIsTakenWhileTheDiskFails) {
  Run([&]() -> io::Task<void> {
    AddNumbered(10);
    co_await UntilCopied(10);
    files_.code = Errc::kIo;
    files_.writes_left = 0;
    AddNumbered(1);
    co_await Until([&] { return !copy_->store()->has_room(); });
    const uint64_t entries = copy_->status().entries;
    AddNumbered(3000);
    // In the time of so many tries they would have come, and been lost.
    const int tries = files_.failed_writes + 4;
    co_await Until([&] { return files_.failed_writes >= tries; });
    EXPECT_EQ(copy_->status().entries, entries);
    EXPECT_EQ(copy_->store()->status().lost, 0);
    files_.writes_left = ~uint64_t{0};
    co_await UntilCopied(expected_.size());
    EXPECT_EQ(co_await Copied(), expected_);
  });
}

TEST_F(LogCopyFailureTest, EachLineIsCopiedOnceThoughAStartEndsBeforeItHasCaughtUp) {
  Run([&]() -> io::Task<void> {
    co_await Until([&] { return std::filesystem::exists(PositionFile()); });
    std::filesystem::copy(PositionFile(), folder_ / "old");
    AddNumbered(3000);
    co_await UntilCopied(expected_.size());
  });
  // Before it knows what it has.
  ReplacePosition();
  Run([&]() -> io::Task<void> { co_return; });
  // With the first of many frames.
  Run([&]() -> io::Task<void> { co_await Until([&] { return copy_->status().connected; }); });
  Run([&]() -> io::Task<void> {
    AddNumbered(5);
    co_await UntilCopied(expected_.size());
    co_await UntilLast(expected_.back());
    EXPECT_EQ(co_await Copied(), expected_);
  });
}

TEST_F(LogCopyFailureTest, APositionThatCannotBeReadForAMomentIsNotReplaced) {
  Run([&]() -> io::Task<void> {
    AddNumbered(300);
    co_await UntilCopied(expected_.size());
  });
  std::filesystem::rename(PositionFile(), folder_ / "kept");
  std::filesystem::create_directory(PositionFile());
  // It is ended while it tries.
  Run([&]() -> io::Task<void> { co_return; });
  EXPECT_TRUE(std::filesystem::is_directory(PositionFile()));
  Run([&]() -> io::Task<void> {
    AddNumbered(5);
    co_await Until([&] { return copy_->status().problem.contains("position"); });
    EXPECT_EQ(copy_->status().entries, 0);
    std::filesystem::remove(PositionFile());
    std::filesystem::rename(folder_ / "kept", PositionFile());
    co_await UntilCopied(expected_.size());
    EXPECT_EQ(co_await Copied(), expected_);
    EXPECT_EQ(copy_->status().problem, "");
  });
}

TEST_F(LogCopyFailureTest, AConnectionThatNeverComesAboutIsTold) {
  missing_after_ = std::chrono::milliseconds{1};
  Run([&]() -> io::Task<void> {
    cut_ = true;
    co_await Until([&] { return !copy_->status().problem.empty(); });
    EXPECT_EQ(copy_->status().problem, "the link is cut");
    cut_ = false;
    AddNumbered(1);
    co_await UntilCopied(1);
    EXPECT_EQ(copy_->status().problem, "");
  });
}

TEST_F(LogCopyFailureTest, AConnectionThatBreaksForAShortTimeIsNoProblem) {
  Run([&]() -> io::Task<void> {
    AddNumbered(1);
    co_await UntilCopied(1);
    co_await Cut();
    const int dialled = dialled_;
    co_await Until([&] { return dialled_ > dialled; });
    EXPECT_EQ(copy_->status().problem, "");
  });
}

// A source that sends one frame, and nothing more.
io::Task<void> SendOneFrame(io::Listener& listener, std::string frame) {
  auto stream = co_await listener.Accept();
  if (!stream) co_return;
  (void)co_await (*stream)->Write(AsBytes(frame), kNever);
  std::array<uint8_t, 512> bytes{};
  for (auto got = co_await (*stream)->Read(bytes); got && *got > 0;) {
    got = co_await (*stream)->Read(bytes);
  }
}

TEST_F(LogCopyFailureTest, ACopyIsWholeUpToWhenItsSourceSearchedAndNotToWhenTheFrameCame) {
  Run([&]() -> io::Task<void> {
    auto listener = network_->Listen({IpAddress::V4(127, 0, 0, 1), 0}, {});
    CHECK(listener);
    other_source_ = (*listener)->local();
    const LogTime searched = ToLogTime(loop_->Wall()) - std::chrono::minutes{3};
    CopyFrame frame{.cursor = {.rest = 17, .urgent = 17}, .searched = searched, .current = true};
    io::Scope sending(*loop_);
    sending.Spawn(SendOneFrame(**listener, EncodeCopyFrame(frame)));
    const TimePoint end = loop_->After(std::chrono::seconds{60});
    while (copy_->status().until != searched && loop_->Now() < end) {
      (void)co_await io::Sleep(std::chrono::milliseconds{5});
    }
    EXPECT_EQ(copy_->status().until, searched);
    sending.Cancel();
    co_await sending.Join();
  });
}

}  // namespace
}  // namespace meridian::watch
