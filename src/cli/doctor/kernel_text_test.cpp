#include "cli/doctor/kernel_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(KernelText, ASettingIsOneNumberOnAWholeLine) {
  EXPECT_EQ(ParseSetting("4096\n"), 4096U);
  for (const char* text : {"", "4096", "max\n", "-1\n", "1 2\n", "1\n2\n"}) {
    EXPECT_FALSE(ParseSetting(text)) << text;
  }
}

TEST(KernelText, ARangeOfPorts) {
  EXPECT_EQ(ParsePortRange("32768\t60999\n"), (PortRange{32768, 60999}));
  for (const char* text : {"", "32768\n", "32768 70000\n", "32768 60999", "a b\n", "1 2 3\n"}) {
    EXPECT_FALSE(ParsePortRange(text)) << text;
  }
}

TEST(KernelText, AListOfPorts) {
  EXPECT_THAT(ParsePortList("8080,9000-9010\n"), ElementsAre(Pair(8080, 8080), Pair(9000, 9010)));
  EXPECT_THAT(ParsePortList("8080,x,70000,1-x,9\n"), ElementsAre(Pair(8080, 8080), Pair(9, 9)));
  EXPECT_THAT(ParsePortList("\n"), IsEmpty());
  EXPECT_THAT(ParsePortList("8080"), IsEmpty()) << "it was cut off";
}

}  // namespace
}  // namespace meridian::cli
