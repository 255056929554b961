#include "io/cores.hpp"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

namespace meridian::io {
namespace {

using testing::ElementsAre;

TEST(Cores, ALimitOfProcessorTimeIsRoundedUpToCores) {
  EXPECT_EQ(CoresOfCpuMax("200000 100000\n"), 2);
  EXPECT_EQ(CoresOfCpuMax("150000 100000\n"), 2);
  EXPECT_EQ(CoresOfCpuMax("1000 100000\n"), 1);
  EXPECT_EQ(CoresOfCpuMax("50000 50000"), 1);
}

TEST(Cores, NoLimitAndStrangeTextsLimitNothing) {
  for (const char* text :
       {"max 100000\n", "-1 100000", "", "100000", "100000 ", "100000 0", "1 2 3"}) {
    EXPECT_EQ(CoresOfCpuMax(text), std::nullopt) << text;
  }
}

TEST(Cores, TheGroupAndAllAboveItCount) {
  EXPECT_THAT(CpuGroups("0::/system.slice/meridian.service\n", "/cg"),
              ElementsAre("/cg/system.slice/meridian.service", "/cg/system.slice", "/cg"));
  EXPECT_THAT(CpuGroups("3:memory:/a\n2:cpu,cpuacct:/web/one\n1:cpuset:/b\n0::/\n", "/cg"),
              ElementsAre("/cg/cpu/web/one", "/cg/cpu/web", "/cg/cpu", "/cg"));
  for (const char* text : {"", "0", "0:", "::", "1:cpuset:/a"}) {
    EXPECT_LE(CpuGroups(text, "/cg").size(), 1U) << text;
  }
}

TEST(Cores, TheProcessUsesNoMoreCoresThanItsAffinityAllows) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  const int first = sched_getcpu();
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<size_t>(first), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(AvailableCores(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_LE(AvailableCores(), static_cast<size_t>(CPU_COUNT(&before)));
}

}  // namespace
}  // namespace meridian::io
