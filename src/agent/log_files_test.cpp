#include "agent/log_files.hpp"

#include <string>

#include <gtest/gtest.h>

#include "io/file.hpp"

namespace meridian::agent {
namespace {

namespace fs = std::filesystem;

TEST(LogFiles, AFileThatHasGrownIsMovedAsideAndItsWriterGoesOn) {
  fs::path folder = fs::path(testing::TempDir()) / "meridian_log_files_test";
  fs::remove_all(folder);
  fs::create_directories(folder);
  ASSERT_TRUE(io::WriteFileAtomically(folder / "edge.log", std::string(101, 'x'), 0600));
  ASSERT_TRUE(io::WriteFileAtomically(folder / "dns.log", std::string(100, 'y'), 0600));
  ASSERT_TRUE(io::WriteFileAtomically(folder / "other.txt", std::string(500, 'z'), 0600));
  ASSERT_TRUE(BoundLogFiles(folder, 100));
  EXPECT_EQ(io::ReadFile(folder / "edge.log.1", 1000).value(), std::string(101, 'x'));
  EXPECT_EQ(fs::file_size(folder / "edge.log"), 0u);
  EXPECT_EQ(fs::file_size(folder / "dns.log"), 100u);
  EXPECT_EQ(fs::file_size(folder / "other.txt"), 500u);
  fs::remove_all(folder);
  EXPECT_FALSE(BoundLogFiles(folder, 100));
}

}  // namespace
}  // namespace meridian::agent
