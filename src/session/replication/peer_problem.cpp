#include "session/replication/peer_problem.hpp"

#include <string>
#include <string_view>

#include <fmt/core.h>

#include "store/mirror/mirror_protocol.hpp"

namespace meridian::session {
namespace {

constexpr std::string_view kProcedure = "docs/session.md, \"Adding and removing data centers\"";

// Another log of that name means that the disk was replaced.
std::string SetAside(const FollowingFacts& facts) {
  return fmt::format("while {} is stopped, mv -T {} {}.lost-$(date +%F); then start it", facts.here,
                     facts.copy_folder, facts.copy_folder);
}

std::string NextOf(store::RefusalReason reason) {
  using enum store::RefusalReason;
  switch (reason) {
    case kOtherLog:
      return "meridian session lag";
    case kVersion:
      return "run the same release of meridian in all data centers";
    case kOtherSite:
      return "give all data centers the same site.toml; meridian check";
    case kNotAllowed:
      return "copy the certificates of this site's CA to both; meridian ca";
    case kClockAhead:
      return "set the clocks; chronyc tracking, meridian session lag";
    case kStaleEpoch:
    case kDiverged:
    case kOutOfReach:
      return std::string("see ") + std::string(kProcedure);
    case kProtocol:
    case kUnknownLog:
    case kTooManyFollowers:
    case kTooManyStreams:
      return "read the logs of the session tiers of both";
  }
  return "";
}

}  // namespace

std::string PeerProblemText(const PeerProblem& problem) {
  return problem.next.empty() ? problem.reason : problem.reason + "; next: " + problem.next;
}

PeerProblem ProblemOfFollowing(const FollowingFacts& facts) {
  if (!facts.refusal) {
    // It cannot be reached, or has closed the connection: `status` shows its state.
    return {.reason = std::string(facts.error), .next = ""};
  }
  if (facts.refusal->reason == store::RefusalReason::kOtherLog) {
    return {.reason = fmt::format("the disk of {} was replaced, and what came from it is a copy of "
                                  "its old log",
                                  facts.source),
            .next = SetAside(facts)};
  }
  return {.reason =
              fmt::format("{}: {}", store::RefusalName(facts.refusal->reason), facts.refusal->text),
          .next = NextOf(facts.refusal->reason)};
}

PeerProblem ProblemOfBeingFollowed(std::string_view follower, const store::Refusal& refusal) {
  if (refusal.reason == store::RefusalReason::kOtherLog) {
    return {.reason = fmt::format("{} has a copy of the log of an older disk", follower),
            .next = NextOf(refusal.reason)};
  }
  return {.reason = fmt::format("{}: {}", store::RefusalName(refusal.reason), refusal.text),
          .next = NextOf(refusal.reason)};
}

}  // namespace meridian::session
