#include "edge/visitors/visitor_metrics.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/metrics_text.hpp"

namespace meridian::edge {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(VisitorMetrics, CountByStatusResultAndTheDataCenterThatServed) {
  Metrics metrics;
  VisitorMetrics visitors(metrics, {"us-east", "us-west"}, 1);
  visitors.Begin();
  visitors.End({.result = VisitorResult::kHit, .datacenter = 1}, 200, std::chrono::microseconds{7});
  visitors.End({.result = VisitorResult::kForwarded, .datacenter = 0}, 503,
               std::chrono::milliseconds{30});
  // It was forwarded before it was answered here.
  visitors.End({.result = VisitorResult::kHere, .datacenter = 0}, 0, std::chrono::seconds{1});
  const std::string text = MetricsText(metrics);
  const std::string responses = "meridian_edge_visitor_responses_total";
  EXPECT_THAT(
      text,
      AllOf(HasSubstr(responses + R"({result="hit",datacenter="us-west",code="2xx"} 1)"),
            HasSubstr(responses + R"({result="forwarded",datacenter="us-east",code="5xx"} 1)"),
            HasSubstr(responses + R"({result="forwarded",datacenter="us-west",code="5xx"} 0)"),
            HasSubstr(responses + R"({result="here",datacenter="us-west",code="broken"} 1)")));
  EXPECT_THAT(text, HasSubstr("meridian_edge_visitor_duration_seconds_bucket{result=\"hit\","
                              "datacenter=\"us-west\",le=\"1e-05\"} 1\n"));
  // Another data center's cache is never asked.
  EXPECT_THAT(text, Not(HasSubstr(R"({result="hit",datacenter="us-east")")));
  EXPECT_EQ(visitors.requests(), 1U);
}

}  // namespace
}  // namespace meridian::edge
