// Why one data center does not follow the sessions of another, and what an operator can do next:
// for `status` and `meridian session lag`. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/mirror/mirror_protocol.hpp"

namespace meridian::session {

// Empty: there is none.
struct PeerProblem {
  std::string reason;
  std::string next;  // what to do, with the command where there is one

  bool operator==(const PeerProblem&) const = default;
};
// "REASON; next: NEXT"
std::string PeerProblemText(const PeerProblem& problem);

struct FollowingFacts {
  std::string_view here;
  std::string_view source;                // the other data center
  std::string_view copy_folder;           // of what came from it
  std::string_view error;                 // what ended the last attempt; empty: none has ended
  std::optional<store::Refusal> refusal;  // where one has refused the other
};
// Why `here` does not follow `source`.
PeerProblem ProblemOfFollowing(const FollowingFacts& facts);
// Why `follower` does not follow the log of `here`, as far as it was refused.
PeerProblem ProblemOfBeingFollowed(std::string_view follower, const store::Refusal& refusal);

}  // namespace meridian::session
