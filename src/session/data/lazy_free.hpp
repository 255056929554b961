// LazyFree: frees the memory of removed keys and collections a part at a time, so that FLUSHALL, or
// the deletion of a hash with a million fields, does not delay other commands. Items in it can no
// longer be found.
//
// Owned by the Keyspace; one thread: the loop's. Invariant: pending() items are in queue_.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <variant>

#include "session/data/collections.hpp"
#include "session/data/field.hpp"
#include "session/data/member.hpp"
#include "session/data/scan_table.hpp"

namespace meridian::session {

class Entry;

class LazyFree {
 public:
  // Small ones are freed at once; the number of items that were.
  size_t Take(Entry* entry);
  size_t Take(std::unique_ptr<Fields> fields);
  size_t Take(std::unique_ptr<Members> members);
  void Take(ScanTable<Entry>::Remains keys);

  // Frees `count` items (keys, fields, members), or up to one table segment more.
  void FreeSome(size_t count);
  // Number of items that wait. Fields and members of waiting keys are not counted yet.
  size_t pending() const { return pending_; }

 private:
  using Remains = std::variant<ScanTable<Entry>::Remains, ScanTable<Field>::Remains,
                               ScanTable<Member>::Remains>;

  void Push(Remains remains, size_t items);

  std::deque<Remains> queue_;
  size_t pending_ = 0;
};

}  // namespace meridian::session
