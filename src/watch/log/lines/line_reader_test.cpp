#include "watch/log/lines/line_reader.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "watch/log/limits.hpp"

namespace meridian::watch {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

constexpr proc::IntakeLimits kGenerous = {.bytes_per_second = 1 << 30, .burst_bytes = 1 << 30};

class LineReaderTest : public testing::Test {
 protected:
  void Feed(std::string_view bytes) { reader_.Feed(bytes, At(), &entries_); }
  void Pass(Duration time) {
    clock_.Advance(time);
    reader_.Expire(At(), &entries_);
  }
  Arrival At() const { return {clock_.Now(), clock_.Wall()}; }
  // The texts of the entries since the last call.
  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    for (const ArrivedLine& entry : entries_) texts.push_back(entry.line.text);
    entries_.clear();
    return texts;
  }
  // One entry: all lines of `text` are joined.
  void ExpectOneEntry(std::string_view text) {
    Feed(text);
    Feed("\nnext one\n");
    reader_.Finish(At(), &entries_);
    EXPECT_THAT(Texts(), ElementsAre(text, "next one"));
  }

  ManualClock clock_;
  LineReader reader_{kGenerous};
  std::vector<ArrivedLine> entries_;
};

TEST_F(LineReaderTest, LinesAreEntriesWhereverReadsDivideThem) {
  Feed("one\ntw");
  Feed("o\n\n\r\nthree");
  Feed("\r\n");
  reader_.Finish(At(), &entries_);
  EXPECT_THAT(Texts(), ElementsAre("one", "two", "three"));
}

TEST_F(LineReaderTest, AnEntryWaitsForLinesThatBelongToItAndNotForLonger) {
  Feed("java.lang.Error: no\n");
  EXPECT_THAT(Texts(), ElementsAre());
  EXPECT_EQ(reader_.deadline(), clock_.Now() + kMaxJoinGap);
  clock_.Advance(kMaxJoinGap - 1ms);
  Feed("\tat Main.run(Main.java:3)\n");
  Pass(kMaxJoinGap - 1ms);
  EXPECT_THAT(Texts(), ElementsAre());
  Pass(1ms);
  EXPECT_THAT(Texts(), ElementsAre("java.lang.Error: no\n\tat Main.run(Main.java:3)"));
  EXPECT_EQ(reader_.deadline(), kNever);
}

TEST_F(LineReaderTest, LinesThatDripAreJoinedForALimitedTime) {
  Feed("start\n");
  Duration passed{};
  while (passed < kMaxJoinTime) {
    Feed(" more\n");
    Pass(kMaxJoinGap / 2);
    passed += kMaxJoinGap / 2;
  }
  EXPECT_THAT(Texts(), testing::SizeIs(1));
}

TEST_F(LineReaderTest, ALineWithoutEndIsTakenAfterATime) {
  Feed("Password: ");
  EXPECT_EQ(reader_.deadline(), clock_.Now() + kMaxPartialLineTime);
  Pass(kMaxPartialLineTime);
  Pass(kMaxJoinGap);
  ASSERT_EQ(entries_.size(), 1);
  EXPECT_TRUE(entries_[0].line.marks.Has(EntryMark::kPartial));
  EXPECT_THAT(Texts(), ElementsAre("Password: "));
  Feed("ok\n");
  Pass(kMaxJoinGap);
  EXPECT_THAT(Texts(), ElementsAre("ok"));
}

TEST_F(LineReaderTest, TheLastLineOfAPipeNeedsNoEnd) {
  Feed("dying words");
  reader_.Finish(At(), &entries_);
  ASSERT_EQ(entries_.size(), 1);
  EXPECT_TRUE(entries_[0].line.marks.Has(EntryMark::kPartial));
  EXPECT_EQ(reader_.deadline(), kNever);
}

TEST_F(LineReaderTest, JsonIsAnEntryAtOnceAndIsNeverJoined) {
  Feed("{\"msg\":\"a\"}\n  indented\n{\"msg\":\"b\"}\n");
  EXPECT_THAT(Texts(), ElementsAre("a", "  indented", "b"));
}

TEST_F(LineReaderTest, ALineAtTheLimitIsWhole) {
  std::string line(kMaxLineBytes, 'x');
  Feed(line + "\n");
  reader_.Finish(At(), &entries_);
  EXPECT_FALSE(entries_.at(0).line.marks.Has(EntryMark::kCut));
  EXPECT_THAT(Texts(), ElementsAre(line));
}

TEST_F(LineReaderTest, ALongerLineIsCutAndSaysSo) {
  for (size_t piece : {size_t{1'000'000}, size_t{777}}) {  // at once, and as it comes from a pipe
    std::string line(size_t{1'000'000}, 'x');
    std::string_view rest = line;
    for (; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size())))
      Feed(rest.substr(0, piece));
    Feed("\nnext\n");
    reader_.Finish(At(), &entries_);
    ASSERT_EQ(entries_.size(), 2);
    EXPECT_TRUE(entries_[0].line.marks.Has(EntryMark::kCut));
    EXPECT_THAT(
        Texts(),
        ElementsAre(std::string(kMaxLineBytes, 'x') + " [934464 more bytes were cut]", "next"));
  }
}

TEST_F(LineReaderTest, AnEndlessTraceIsDividedAndLosesNothing) {
  Feed("start\n");
  std::string line = " " + std::string(999, 'y') + "\n";
  for (int i = 0; i < 500; ++i) Feed(line);
  reader_.Finish(At(), &entries_);
  size_t lines = 0;
  for (const ArrivedLine& entry : entries_) {
    EXPECT_LE(entry.line.text.size(), kMaxJoinedBytes);
    lines += static_cast<size_t>(std::ranges::count(entry.line.text, '\n')) + 1;
  }
  EXPECT_EQ(lines, 501);
  EXPECT_GT(entries_.size(), 3);
}

TEST_F(LineReaderTest, AnEntryHasALimitedNumberOfLines) {
  Feed("start\n");
  for (size_t i = 0; i < kMaxJoinedLines; ++i) Feed(" l\n");
  reader_.Finish(At(), &entries_);
  EXPECT_EQ(entries_.size(), 2);
}

TEST_F(LineReaderTest, TheArrivalIsThatOfTheFirstLine) {
  LogTime first = ToLogTime(clock_.Wall());
  Feed("start\n");
  clock_.Advance(kMaxJoinGap / 2);
  Feed(" more\n");
  reader_.Finish(At(), &entries_);
  EXPECT_EQ(entries_.at(0).arrival, first);
}

TEST_F(LineReaderTest, BytesThatAreNoTextAreMarked) {
  Feed(std::string_view("a\0\xff\n", 4));
  reader_.Finish(At(), &entries_);
  EXPECT_TRUE(entries_.at(0).line.marks.Has(EntryMark::kEscaped));
  EXPECT_THAT(Texts(), ElementsAre("a\\x00\\xFF"));
}

// --- stack traces

TEST_F(LineReaderTest, TracesOfJavaAreJoined) {
  ExpectOneEntry(
      "Exception in thread \"main\" java.lang.IllegalStateException: a\n"
      "\tat com.acme.Main.run(Main.java:3)\n"
      "\t... 12 more\n"
      "Caused by: java.io.IOException: b\n"
      "\tat com.acme.Disk.read(Disk.java:7)");
}

TEST_F(LineReaderTest, TracesOfPythonAreJoined) {
  ExpectOneEntry(
      "Traceback (most recent call last):\n"
      "  File \"a.py\", line 3, in f\n"
      "    g()\n"
      "ValueError: a\n"
      "\n"
      "During handling of the above exception, another exception occurred:\n"
      "\n"
      "Traceback (most recent call last):\n"
      "  File \"a.py\", line 7, in <module>\n"
      "KeyError: 'b'");
}

TEST_F(LineReaderTest, TracesOfNodeAreJoined) {
  ExpectOneEntry(
      "Error: ENOENT: no such file\n"
      "    at open (node:fs:1)\n"
      "    at Object.<anonymous> (/app/server.js:3:9) {\n"
      "  errno: -2,\n"
      "  code: 'ENOENT'\n"
      "}");
}

TEST_F(LineReaderTest, TracesOfGoAreJoined) {
  ExpectOneEntry(
      "panic: runtime error: invalid memory address\n"
      "[signal SIGSEGV: segmentation violation code=0x1]\n"
      "\n"
      "goroutine 1 [running]:\n"
      "main.(*Server).Serve(0xc000010000, 0x1)\n"
      "\t/app/main.go:12 +0x1d\n"
      "created by main.main\n"
      "\t/app/main.go:3 +0x2f\n"
      "exit status 2");
}

TEST_F(LineReaderTest, TracesOfCppAreJoined) {
  ExpectOneEntry(
      "terminate called after throwing an instance of 'std::runtime_error'\n"
      "  what():  no");
  ExpectOneEntry(
      "crash in worker\n"
      "#0  0x00007f in raise () from /lib/libc.so.6\n"
      "#12 0x000055 in main () at main.cpp:3");
  ExpectOneEntry(
      "==4711==ERROR: AddressSanitizer: heap-use-after-free\n"
      "READ of size 4 at 0x602 thread T0\n"
      "    #0 0x55 in main a.cpp:3\n"
      "\n"
      "SUMMARY: AddressSanitizer: heap-use-after-free\n"
      "==4711==ABORTING");
}

TEST_F(LineReaderTest, LinesOfLogsAreNotJoined) {
  Feed("goroutine leak\nGET /a 200\nCreated user\n}\nTraceback of what\nmain.main()\n");
  reader_.Finish(At(), &entries_);
  EXPECT_THAT(Texts(), ElementsAre("goroutine leak", "GET /a 200", "Created user", "}",
                                   "Traceback of what", "main.main()"));
}

TEST_F(LineReaderTest, ATraceOfPythonEndsWithItsException) {
  Feed(
      "Traceback (most recent call last):\n  File \"a.py\", line 3\nValueError: a\nserving "
      "again\n");
  reader_.Finish(At(), &entries_);
  EXPECT_THAT(
      Texts(),
      ElementsAre("Traceback (most recent call last):\n  File \"a.py\", line 3\nValueError: a",
                  "serving again"));
}

// --- quota

class QuotaTest : public LineReaderTest {
 protected:
  QuotaTest() { reader_ = LineReader({.bytes_per_second = 1000, .burst_bytes = 2000}); }
};

TEST_F(QuotaTest, LinesPastTheQuotaAreDroppedCountedAndReported) {
  std::string line = std::string(99, 'z') + "\n";
  for (int i = 0; i < 50; ++i) Feed(line);
  EXPECT_EQ(reader_.dropped_lines(), 30);
  EXPECT_EQ(reader_.dropped_bytes(), 3000);
  Texts();
  Pass(kDropReportInterval);
  ASSERT_FALSE(entries_.empty());
  EXPECT_TRUE(entries_.back().line.marks.Has(EntryMark::kDropped));
  EXPECT_EQ(entries_.back().line.severity, Severity::kWarning);
  EXPECT_EQ(entries_.back().line.text,
            "30 lines dropped (3000 bytes): more than 1000 bytes a second");
}

TEST_F(QuotaTest, AFloodIsReportedEachSecondAndNotForEachLine) {
  std::string line = std::string(99, 'z') + "\n";
  uint64_t reports = 0;
  uint64_t lines = 0;
  for (int tenth = 0; tenth < 50; ++tenth) {
    for (int i = 0; i < 20; ++i) Feed(line);
    Pass(100ms);
    for (const ArrivedLine& entry : entries_) {
      bool is_report = entry.line.marks.Has(EntryMark::kDropped);
      (is_report ? reports : lines) += 1;
    }
    entries_.clear();
  }
  EXPECT_GE(reports, 4);
  EXPECT_LE(reports, 5);
  EXPECT_LE(lines, 20 + 50 + 1);
  EXPECT_GE(lines, 20 + 48);
}

TEST_F(QuotaTest, AQuietSourceSavesUpItsBurstAndNoMore) {
  std::string line = std::string(99, 'z') + "\n";
  for (int i = 0; i < 20; ++i) Feed(line);
  EXPECT_EQ(reader_.dropped_lines(), 0);
  clock_.Advance(1h);
  for (int i = 0; i < 30; ++i) Feed(line);
  EXPECT_EQ(reader_.dropped_lines(), 10);
}

TEST_F(QuotaTest, NoLineIsLostWithoutBeingCounted) {
  Random random(3);
  uint64_t fed = 0;
  uint64_t taken = 0;
  uint64_t reported = 0;
  auto count = [&] {
    for (const ArrivedLine& entry : entries_) {
      if (entry.line.marks.Has(EntryMark::kDropped)) {
        reported += std::stoull(entry.line.text);
      } else {
        ++taken;
      }
    }
    entries_.clear();
  };
  for (int i = 0; i < 3000; ++i) {
    Feed("line " + std::string(random.Below(60), 'q') + "\n");
    ++fed;
    if (random.Chance(0.3)) Pass(std::chrono::milliseconds(random.Below(200)));
    count();
  }
  reader_.Finish(At(), &entries_);
  count();
  EXPECT_GT(reported, 0);
  EXPECT_EQ(taken + reported, fed);
  EXPECT_EQ(reported, reader_.dropped_lines());
}

}  // namespace
}  // namespace meridian::watch
