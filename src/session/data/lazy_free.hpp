// LazyFree: the memory of what is gone, freed a part at a time, so that neither FLUSHALL nor the
// end of a hash with a million fields holds everybody up. What it is given can no longer be found.
//
// Owned by the Keyspace; one thread: the loop's. Invariant: pending() items are in queue_.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <variant>

#include "session/data/collections.hpp"
#include "session/data/scan_table.hpp"

namespace meridian::session {

class Entry;

class LazyFree {
 public:
  // What is small is freed at once; how many items that were.
  size_t Take(Entry* entry);
  size_t Take(std::unique_ptr<Fields> fields);
  size_t Take(std::unique_ptr<Members> members);
  void Take(ScanTable<Entry>::Remains keys);

  // Frees `count` items, keys and fields and members, or what a segment of a table has more.
  void FreeSome(size_t count);
  // How many wait to be freed. The fields and members of keys that have not been looked at yet do
  // not count.
  size_t pending() const { return pending_; }

 private:
  using Remains = std::variant<ScanTable<Entry>::Remains, ScanTable<Field>::Remains,
                               ScanTable<Member>::Remains>;

  void Push(Remains remains, size_t items);

  std::deque<Remains> queue_;
  size_t pending_ = 0;
};

}  // namespace meridian::session
