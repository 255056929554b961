#include "cli/report/purge_text.hpp"

#include <gtest/gtest.h>

namespace meridian::cli {
namespace {

TEST(PurgeTextTest, SaysForEachEdgeWhatWentAndWhoIsMissing) {
  site::PurgeReport report{.number = 3,
                           .edges = {{.name = "us-east", .objects = 1, .milliseconds = 4},
                                     {.name = "frankfurt", .objects = 20, .milliseconds = 91},
                                     {.name = "us-west"}}};
  EXPECT_EQ(PurgeText(report, false),
            "us-east    1 object purged, after 4 ms\n"
            "frankfurt  20 objects purged, after 91 ms\n"
            "us-west    has not answered: it will apply the order once it is reachable\n");
  report.edges.resize(1);
  EXPECT_EQ(PurgeText(report, true), "us-east  1 object made stale, after 4 ms\n");
}

}  // namespace
}  // namespace meridian::cli
