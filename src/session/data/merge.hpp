// How two data centers' versions of one thing become one: pure functions, each commutative,
// associative and idempotent, so that in whatever order and how often versions arrive, all data
// centers end with the same (Shapiro et al. 2011, "Conflict-free Replicated Data Types").
//
// A key is a product of parts, each merged by itself:
//
//   cleared   everything in the key with an earlier stamp is gone: written by DEL, and by SET,
//             which leaves nothing of what was there; the later one stays
//   expiry    when the key ends: the last writer's; a touch changes this alone, so it cannot bring
//             back what a concurrent DEL has cleared (and a later key of the name sets its own)
//   text      a string: the last writer's
//   counts    what each data center has added to the string: they add up
//   fields    of a hash: the last writer's, each by itself
//   members   of a set: additions win over removals that have not observed them
//
// A key that two data centers gave different types at once is a hash, else a set, else a string,
// and holds the others' parts unseen until it is cleared.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "session/data/stamp.hpp"

namespace meridian::session {

struct Expiry {
  int64_t at_ms = 0;  // since the Unix epoch; 0: never
  Stamp stamp;

  bool operator==(const Expiry&) const = default;
};
Expiry Merge(const Expiry& a, const Expiry& b);

// A value and who wrote it. One that is not present was removed.
struct Register {
  std::string value;
  bool present = true;
  Stamp stamp;

  bool operator==(const Register&) const = default;
};
Register Merge(const Register& a, const Register& b);
// Whether `a` is what a merge of both gives. For who keeps them elsewhere.
bool Supersedes(const Stamp& a, bool a_present, std::string_view a_value, const Stamp& b,
                bool b_present, std::string_view b_value);

// What one data center has added to a counter since it began a sum; only it writes this.
struct Contribution {
  HybridTime since;    // of its first addition: cleared when the counter is cleared after it
  HybridTime updated;  // of its last
  int64_t sum = 0;

  bool operator==(const Contribution&) const = default;
};
Contribution Merge(const Contribution& a, const Contribution& b);

// When one data center last added a member, and up to which addition a removal has observed it.
struct MemberTag {
  HybridTime added;
  HybridTime removed;

  bool present() const { return added > removed; }
  bool operator==(const MemberTag&) const = default;
};
MemberTag Merge(const MemberTag& a, const MemberTag& b);
// What is left of the tag of `origin`; nothing: both times are zero.
MemberTag DropDeleted(MemberTag tag, uint8_t replica_id, const Stamp& delete_stamp);

// All of a key, or a change to it: what a record holds. Invariant after every function here: no
// part has a stamp before `cleared`.
struct KeyState {
  using Members = std::map<std::string, std::map<uint8_t, MemberTag>, std::less<>>;

  Stamp delete_stamp;
  Expiry expiry;
  std::optional<Register> text;
  std::map<uint8_t, Contribution> counts;  // by data center
  std::map<std::string, Register, std::less<>> fields;
  Members members;

  bool operator==(const KeyState&) const = default;
};
KeyState Merge(KeyState a, const KeyState& b);
// Drops what is before `state->cleared`.
void DropDeleted(KeyState* state);
// Drops what was written up to `known` and is applied already: what is not there any more was
// removed since. Barriers and removals of members stay: they bring nothing back.
void DropStable(KeyState* state, HybridTime stability_horizon);
// The newest stamp of anything in it.
Stamp NewestOf(const KeyState& state);
// Nothing but, at the most, a barrier.
bool IsOnlyDeletion(const KeyState& state);

}  // namespace meridian::session
