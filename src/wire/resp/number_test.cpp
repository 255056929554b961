#include "wire/resp/number.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace meridian::wire::resp {
namespace {

TEST(Number, IntegerHasOneSpelling) {
  EXPECT_EQ(ParseInteger("0"), 0);
  EXPECT_EQ(ParseInteger("-1"), -1);
  EXPECT_EQ(ParseInteger("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseInteger("-9223372036854775808"), std::numeric_limits<int64_t>::min());
  for (const char* text : {"", "-", "+1", "01", "-0", " 1", "1 ", "1.0", "9223372036854775808",
                           "-9223372036854775809", "0x1", "1234567890123456789012"}) {
    EXPECT_FALSE(ParseInteger(text)) << text;
  }
}

TEST(Number, DoubleIsDecimal) {
  EXPECT_EQ(ParseDouble("1.5"), 1.5);
  EXPECT_EQ(ParseDouble("-.5e1"), -5);
  EXPECT_EQ(ParseDouble("+3"), 3);
  EXPECT_EQ(ParseDouble("5e3"), 5000);
  EXPECT_TRUE(std::isinf(*ParseDouble("-INF")));
  for (const char* text : {"", ".", "e1", "1e", "nan", "0x10", " 1", "1 ", "1e999", "--1"}) {
    EXPECT_FALSE(ParseDouble(text)) << text;
  }
}

TEST(Number, DoublesAreWrittenShort) {
  EXPECT_EQ(DoubleText(0.1).text(), "0.1");
  EXPECT_EQ(DoubleText(3).text(), "3");
  EXPECT_EQ(FixedDoubleText(*ParseLongDouble("10.5") + *ParseLongDouble("0.1")).text(), "10.6");
  EXPECT_EQ(FixedDoubleText(5000).text(), "5000");
  EXPECT_EQ(FixedDoubleText(-0.0L).text(), "0");
  EXPECT_EQ(FixedDoubleText(std::numeric_limits<long double>::infinity()).text(), "");
}

TEST(Number, LargestThatIsWrittenCanBeReadAgain) {
  FixedText largest = FixedDoubleText(-std::numeric_limits<long double>::max());
  EXPECT_EQ(largest.size, 4934U);
  EXPECT_EQ(ParseLongDouble(largest.text()), -std::numeric_limits<long double>::max());
  EXPECT_FALSE(ParseLongDouble(std::string(size_t{5} * 1024 + 1, '1')));
}

}  // namespace
}  // namespace meridian::wire::resp
