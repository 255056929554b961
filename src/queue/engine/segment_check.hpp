// SegmentCheck: finds damaged segment files: at once those that a read or a start has found, and
// slowly, one after the other, all that are never written to again, so that bits that rot in
// messages which nobody reads are found while another data center still has them.
//
// It names what it finds in the log. Repairs: mirror/mender.hpp.
//
// Owned by the Engine; one thread: the loop's. Await Stop before destroying it.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/partition.hpp"

namespace meridian::queue {

class SegmentCheck {
 public:
  // `interval`: between the beginnings of two regular checks of all segments, at least.
  SegmentCheck(io::Loop& loop, DurableState& durable, Duration interval);
  void Start();
  io::Task<void> Stop();

  uint64_t checked_bytes() const { return checked_bytes_; }

 private:
  io::Task<void> CheckSuspects();
  io::Task<void> CheckRegularly();
  io::Task<Result<void>> CheckAll();
  io::Task<Result<void>> Check(std::shared_ptr<Partition> partition, int64_t base_offset,
                               uint64_t bytes_per_second);

  io::Loop& loop_;
  DurableState& durable_;
  Duration interval_;
  uint64_t checked_bytes_ = 0;
  io::Scope scope_;
};

}  // namespace meridian::queue
