// How two data centers' versions of one key are merged: pure functions, each commutative,
// associative and idempotent. So all data centers converge, in whatever order and however often
// versions arrive (Shapiro et al. 2011, "Conflict-free Replicated Data Types").
//
// A key is a product of parts, each merged by itself:
//
//   delete_stamp  everything in the key with an earlier stamp is deleted: written by DEL, and by
//                 SET, which replaces all that was there; the later one wins
//   expiry        when the key expires: the last writer wins. EXPIRE changes this alone, so it
//                 cannot undo a concurrent DEL (and a later key of the name sets its own)
//   text          a string: the last writer wins
//   counts        what each data center has added to the string: they add up
//   fields        of a hash: the last writer of each wins
//   members       of a set: additions win over removals that have not observed them
//
// A key that two data centers gave different types at once is a hash, else a set, else a string,
// and keeps the other parts hidden until it is deleted.
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

// A value and its stamp. Not present: it was removed.
struct Register {
  std::string value;
  bool present = true;
  Stamp stamp;

  bool operator==(const Register&) const = default;
};
Register Merge(const Register& a, const Register& b);
// Whether a merge of both gives `a`. For values that are not stored as a Register.
bool Supersedes(const Stamp& a, bool a_present, std::string_view a_value, const Stamp& b,
                bool b_present, std::string_view b_value);

// What one data center has added to a counter since it began a sum; only that one writes it.
struct Contribution {
  HybridTime since;    // of its first addition; a later delete stamp deletes it
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
// The part of the tag of `replica_id` that is not older than `delete_stamp`; zero times: nothing.
MemberTag DropDeleted(MemberTag tag, uint8_t replica_id, const Stamp& delete_stamp);

// All of a key, or a change to it. Invariant after every function here: no part has a stamp before
// `delete_stamp`.
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
// Drops what is older than `state->delete_stamp`.
void DropDeleted(KeyState* state);
// Drops what was written up to the stability horizon, as that is applied already: if it is not here
// any more, it was removed since. Delete stamps and removals of members stay: they cannot bring
// anything back.
void DropStable(KeyState* state, HybridTime stability_horizon);
// The newest stamp of anything in it.
Stamp NewestOf(const KeyState& state);
// Whether it has no content: at most a delete stamp.
bool IsOnlyDeletion(const KeyState& state);

}  // namespace meridian::session
