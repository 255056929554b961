#include "edge/visitors/access_log.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <latch>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "base/metrics_text.hpp"
#include "base/random.hpp"
#include "base/scratch_dir.hpp"
#include "edge/limits.hpp"
#include "io/epoll.hpp"
#include "io/scope.hpp"

namespace meridian::edge {
namespace {

using testing::HasSubstr;

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() {
    request_.method = "GET";
    request_.target = "/a";
    request_.authority = "photos.example";
  }
  void AddLines(AccessLog& log, int count) {
    Random random(1);
    const wire::http::RequestIds ids(request_, random);
    for (int i = 0; i < count; ++i) {
      log.Add({.time = log.WallAt(loop_.Now()), .request = request_, .ids = ids, .status = 200});
    }
  }
  static int64_t LinesIn(std::string_view text) { return std::ranges::count(text, '\n'); }

  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  Metrics metrics_;
  wire::http::RequestHead request_;
};

TEST_F(AccessLogTest, CollectedLinesAreWrittenWhenItEnds) {
  std::string written;
  AccessLog log(loop_, metrics_, kLogAll, [&](std::string_view lines) -> Result<void> {
    written += lines;
    return {};
  });
  auto run = [&]() -> io::Task<void> {
    io::Scope scope(loop_);
    scope.Spawn(log.Run());
    AddLines(log, 3);
    scope.Cancel();
    co_await scope.Join();
  };
  loop_.RunToEnd(run());
  EXPECT_EQ(LinesIn(written), 3);
  EXPECT_THAT(written, HasSubstr(R"("host":"photos.example","target":"/a")"));
  EXPECT_THAT(MetricsText(metrics_), HasSubstr("meridian_edge_access_log_lines_total 3\n"));
}

TEST_F(AccessLogTest, WhileTheDiskIsSlowLinesAreDroppedAndCountedAndNoVisitorWaits) {
  std::latch stuck(1);
  std::latch go_on(1);
  int64_t written = 0;
  std::atomic<int> writes = 0;
  AccessLog log(loop_, metrics_, kLogAll, [&](std::string_view lines) -> Result<void> {
    if (writes++ == 0) {
      stuck.count_down();
      go_on.wait();
    }
    written += LinesIn(lines);
    return {};
  });
  constexpr int kFirst = 1000;  // more than kAccessFlushBytes
  const int lines = 20'000;
  auto run = [&]() -> io::Task<void> {
    io::Scope scope(loop_);
    scope.Spawn(log.Run());
    AddLines(log, kFirst);
    while (!stuck.try_wait()) (void)co_await io::Sleep(std::chrono::milliseconds{1});
    AddLines(log, lines);
    go_on.count_down();
    scope.Cancel();
    co_await scope.Join();
  };
  loop_.RunToEnd(run());
  const auto families = metrics_.Read();
  const auto dropped = std::ranges::find(families, "meridian_edge_access_log_dropped_total",
                                         &MetricFamilyReading::name);
  ASSERT_NE(dropped, families.end());
  EXPECT_GT(dropped->series[0].count, 0U);
  EXPECT_EQ(static_cast<uint64_t>(written) + dropped->series[0].count, lines + uint64_t{kFirst});
}

TEST_F(AccessLogTest, LostLinesAreToldOnceAndSoIsTheirEnd) {
  const ScratchDir folder;
  ConfigureLog({.file = {.path = folder / "log"}});
  bool fails = true;
  int writes = 0;
  AccessLog log(loop_, metrics_, kLogAll, [&](std::string_view) -> Result<void> {
    ++writes;
    if (fails) return Fail(Errc::kIo, "the disk is full");
    return {};
  });
  std::vector<std::string> told;
  log.on_problem = [&](const std::string& problem) { told.push_back(problem); };
  auto run = [&]() -> io::Task<void> {
    for (int i = 0; i < 6; ++i) {
      fails = i < 4;
      io::Scope scope(loop_);
      AddLines(log, 1);
      scope.Spawn(log.Run());
      scope.Cancel();
      co_await scope.Join();
    }
  };
  loop_.RunToEnd(run());
  ConfigureLog({});
  EXPECT_EQ(writes, 6);
  EXPECT_EQ(told,
            (std::vector<std::string>{"lines of the access log are lost: the disk is full", ""}));
  std::ifstream file(folder / "log");
  EXPECT_EQ(LinesIn(std::string(std::istreambuf_iterator<char>(file), {})), 2);
}

TEST_F(AccessLogTest, LinesThatCannotBeWrittenAreCounted) {
  AccessLog log(loop_, metrics_, kLogAll,
                [](std::string_view) { return Fail(Errc::kIo, "the disk is full"); });
  auto run = [&]() -> io::Task<void> {
    io::Scope scope(loop_);
    scope.Spawn(log.Run());
    AddLines(log, 2);
    scope.Cancel();
    co_await scope.Join();
  };
  loop_.RunToEnd(run());
  EXPECT_THAT(MetricsText(metrics_),
              HasSubstr("meridian_edge_access_log_dropped_total{reason=\"write_failed\"} 2\n"));
}

TEST(AccessFile, IsMadeWithItsFolder) {
  ScratchDir folder;
  const std::string path = folder.path() / "logs" / "us-east" / "access.log";
  auto sink = OpenAccessFile(path);
  ASSERT_TRUE(sink);
  EXPECT_TRUE((*sink)("one\ntwo\n"));
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "one\ntwo\n");
  EXPECT_FALSE(OpenAccessFile("/proc/nowhere/access.log"));
}

}  // namespace
}  // namespace meridian::edge
