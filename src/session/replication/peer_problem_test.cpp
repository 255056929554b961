#include "session/replication/peer_problem.hpp"

#include <cstdint>
#include <string_view>

#include <gtest/gtest.h>

#include "store/mirror/mirror_protocol.hpp"

namespace meridian::session {
namespace {

using store::Refusal;
using store::RefusalReason;

FollowingFacts FactsOf(std::string_view error) {
  return {.here = "us-west",
          .source = "us-east",
          .copy_folder = "/state/session-us-west/from-us-east",
          .error = error};
}

TEST(PeerProblem, NoneBeforeTheFirstAttemptHasEnded) {
  EXPECT_EQ(ProblemOfFollowing(FactsOf("")), PeerProblem());
  EXPECT_EQ(PeerProblemText({}), "");
}

TEST(PeerProblem, UnreachablePeerIsReportedWithTheError) {
  EXPECT_EQ(PeerProblemText(ProblemOfFollowing(FactsOf("connection refused"))),
            "connection refused");
}

TEST(PeerProblem, ReplacedDiskIsReportedWithTheCommandThatMovesTheCopy) {
  FollowingFacts facts = FactsOf("refused by the source");
  facts.refusal = Refusal{RefusalReason::kOtherLog, "the log is 1, the copy one of 2"};
  EXPECT_EQ(PeerProblemText(ProblemOfFollowing(facts)),
            "the disk of us-east was replaced, and what came from it is a copy of its old log; "
            "next: while us-west is stopped, mv -T /state/session-us-west/from-us-east "
            "/state/session-us-west/from-us-east.lost-$(date +%F); then start it");
  EXPECT_EQ(PeerProblemText(ProblemOfBeingFollowed("us-west", *facts.refusal)),
            "us-west has a copy of the log of an older disk; next: meridian session lag");
}

TEST(PeerProblem, EveryRefusalHasAReasonAndANextStep) {
  for (auto reason = static_cast<uint8_t>(RefusalReason::kProtocol);
       reason <= static_cast<uint8_t>(RefusalReason::kTooManyFollowers); ++reason) {
    FollowingFacts facts = FactsOf("refused");
    facts.refusal = Refusal{static_cast<RefusalReason>(reason), "as it is said"};
    for (const PeerProblem& problem :
         {ProblemOfFollowing(facts), ProblemOfBeingFollowed("us-west", *facts.refusal)}) {
      EXPECT_FALSE(problem.reason.empty()) << int{reason};
      EXPECT_FALSE(problem.next.empty()) << int{reason};
    }
  }
}

}  // namespace
}  // namespace meridian::session
