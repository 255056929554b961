#include "base/log_file.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/result.hpp"
#include "base/scratch_dir.hpp"

namespace meridian {
namespace {

namespace fs = std::filesystem;

std::string ContentOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class LogFileTest : public testing::Test {
 protected:
  std::unique_ptr<LogFile> Open(uint64_t max_bytes, int max_rotated_files = 2) {
    return LogFile::Open(
               {.path = path_, .max_bytes = max_bytes, .max_rotated_files = max_rotated_files})
        .value();
  }
  fs::path RotatedPath(int number) const { return path_.string() + "." + std::to_string(number); }

  ScratchDir folder_;
  fs::path path_ = folder_ / "edge.log";
};

TEST_F(LogFileTest, AFileIsFilledToItsLimitAndMovedAsideByTheNextLine) {
  auto log = Open(8);
  log->Write("one\n");
  log->Write("two\n");
  EXPECT_EQ(ContentOf(path_), "one\ntwo\n");
  EXPECT_FALSE(fs::exists(RotatedPath(1)));
  log->Write("3\n");
  EXPECT_EQ(ContentOf(path_), "3\n");
  EXPECT_EQ(ContentOf(RotatedPath(1)), "one\ntwo\n");
}

TEST_F(LogFileTest, ALineThatWasWrittenInPartGluedItselfToTheNext) {
  auto log = Open(1000);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  // Beyond the limit write(2) fails, and the process gets this signal.
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{.rlim_cur = 10, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  const bool part = log->Write("one\ntwo\nthree\n");
  const int why = errno;
  const bool none = log->Write("four\n");
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  (void)std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(part);
  EXPECT_EQ(why, ENOSPC);
  EXPECT_FALSE(none);
  EXPECT_TRUE(log->Write("five\n"));
  EXPECT_TRUE(log->Write("six\n"));
  EXPECT_EQ(ContentOf(path_), "one\ntwo\nth\nfive\nsix\n");
}

TEST_F(LogFileTest, OnlySoManyOlderFilesAreKept) {
  auto log = Open(4);
  for (const char* line : {"one\n", "two\n", "six\n", "ten\n"}) log->Write(line);
  EXPECT_EQ(ContentOf(path_), "ten\n");
  EXPECT_EQ(ContentOf(RotatedPath(1)), "six\n");
  EXPECT_EQ(ContentOf(RotatedPath(2)), "two\n");
  EXPECT_FALSE(fs::exists(RotatedPath(3)));
}

TEST_F(LogFileTest, BytesOfAnEarlierProcessCount) {
  Open(8)->Write("before\n");
  Open(8)->Write("after\n");
  EXPECT_EQ(ContentOf(path_), "after\n");
  EXPECT_EQ(ContentOf(RotatedPath(1)), "before\n");
}

TEST_F(LogFileTest, WhoeverSharesTheFileFollowsWhenItIsMoved) {
  auto one = Open(8);
  auto other = Open(8);
  one->Write("one 1\n");
  other->Write("other 1\n");
  one->Write("one 2\n");
  other->Write("*\n");
  EXPECT_EQ(ContentOf(path_), "one 2\n*\n");
  EXPECT_EQ(ContentOf(RotatedPath(1)), "other 1\n");
  EXPECT_EQ(ContentOf(RotatedPath(2)), "one 1\n");
}

TEST_F(LogFileTest, WithoutOlderFilesItIsEmptied) {
  auto log = Open(4, 0);
  log->Write("one\n");
  log->Write("two\n");
  EXPECT_EQ(ContentOf(path_), "two\n");
  EXPECT_FALSE(fs::exists(RotatedPath(1)));
}

TEST_F(LogFileTest, AFileThatWasRemovedIsMadeAnew) {
  auto log = Open(100);
  log->Write("lost\n");
  fs::remove(path_);
  log->Write("kept\n");
  EXPECT_EQ(ContentOf(path_), "kept\n");
}

TEST_F(LogFileTest, AFolderThatIsNotThereIsAnError) {
  auto log = LogFile::Open({.path = folder_ / "none" / "edge.log"});
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace meridian
