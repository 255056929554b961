#include "cli/top/top_text.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<TopDataCenter> Site() {
  return {{.name = "us-east",
           .state = "serving",
           .problem = "",
           .tiers = {{.name = "edge",
                      .state = "ready",
                      .problem = "",
                      .figures = {.requests_per_second = 1234.5,
                                  .errors_per_second = 0,
                                  .p50_seconds = 0.00042,
                                  .p99_seconds = 0.0123,
                                  .hit_ratio = 0.934}},
                     {.name = "queue",
                      .state = "ready",
                      .problem = "",
                      .figures = {.requests_per_second = 5.25,
                                  .errors_per_second = 0.5,
                                  .lag_seconds = 2,
                                  .waiting_messages = 42}}}},
          {.name = "us-west", .state = "down", .problem = "its agent does not answer"}};
}

TEST(TopText, AFigureHasThreeDigitsAndAUnit) {
  const std::string text = TopText(Site(), 0, false);
  EXPECT_THAT(text,
              HasSubstr("data center  tier   state  per s  errors/s     p50      p99     lag\n"));
  EXPECT_THAT(text,
              HasSubstr("us-east      edge   ready   1234         0  420 us  12.3 ms       -"));
  EXPECT_THAT(text, HasSubstr("93% hits\n"));
  EXPECT_THAT(text, HasSubstr("5.25      0.50       -        -  2.00 s  42 messages wait\n"));
  EXPECT_THAT(text, HasSubstr("its agent does not answer\n"));
}

TEST(TopText, LinesAreCutAtTheTerminalsWidth) {
  const std::string text = TopText(Site(), 20, false);
  EXPECT_THAT(text, HasSubstr("us-east      edge   \n"));
  EXPECT_THAT(text, Not(HasSubstr("hits")));
}

TEST(TopText, ErrorsAreYellowAndWhatIsDownIsRed) {
  const std::string text = TopText(Site(), 0, true);
  EXPECT_THAT(text, HasSubstr("\x1b[33mus-east      queue"));
  EXPECT_THAT(text, HasSubstr("\x1b[31mus-west"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b[33mus-east      edge")));
}

TEST(TopText, AnAnswerCannotMoveTheCursor) {
  std::vector<TopDataCenter> site = Site();
  site[1].problem = "\x1b[2J\nhere";
  EXPECT_THAT(TopText(site, 0, false), Not(HasSubstr("\x1b")));
}

TEST(TopText, JsonLeavesOutWhatIsAbsent) {
  const std::string json = TopJson(Site(), 1.5);
  EXPECT_THAT(json, HasSubstr("{\"time\":1.5,\"datacenters\":[{\"name\":\"us-east\",\"state\":"
                              "\"serving\",\"tiers\":[{"));
  EXPECT_THAT(json, HasSubstr("\"waiting_messages\":42"));
  EXPECT_THAT(json, HasSubstr("\"problem\":\"its agent does not answer\",\"tiers\":[]"));
  EXPECT_THAT(json, Not(HasSubstr("null")));
  EXPECT_EQ(json.find('\n'), json.size() - 1);
}

}  // namespace
}  // namespace meridian::cli
