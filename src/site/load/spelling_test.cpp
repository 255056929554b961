#include "site/load/spelling.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace meridian::site {
namespace {

TEST(EditDistance, CountsInsertedRemovedReplacedAndSwappedLetters) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("port", "port"), 0u);
  EXPECT_EQ(EditDistance("Port", "pORT"), 0u);
  EXPECT_EQ(EditDistance("", "port"), 4u);
  EXPECT_EQ(EditDistance("pot", "port"), 1u);
  EXPECT_EQ(EditDistance("poort", "port"), 1u);
  EXPECT_EQ(EditDistance("pirt", "port"), 1u);
  EXPECT_EQ(EditDistance("prot", "port"), 1u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance(std::string(100, 'a'), std::string(100, 'b')), 64u);
}

TEST(Nearest, IsTheCandidateThatWasMeantOrNone) {
  const std::vector<std::string> known = {"name", "address", "location", "weight", "health"};
  EXPECT_EQ(Nearest("adress", known), "address");
  EXPECT_EQ(Nearest("Name", known), "name");
  EXPECT_EQ(Nearest("wieght", known), "weight");
  EXPECT_EQ(Nearest("health_path", known), "health");
  EXPECT_EQ(Nearest("loc", known), "location");
  EXPECT_EQ(Nearest("latitude", known), std::nullopt);
  EXPECT_EQ(Nearest("", known), std::nullopt);
  EXPECT_EQ(Nearest("x", {}), std::nullopt);
}

TEST(Nearest, OneWrongLetterOfAOneLetterWordIsNoMatch) {
  const std::vector<std::string> known = {"a"};
  EXPECT_EQ(Nearest("b", known), std::nullopt);
}

}  // namespace
}  // namespace meridian::site
