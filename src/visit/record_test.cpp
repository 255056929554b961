#include "visit/record.hpp"

#include <gtest/gtest.h>

#include "visit/examples.hpp"
#include "visit/limits.hpp"

namespace meridian::visit {
namespace {

TEST(ResponsePath, IsReadFromItsField) {
  ResponsePath path = ParseResponsePath("edge=us-east datacenter=us-west instance=us-west-1");
  EXPECT_EQ(path, (ResponsePath{"us-east", "us-west", "us-west-1"}));
  EXPECT_EQ(ParseResponsePath("edge=us-east "), (ResponsePath{.edge = "us-east"}));
  EXPECT_EQ(ParseResponsePath(""), ResponsePath{});
}

TEST(ResponsePath, WhatIsNoNameIsLeftOut) {
  EXPECT_EQ(ParseResponsePath("edge=\x1b[2J datacenter= instance=a other=b edge"),
            (ResponsePath{.instance = "a"}));
  std::string longest(kMaxNameBytes, 'a');
  EXPECT_EQ(ParseResponsePath("edge=" + longest).edge, longest);
  EXPECT_EQ(ParseResponsePath("edge=" + longest + "a").edge, "");
}

TEST(VisitRecord, NobodyAnsweringLetsAVisitorTryTheNextAddress) {
  for (Errc code :
       {Errc::kRefused, Errc::kReset, Errc::kTimeout, Errc::kClosed, Errc::kUnavailable}) {
    EXPECT_TRUE(MayFallBack({code, ""})) << ErrcName(code);
  }
  for (Errc code : {Errc::kInvalid, Errc::kTooLarge, Errc::kPermission, Errc::kCancelled}) {
    EXPECT_FALSE(MayFallBack({code, ""})) << ErrcName(code);
  }
}

TEST(VisitRecord, NoAnswerAndAServersErrorAreFailures) {
  EXPECT_FALSE(Failed(ServedVisit("us-east")));
  EXPECT_FALSE(Failed(VisitOf({Answered("us-east", 499)})));
  EXPECT_TRUE(Failed(VisitOf({Answered("us-east", 500)})));
  EXPECT_TRUE(Failed(VisitOf({Broken(Errc::kRefused)})));
  EXPECT_TRUE(Failed(VisitWithoutAddress(Errc::kTimeout)));
}

TEST(VisitRecord, AnAnswerThatWasCutOffIsAFailure) {
  Attempt cut_off = Answered("us-east");
  cut_off.error = Error{Errc::kReset, ""};
  EXPECT_TRUE(Failed(VisitOf({cut_off})));
}

TEST(VisitRecord, ServedByTheOneWhoseBalancerAnsweredElseTheEdgeElseTheAddress) {
  Attempt attempt = Answered("us-east");
  attempt.path.datacenter = "us-west";
  EXPECT_EQ(ServedBy(VisitOf({attempt})), "us-west");
  attempt.path.datacenter = "";
  attempt.path.edge = "eu-west";
  EXPECT_EQ(ServedBy(VisitOf({attempt})), "eu-west");
  attempt.path = {};
  EXPECT_EQ(ServedBy(VisitOf({attempt})), "us-east");
  attempt.address.data_center = "";
  EXPECT_EQ(ServedBy(VisitOf({attempt})), "127.1.0.1");
}

TEST(VisitRecord, TheCauseOfAFailureIsTheLastOne) {
  EXPECT_EQ(FailureOf(VisitOf({Broken(Errc::kRefused), Broken(Errc::kTimeout)})), "timed out");
  EXPECT_EQ(FailureOf(VisitOf({Answered("us-east", 503)})), "status 503");
  EXPECT_EQ(FailureOf(VisitWithoutAddress(Errc::kTimeout)), "dns timed out");
}

}  // namespace
}  // namespace meridian::visit
