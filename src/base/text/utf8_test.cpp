#include "base/text/utf8.hpp"

#include <string_view>

#include <gtest/gtest.h>

namespace meridian {
namespace {

using std::string_view_literals::operator""sv;

TEST(Utf8Test, CharactersOfEachLengthAreValidUpToTheirBounds) {
  EXPECT_EQ(Utf8Length("a"), 1U);
  EXPECT_EQ(Utf8Length("\0"sv), 1U);
  EXPECT_EQ(Utf8Length("\x7f"), 1U);
  EXPECT_EQ(Utf8Length("\xc2\x80"), 2U);
  EXPECT_EQ(Utf8Length("\xdf\xbf"), 2U);
  EXPECT_EQ(Utf8Length("\xe0\xa0\x80"), 3U);
  EXPECT_EQ(Utf8Length("\xed\x9f\xbf"), 3U);
  EXPECT_EQ(Utf8Length("\xee\x80\x80"), 3U);
  EXPECT_EQ(Utf8Length("\xf0\x90\x80\x80"), 4U);
  EXPECT_EQ(Utf8Length("\xf4\x8f\xbf\xbf"), 4U);
}

TEST(Utf8Test, OverlongFormsSurrogatesAndWhatIsTooHighAreNot) {
  for (std::string_view text :
       {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\x80", "\xbf"}) {
    EXPECT_EQ(Utf8Length(text), 0U) << text.size();
    EXPECT_FALSE(IsUtf8(text));
  }
}

TEST(Utf8Test, CutOffOrBrokenCharactersAreNot) {
  EXPECT_EQ(Utf8Length(""), 0U);
  for (std::string_view text :
       {"\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc3(", "\xe2(\xac", "\xe2\x82("}) {
    EXPECT_EQ(Utf8Length(text), 0U);
    EXPECT_FALSE(IsUtf8(text));
  }
}

TEST(Utf8Test, ATextIsValidWhenAllOfItIs) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("Zürich, 東京, 😀"));
  EXPECT_FALSE(IsUtf8("Zürich\xff"));
  EXPECT_FALSE(IsUtf8("a\xe2\x82"));
}

}  // namespace
}  // namespace meridian
