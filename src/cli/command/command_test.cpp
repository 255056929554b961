#include "cli/command/command.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace meridian::cli {
namespace {

constexpr int kHelpColumn = 30;

// A program with a command `go`, which has each kind of option.
class CommandLineTest : public testing::Test {
 protected:
  CommandLineTest() {
    program_.subcommands_given = {.min = 1, .max = 1};
    Command& go = program_.AddCommand("go", "Go");
    go.AddOption({.name = "where", .value = &where_, .required = true});
    Option& times = go.AddOption(
        {.name = "--times", .value = &times_, .range = Option::Range{.min = 1, .max = 9}});
    Option& fast = go.AddOption({.name = "--fast", .value = &fast_, .needs = {&times}});
    go.AddOption({.name = "--slow", .value = &slow_, .excludes = {&fast}});
    go.AddOption(
        {.name = "--by", .value = &by_, .separator = ',', .one_of = {"foot", "bike", "train"}});
    go.action = [this] {
      ++went_;
      return 7;
    };
  }

  int Run(std::vector<std::string> words) {
    words.insert(words.begin(), "program");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    int status =
        RunCommandLine(program_, kHelpColumn, static_cast<int>(words.size()), arguments.data());
    output_ = testing::internal::GetCapturedStdout();
    complaint_ = testing::internal::GetCapturedStderr();
    return status;
  }

  Command program_{"program", "Goes"};
  std::string where_;
  uint64_t times_ = 1;
  bool fast_ = false;
  bool slow_ = false;
  std::vector<std::string> by_;
  int went_ = 0;
  std::string output_;
  std::string complaint_;
};

TEST_F(CommandLineTest, RunsTheActionOfTheGivenCommandWithItsValues) {
  EXPECT_EQ(Run({"go", "home", "--times=3", "--fast", "--by", "foot,train"}), 7);
  EXPECT_EQ(went_, 1);
  EXPECT_EQ(where_, "home");
  EXPECT_EQ(times_, 3U);
  EXPECT_TRUE(fast_);
  EXPECT_EQ(by_, (std::vector<std::string>{"foot", "train"}));
}

TEST_F(CommandLineTest, PrintsTheHelpAndRunsNothing) {
  EXPECT_EQ(Run({"go", "--help"}), kHelpGiven);
  EXPECT_NE(output_.find("--times"), std::string::npos);
  EXPECT_EQ(went_, 0);
}

TEST_F(CommandLineTest, RefusesWhatBreaksARuleOfAnOption) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"go"},
                                             {"go", "home", "--fast"},
                                             {"go", "home", "--times", "10"},
                                             {"go", "home", "--times", "2", "--fast", "--slow"},
                                             {"go", "home", "--by", "plane"},
                                             {"go", "home", "away"},
                                             {}}) {
    EXPECT_EQ(Run(words), kMisused);
    EXPECT_NE(complaint_, "");
  }
  EXPECT_EQ(went_, 0);
}

TEST_F(CommandLineTest, NamesTheWordThatIsNoSubcommand) {
  EXPECT_EQ(Run({"fly"}), kMisused);
  EXPECT_EQ(complaint_, "program: there is no subcommand \"fly\"\nSee: program --help\n");
}

TEST_F(CommandLineTest, SuggestsTheNearestSubcommandOptionAndValue) {
  EXPECT_EQ(Run({"og"}), kMisused);
  EXPECT_NE(complaint_.find("no subcommand \"og\"; did you mean go?"), std::string::npos);
  EXPECT_EQ(Run({"go", "home", "--tmies=3"}), kMisused);
  EXPECT_NE(complaint_.find("program go: there is no option --tmies; did you mean --times?"),
            std::string::npos);
  EXPECT_EQ(Run({"--hlep"}), kMisused);
  EXPECT_NE(complaint_.find("did you mean --help?"), std::string::npos);
  EXPECT_EQ(Run({"go", "home", "--by", "foot,bkie"}), kMisused);
  EXPECT_NE(complaint_.find("\"bkie\" is none of foot, bike, train; did you mean bike?"),
            std::string::npos);
}

TEST_F(CommandLineTest, AListIsOneWordSoThatAnArgumentMayFollowIt) {
  EXPECT_EQ(Run({"go", "--by", "foot,train", "home"}), 7);
  EXPECT_EQ(by_, (std::vector<std::string>{"foot", "train"}));
  EXPECT_EQ(where_, "home");
}

TEST_F(CommandLineTest, AListMayAlsoBeGivenOptionByOption) {
  EXPECT_EQ(Run({"go", "home", "--by", "foot", "--by", "train"}), 7);
  EXPECT_EQ(by_, (std::vector<std::string>{"foot", "train"}));
}

TEST_F(CommandLineTest, TheHelpHoldsEachOptionOnceAndNoRulesOfTheParser) {
  EXPECT_EQ(Run({"go", "--help"}), kHelpGiven);
  EXPECT_EQ(output_,
            "Go.\n\nUsage: program go [OPTION]... where\n\n"
            "  where                       \n"
            "  --times N                   \n"
            "  --fast                      \n"
            "  --slow                      \n"
            "  --by TEXT                   \n"
            "  --help                      Print this\n");
}

TEST_F(CommandLineTest, AProgramWithAVersionPrintsIt) {
  EXPECT_EQ(Run({"--version"}), kMisused);
  program_.version = "1.2";
  EXPECT_EQ(Run({"--version"}), kHelpGiven);
  EXPECT_EQ(output_, "program 1.2\n");
}

TEST_F(CommandLineTest, RequiresExactlyOneOptionOfAGroup) {
  bool red = false;
  bool blue = false;
  Command& paint = program_.AddCommand("paint", "Paint");
  Option& red_option = paint.AddOption({.name = "--red", .value = &red});
  Option& blue_option = paint.AddOption({.name = "--blue", .value = &blue});
  paint.option_groups.push_back({.name = "color", .options = {&red_option, &blue_option}});
  paint.action = [] { return 3; };
  EXPECT_EQ(Run({"paint"}), kMisused);
  EXPECT_EQ(Run({"paint", "--red", "--blue"}), kMisused);
  EXPECT_EQ(Run({"paint", "--blue"}), 3);
}

}  // namespace
}  // namespace meridian::cli
