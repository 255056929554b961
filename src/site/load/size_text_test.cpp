#include "site/load/size_text.hpp"

#include <gtest/gtest.h>

namespace meridian::site {
namespace {

TEST(SizeText, AWholeNumberAndItsUnit) {
  EXPECT_EQ(ParseSize("512KiB").value(), 512U * 1024);
  EXPECT_EQ(ParseSize("256MiB").value(), 256U * 1024 * 1024);
  EXPECT_EQ(ParseSize("999999TiB").value(), uint64_t{999999} << 40);
}

TEST(SizeText, AnyOtherSpellingIsInvalid) {
  for (const char* text :
       {"", "1", "MiB", "1MB", "1mib", "1.5MiB", "-1MiB", "1 MiB", "1000000KiB"}) {
    EXPECT_FALSE(ParseSize(text)) << text;
  }
}

TEST(SizeText, IsWrittenInTheLargestUnitThatFits) {
  EXPECT_EQ(SizeText(uint64_t{256} << 20), "256MiB");
  EXPECT_EQ(SizeText(1536 * 1024), "1536KiB");
  EXPECT_EQ(SizeText(0), "0KiB");
}

}  // namespace
}  // namespace meridian::site
