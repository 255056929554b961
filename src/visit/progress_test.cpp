#include "visit/progress.hpp"

#include <gtest/gtest.h>

#include "visit/examples.hpp"

namespace meridian::visit {
namespace {

// The lines after each of the visits, which end in their scheduled order; "" for none.
std::vector<std::string> LinesOf(const std::vector<Visit>& visits) {
  Progress progress;
  std::vector<std::string> lines;
  lines.reserve(visits.size());
  for (const Visit& visit : visits) {
    lines.push_back(progress.Add(lines.size(), visit).value_or(""));
  }
  return lines;
}

using Lines = std::vector<std::string>;
const Visit kRefused = VisitOf({Broken(Errc::kRefused)});

TEST(Progress, SaysWhoServesAndThenOnlyChanges) {
  EXPECT_EQ(LinesOf({ServedVisit("us-east"), ServedVisit("us-east"), ServedVisit("us-west"),
                     ServedVisit("us-west")}),
            (Lines{"us-east", "", "us-east -> us-west", ""}));
}

TEST(Progress, SaysOnceThatVisitsFailAndHowManyDid) {
  EXPECT_EQ(LinesOf({ServedVisit("us-east"), kRefused, kRefused, kRefused, ServedVisit("us-west")}),
            (Lines{"us-east", "failing: us-east 127.1.0.1:8080 refused", "", "",
                   "us-east -> us-west after 3 failures"}));
}

TEST(Progress, SaysThatTheSameOneServesAgain) {
  EXPECT_EQ(
      LinesOf(
          {ServedVisit("us-east"), VisitOf({Answered("us-east", 503)}), ServedVisit("us-east")}),
      (Lines{"us-east", "failing: us-east answers with status 503", "us-east after 1 failure"}));
}

TEST(Progress, SaysWhyAVisitorFellBack) {
  EXPECT_EQ(LinesOf({ServedVisit("us-east"), VisitOf({Broken(Errc::kReset), Answered("us-west")})}),
            (Lines{"us-east", "us-east -> us-west (us-east 127.1.0.1:8080 reset)"}));
}

TEST(Progress, SaysThatTheNameCannotBeLookedUp) {
  EXPECT_EQ(LinesOf({VisitWithoutAddress(Errc::kTimeout)}),
            (Lines{"failing: no name server answered"}));
}

TEST(Progress, WhatEndsAfterALaterVisitIsOutOfDate) {
  Progress progress;
  progress.Add(0, ServedVisit("us-east"));
  EXPECT_EQ(progress.Add(5, ServedVisit("us-west")), "us-east -> us-west");
  EXPECT_EQ(progress.Add(3, ServedVisit("us-east")), std::nullopt);
  EXPECT_EQ(progress.Add(4, kRefused), std::nullopt);
  EXPECT_EQ(progress.Add(6, ServedVisit("us-west")), std::nullopt);
}

}  // namespace
}  // namespace meridian::visit
