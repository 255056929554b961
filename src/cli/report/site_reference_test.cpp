#include "cli/report/site_reference.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command_line.hpp"
#include "site/load/reference.hpp"

namespace meridian::cli {
namespace {

// The tests run in the root of the checkout.
constexpr const char* kPage = "docs/site.toml.md";

std::string ReadPage() {
  std::ifstream file(kPage, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(SiteReference, EveryKeyThatIsReadIsDescribedAndNoOther) {
  EXPECT_THAT(site::Describe(AllTiers()).problems, testing::IsEmpty());
}

// UPDATE_GOLDEN=1 rewrites the page; read the difference.
TEST(SiteReference, ThePageListsWhatTheReadersAskFor) {
  std::string page = SiteReferencePage(site::Describe(AllTiers()));
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(kPage, std::ios::binary) << page;
  EXPECT_EQ(ReadPage(), page) << "write it again: see the top of " << kPage;
}

}  // namespace
}  // namespace meridian::cli
