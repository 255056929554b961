#include "watch/copies/log_copy.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "watch/copies/copy_position.hpp"
#include "watch/copies/log_copy_fixture.hpp"

namespace meridian::watch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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
