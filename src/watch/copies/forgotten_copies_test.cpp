#include "watch/copies/forgotten_copies.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/scratch_dir.hpp"

namespace meridian::watch {
namespace {

TEST(ForgottenCopies, AreThoseOfDataCentersThatAreNotInTheSite) {
  ScratchDir scratch;
  const std::filesystem::path folder = scratch / "copies";
  for (const char* name : {"us-west", "eu-west", "ap-south"}) {
    std::filesystem::create_directories(folder / name / "log");
  }
  std::ofstream(folder / "eu-west" / "position") << "12345";
  std::ofstream(folder / "eu-west" / "log" / "0000000001.log") << "1234567890";
  std::ofstream(folder / "no folder") << "x";
  const std::vector<std::string> site = {"us-west", "sa-east"};
  const std::vector<ForgottenCopy> forgotten = ForgottenCopies(folder, site);
  ASSERT_EQ(forgotten.size(), 2U);
  EXPECT_EQ(forgotten[0].data_center, "ap-south");
  EXPECT_EQ(forgotten[0].bytes, 0U);
  EXPECT_EQ(forgotten[1].data_center, "eu-west");
  EXPECT_EQ(forgotten[1].bytes, 15U);
}

TEST(ForgottenCopies, WithoutAFolderThereAreNone) {
  ScratchDir scratch;
  EXPECT_TRUE(ForgottenCopies(scratch / "none", {}).empty());
}

}  // namespace
}  // namespace meridian::watch
