#include "edge/visitors/access_rule.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace meridian::edge {
namespace {

TEST(AccessRule, IsAWordOrAShare) {
  EXPECT_EQ(ParseAccessRule("all"), kLogAll);
  EXPECT_EQ(ParseAccessRule("errors"), kLogErrors);
  EXPECT_EQ(ParseAccessRule("off"), kLogOff);
  EXPECT_EQ(ParseAccessRule("1%"), kLogErrorsAndFew);
  EXPECT_EQ(ParseAccessRule("0.5%"), (AccessRule{.errors = true, .other_share = 0.005}));
  EXPECT_EQ(ParseAccessRule("100%"), kLogAll);
  for (const char* text :
       {"", "All", "1", "%", "101%", "-1%", "1 %", "1e1%", "inf%", "nan%", "1%%", "0x1%"}) {
    EXPECT_EQ(ParseAccessRule(text), std::nullopt) << text;
  }
}

TEST(AccessRule, ErrorsAreAlwaysAmongAShare) {
  Random random(1);
  int logged = 0;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(kLogErrorsAndFew.Wants(404, random));
    EXPECT_TRUE(kLogErrorsAndFew.Wants(503, random));
    EXPECT_TRUE(kLogErrorsAndFew.Wants(0, random));
    logged += kLogErrorsAndFew.Wants(200, random) ? 1 : 0;
  }
  EXPECT_GT(logged, 50);
  EXPECT_LT(logged, 200);
}

TEST(AccessRule, ByDefaultALabLogsAllAndAServerErrorsAndAFew) {
  EXPECT_EQ(DefaultAccessRule(true), *ParseAccessRule("all"));
  EXPECT_EQ(DefaultAccessRule(false), *ParseAccessRule("1%"));
}

TEST(AccessRule, OffWantsNothingAndAllWantsEverything) {
  Random random(1);
  for (int status : {0, 101, 200, 304, 404, 500}) {
    EXPECT_FALSE(kLogOff.Wants(status, random)) << status;
    EXPECT_TRUE(kLogAll.Wants(status, random)) << status;
  }
  EXPECT_FALSE(kLogErrors.Wants(200, random));
  EXPECT_FALSE(kLogOff.any());
}

}  // namespace
}  // namespace meridian::edge
