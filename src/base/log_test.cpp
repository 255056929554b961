#include "base/log.hpp"

#include <array>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/log/log_copy.hpp"
#include "base/scratch_dir.hpp"

namespace meridian {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;

// The log output of `log` under `options`.
std::string Logged(LogOptions options, const std::function<void()>& log) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe(ends.data()), 0);
  options.fd = ends[1];
  ConfigureLog(options);
  log();
  ConfigureLog({});
  close(ends[1]);
  std::string text(3 * kMaxLogLineBytes, '\0');
  ssize_t got = read(ends[0], text.data(), text.size());
  close(ends[0]);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

TEST(Log, AnEventIsOneJsonObjectOnOneLine) {
  std::string line = Logged({.process = "edge", .dc = "us-east"}, [] {
    LOG_INFO("it \"works\"", {"port", 80}, {"ok", true}, {"load", 0.5}, {"path", "a\nb\x01"});
  });
  EXPECT_THAT(line,
              MatchesRegex("\\{\"time\":\"[0-9-]+T[0-9:]+\\.[0-9]+Z\",\"level\":\"info\",.*\\}\n"));
  EXPECT_THAT(line,
              EndsWith("\"process\":\"edge\",\"dc\":\"us-east\",\"event\":\"it \\\"works\\\"\","
                       "\"port\":80,\"ok\":true,\"load\":0.5,\"path\":\"a\\nb\\u0001\"}\n"));
}

TEST(Log, OnATerminalALineIsReadable) {
  std::string line = Logged({.format = LogFormat::kText, .process = "edge", .dc = "us-east"},
                            [] { LOG_WARNING("slow", {"path", "/a b"}, {"ms", 12u}); });
  EXPECT_THAT(line,
              MatchesRegex("[0-9:]+\\.[0-9]+ warning: us-east edge: slow path=\"/a b\" ms=12\n"));
}

TEST(Log, EventsBelowTheLeastLevelAreNotWritten) {
  EXPECT_EQ(Logged({}, [] { LOG_DEBUG("hidden"); }), "");
  EXPECT_THAT(Logged({.min_level = LogLevel::kDebug}, [] { LOG_DEBUG("shown"); }),
              HasSubstr("shown"));
}

TEST(Log, ACopyIsJsonWhateverTheFirstPlaceShows) {
  ScratchDir folder;
  const std::string path = folder / "agent.log";
  std::string shown = Logged({.format = LogFormat::kText, .process = "agent"}, [&] {
    ASSERT_TRUE(CopyLogTo({.path = path}));
    LOG_INFO("ready", {"port", 80});
  });
  EXPECT_THAT(shown, EndsWith("agent: ready port=80\n"));
  std::ifstream file(path);
  std::string copied{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(copied, EndsWith(R"("process":"agent","event":"ready","port":80})"
                               "\n"));
}

TEST(Log, ACopyThatCannotBeOpenedLeavesTheFirstPlace) {
  std::string shown = Logged({.process = "agent"}, [] {
    EXPECT_FALSE(CopyLogTo({.path = "/no/such/folder/agent.log"}));
    LOG_INFO("ready");
  });
  EXPECT_THAT(shown, HasSubstr("ready"));
}

TEST(Log, ALineThatIsTooLongIsCutMarkedAndStaysJson) {
  std::string line = Logged({}, [] {
    LOG_INFO("big", {"small", 1}, {"large", std::string(kMaxLogLineBytes, 'x')}, {"after", 2});
  });
  EXPECT_LE(line.size(), kMaxLogLineBytes);
  EXPECT_THAT(line, MatchesRegex(".*\"small\":1,\"large\":\"x{7000}x*\",\"after\":2,"
                                 "\"truncated\":true\\}\n"));
}

TEST(Log, TextTooLongOnlyOnceEscapedIsCutToFit) {
  std::string line =
      Logged({}, [] { LOG_INFO("output", {"line", std::string(kMaxLogLineBytes / 2, '\x01')}); });
  EXPECT_LE(line.size(), kMaxLogLineBytes);
  EXPECT_THAT(line, HasSubstr("\"line\":\"\\u0001\\u0001"));
  EXPECT_THAT(line, EndsWith("\\u0001\",\"truncated\":true}\n"));
}

TEST(Log, ALineThatFitsExactlyIsNotCut) {
  auto with = [](size_t bytes) {
    return Logged({}, [&] { LOG_INFO("e", {"t", std::string(bytes, 'x')}); });
  };
  size_t fits = kMaxLogLineBytes - with(0).size() - std::string(",\"truncated\":true").size();
  EXPECT_THAT(with(fits), EndsWith("x\"}\n"));
  EXPECT_THAT(with(fits + 1), EndsWith("x\",\"truncated\":true}\n"));
}

TEST(Log, InvalidUtf8IsReplaced) {
  std::string out;
  AppendJsonString(out, "ok \xc3\xa9 \xff \xe2\x82 \xed\xa0\x80");
  EXPECT_EQ(
      out,
      "\"ok \xc3\xa9 \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace meridian
