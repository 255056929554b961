#include "agent/engines/engine_program.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "base/scratch_dir.hpp"

namespace meridian::agent {
namespace {

namespace fs = std::filesystem;

TEST(FindProgram, TakesTheFirstNameThatIsAProgram) {
  ScratchDir scratch;
  const fs::path a = scratch / "a";
  const fs::path b = scratch / "b";
  for (const fs::path& folder : {a, b}) fs::create_directory(folder);
  auto add = [](const fs::path& file, bool executable) {
    std::ofstream(file) << "#!/bin/sh\n";
    if (executable) fs::permissions(file, fs::perms::owner_all);
  };
  const std::string path = ":" + a.string() + ":" + b.string() + ":/nowhere";
  EXPECT_EQ(FindProgram({"engine"}, path), std::nullopt);
  EXPECT_EQ(FindProgram({"engine"}, ""), std::nullopt);
  add(a / "engine", false);
  fs::create_directory(a / "other");
  EXPECT_EQ(FindProgram({"engine", "other"}, path), std::nullopt);
  add(b / "other", true);
  EXPECT_EQ(FindProgram({"engine", "other"}, path), (b / "other").string());
  add(b / "engine", true);
  EXPECT_EQ(FindProgram({"engine", "other"}, path), (b / "engine").string());
}

}  // namespace
}  // namespace meridian::agent
