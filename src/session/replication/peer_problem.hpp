// Why one data center does not follow the sessions of another, and what an operator can do next:
// for `status` and `meridian session lag`. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/mirror/mirror_protocol.hpp"

namespace meridian::session {

// Empty: no problem.
struct PeerProblem {
  std::string reason;
  std::string next;  // what to do, with the command where there is one

  bool operator==(const PeerProblem&) const = default;
};
// "REASON; next: NEXT"
std::string PeerProblemText(const PeerProblem& problem);

struct FollowingFacts {
  std::string_view here;
  std::string_view source;       // the other data center
  std::string_view copy_folder;  // of the copy of its log
  std::string_view error;        // the error of the last attempt; empty: no attempt has ended
  std::optional<store::Refusal> refusal;  // if one end has refused the other
};
// Why `here` does not follow `source`.
PeerProblem ProblemOfFollowing(const FollowingFacts& facts);
// Why `follower` does not follow the log of this data center, if it was refused.
PeerProblem ProblemOfBeingFollowed(std::string_view follower, const store::Refusal& refusal);

}  // namespace meridian::session
