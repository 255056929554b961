// SharedInstance: an instance of the application as all loops of a process see it: requests in
// flight, health, whether it leaves. What one loop has of it, its connections, is an Instance.
//
// Any thread, by member: atomics without a lock, the rest under the lock of the Roster. Owned by
// the roster and the Instances of the loops, so an instance that has left the view is destroyed
// with its last request.
//
// Invariants: in_flight is at most max_in_flight, at every moment and whatever the loops do. So is
// `connections`, except that a loop which has waited kMaxCloseWait for other loops to close idle
// connections opens one more: it exceeds max_in_flight only by connections whose closing was asked
// for. The connections of health checks are not counted.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ip.hpp"
#include "base/metric_cells.hpp"
#include "dispatch/policy/health.hpp"

namespace meridian::dispatch {

// Requests of one loop at one instance. Written by that loop alone, read by every holder of the
// roster's lock: so a request that succeeds writes nothing that another loop writes.
struct alignas(64) LoopCounts {
  Counter sent;
  Counter answered;  // well
};

struct SharedInstance {
  SharedInstance(std::string of_id, Endpoint at) : id(std::move(of_id)), address(at) {}

  const std::string id;
  const Endpoint address;

  // From the choice of the instance until the try is over. Every loop writes it, once when a
  // request begins and once when it ends; alone on its cache line.
  alignas(64) std::atomic<uint32_t> in_flight = 0;

  // Connections that the loops have open or may open: the sum of Instance::held. A loop writes it
  // when it opens a connection or has closed some. On the line of in_flight, which the loop has
  // then just written or is about to write.
  std::atomic<uint32_t> connections = 0;

  // Read by every loop for each request; written only when they change: the first three under the
  // lock, `connecting` by a loop that finds `connections` at max_in_flight.
  alignas(64) std::atomic<bool> closing = false;  // leaving or removed
  std::atomic<bool> ejected = false;              // health.ejected()
  std::atomic<uint32_t> resets = 0;               // connections that it has reset
  std::atomic<uint32_t> connecting = 0;           // requests that wait for room in `connections`

  // Under the lock.
  struct Collected {
    std::shared_ptr<const LoopCounts> counts;
    uint64_t sent = 0;  // the part of the counts that `health` has already
    uint64_t answered = 0;
  };
  alignas(64) InstanceHealth health;
  std::vector<Collected> counts_of_loops;
  bool leaving = false;         // draining: finishes its requests and gets no more
  bool removed = false;         // no longer in the view
  bool logged_failing = false;  // the log has a line about its failing tries

  // Of the first loop: a fiber checks its health.
  bool checked = false;
};

// Counts one more, unless that would be more than `max`. Sequentially consistent, as what frees the
// room is: see roster.hpp.
inline bool CountWithin(std::atomic<uint32_t>& count, uint32_t max) {
  uint32_t now = count.load(std::memory_order_relaxed);
  while (now < max) {
    if (count.compare_exchange_weak(now, now + 1)) return true;
  }
  return false;
}

// Takes room for a request at the instance, without a lock; false when it has none.
inline bool Occupy(SharedInstance& instance, uint32_t max_in_flight) {
  return CountWithin(instance.in_flight, max_in_flight);
}

}  // namespace meridian::dispatch
