#include "agent/host/process_text.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kRest =
    " 1 77 77 0 -1 4194560 2 0 0 0 300 40 5 6 20 0 11 0 1500 4096000 250 18446744073709551615\n";

TEST(ProcessText, TimesThreadsAndMemory) {
  auto stat = ParseProcessStat("77 (node) S" + kRest);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, 1);
  EXPECT_FALSE(stat->ended);
  EXPECT_EQ(stat->cpu_ticks, 351U) << "with ended children";
  EXPECT_EQ(stat->threads, 11U);
  EXPECT_EQ(stat->resident_pages, 250U);
}

TEST(ProcessText, AProgramMayHaveAnyName) {
  for (const char* name : {"a b", ") S 1 2 3 4 5", "((", ")))", "\xff\n", ""}) {
    auto stat = ParseProcessStat("77 (" + std::string(name) + ") R" + kRest);
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->resident_pages, 250U) << name;
  }
}

TEST(ProcessText, AZombieHasEnded) {
  auto stat = ParseProcessStat("77 (x) Z" + kRest);
  ASSERT_TRUE(stat);
  EXPECT_TRUE(stat->ended);
}

TEST(ProcessText, WhatIsCutOffOrMalformedIsAbsent) {
  const std::string whole = "77 (node) S" + kRest;
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(ParseProcessStat(whole.substr(0, length))) << length;
  }
  EXPECT_FALSE(ParseProcessStat("77 (x) S -1 77 77 0 -1 4 2 0 0 0 3 4 5 6 20 0 11 0 15 40 25\n"));
  EXPECT_FALSE(ParseProcessStat("77 (x) S 1 77 77 0 -1 4 2 0 0 0 3 4 5 6 20 0 11 0 15 40 -25\n"));
}

TEST(ProcessText, TheSoftLimitOfDescriptors) {
  const std::string head =
      "Limit                     Soft Limit           Hard Limit  Units     \n";
  EXPECT_EQ(ParseDescriptorLimit(head + "Max open files            1024     524288   files     \n"),
            1024U);
  EXPECT_FALSE(ParseDescriptorLimit(head + "Max open files  unlimited  unlimited   files     \n"));
  EXPECT_FALSE(ParseDescriptorLimit(head + "Max open files            10"));
  EXPECT_FALSE(ParseDescriptorLimit(head));
  EXPECT_FALSE(ParseDescriptorLimit(""));
}

TEST(ProcessText, ATreeIsAProcessAndItsLivingDescendants) {
  ProcessTable table;
  table.Add(1, {.parent = 0});
  table.Add(10, {.parent = 1});
  table.Add(11, {.parent = 10});
  table.Add(12, {.parent = 11});
  table.Add(13, {.parent = 10, .ended = true});
  table.Add(20, {.parent = 1});
  EXPECT_THAT(table.Tree(10), ElementsAre(10, 11, 12));
  EXPECT_THAT(table.Tree(20), ElementsAre(20));
  EXPECT_THAT(table.Tree(13), IsEmpty());
  EXPECT_THAT(table.Tree(99), IsEmpty());
}

TEST(ProcessText, ACircleOfParentsEnds) {
  ProcessTable table;
  table.Add(10, {.parent = 11});
  table.Add(11, {.parent = 10});
  table.Add(12, {.parent = 12});
  EXPECT_THAT(table.Tree(10), ElementsAre(10, 11));
  EXPECT_THAT(table.Tree(12), ElementsAre(12));
}

}  // namespace
}  // namespace meridian::agent
