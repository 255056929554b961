// SnapshotWalk: how far a snapshot of the keys has come, and the next slice of it. A slice has
// about so many keys, or fields or members of a large key, so that a snapshot never holds up
// commands.
//
// Owned by the writer of the snapshot; one thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "session/data/key_table.hpp"

namespace meridian::session {

class SnapshotWalk {
 public:
  bool done() const { return at_end_ && large_.empty(); }
  // See Keyspace::Snapshot.
  void Next(const KeyTable& table, size_t count, std::vector<std::string>* items);

 private:
  void NextKeys(const KeyTable& table, size_t count, std::vector<std::string>* items);
  void NextOfLarge(const KeyTable& table, size_t count, std::vector<std::string>* items);
  void EndPart(uint64_t next_within);

  uint64_t cursor_ = 0;
  bool at_end_ = false;
  std::deque<std::string> large_;  // keys that were passed over, for slices of their own
  bool has_head_ = false;          // of the first of them: all but fields and members is written
  uint64_t within_ = 0;            // a cursor in its fields, then its members
  bool in_members_ = false;
};

}  // namespace meridian::session
