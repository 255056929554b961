#include "cli/command/completion.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli/command/command.hpp"

namespace meridian::cli {
namespace {

using Words = std::vector<std::string>;

class CompletionTest : public testing::Test {
 protected:
  CompletionTest() {
    program_.version = "1";
    Command& run = program_.AddCommand("run", "Run");
    run.AddOption(
        {.name = "--roles", .value = &roles_, .separator = ',', .one_of = {"dns", "edge"}});
    run.AddOption({.name = "--state", .value = &text_});
    run.AddOption({.name = "--lab", .value = &flag_, .hidden = true});
    Command& dc = program_.AddCommand("dc", "A data center");
    dc.AddCommand("drain", "Drain");
    dc.AddCommand("kill", "Kill");
    program_.AddCommand("agent", "Not for users").hidden = true;
    Command& completion = program_.AddCommand("completion", "Completion");
    completion.AddOption({.name = "shell", .value = &text_, .one_of = {"bash", "zsh"}});
  }

  Words Of(const Words& words) { return Completions(program_, words); }

  Command program_{"meridian", "Serves"};
  Words roles_;
  std::string text_;
  bool flag_ = false;
};

TEST_F(CompletionTest, OffersTheSubcommandsThatUsersCall) {
  EXPECT_EQ(Of({""}), (Words{"run", "dc", "completion"}));
  EXPECT_EQ(Of({}), (Words{"run", "dc", "completion"}));
  EXPECT_EQ(Of({"d"}), (Words{"dc"}));
  EXPECT_EQ(Of({"dc", "d"}), (Words{"drain"}));
}

TEST_F(CompletionTest, OffersOptionsOfTheCommandAfterADash) {
  EXPECT_EQ(Of({"run", "--"}), (Words{"--roles", "--state", "--help"}));
  EXPECT_EQ(Of({"--v"}), (Words{"--version"}));
}

TEST_F(CompletionTest, OffersTheValuesOfAnOptionAlsoWithinAList) {
  EXPECT_EQ(Of({"run", "--roles", ""}), (Words{"dns", "edge"}));
  EXPECT_EQ(Of({"run", "--roles", "dns,e"}), (Words{"dns,edge"}));
}

TEST_F(CompletionTest, LeavesFilesToTheShell) {
  EXPECT_EQ(Of({"run", ""}), Words{});
  EXPECT_EQ(Of({"run", "--state", ""}), Words{});
}

TEST_F(CompletionTest, TakesAnOptionsValueForNoSubcommand) {
  EXPECT_EQ(Of({"run", "--state", "dc", "--st"}), (Words{"--state"}));
}

TEST_F(CompletionTest, OffersTheWordsOfAPositionalArgument) {
  EXPECT_EQ(Of({"completion", "z"}), (Words{"zsh"}));
}

}  // namespace
}  // namespace meridian::cli
