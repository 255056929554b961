// Acknowledgements: how many other data centers have this one's changes on disk. The seam between
// WAIT and mirroring. Owned by the Session; one thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "io/task.hpp"

namespace meridian::session {

class Acknowledgements {
 public:
  virtual ~Acknowledgements() = default;
  // Number of data centers that acknowledged all changes below `end_offset`.
  virtual size_t Count(uint64_t end_offset) const = 0;
  // Waits until `count` data centers acknowledged them. Returns how many have, also at the deadline
  // or when cancelled.
  virtual io::Task<size_t> Await(uint64_t end_offset, size_t count, TimePoint deadline) = 0;
};

}  // namespace meridian::session
