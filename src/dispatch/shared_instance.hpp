// SharedInstance: an instance of the application as all loops of a process see it: requests in
// flight, health, whether it leaves. What one loop has of it, its connections, is an Instance.
//
// Any thread, by member: atomics without a lock, the rest under the lock of the Roster. Owned by
// the roster and the Instances of the loops, so an instance that has left the view is destroyed
// with its last request.
//
// Invariant: in_flight is at most max_in_flight, at every moment and whatever the loops do.
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
struct alignas(64) LoopTally {
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

  // Read by every loop for each request; written under the lock, and only when they change.
  alignas(64) std::atomic<bool> closing = false;  // leaving or removed
  std::atomic<bool> ejected = false;              // health.ejected()
  std::atomic<uint32_t> resets = 0;               // connections that it has reset

  // Under the lock.
  struct Tallied {
    std::shared_ptr<const LoopTally> tally;
    uint64_t sent = 0;  // the part of the tally that `health` has already
    uint64_t answered = 0;
  };
  alignas(64) InstanceHealth health;
  std::vector<Tallied> tallies;  // of the loops
  bool leaving = false;          // draining: finishes its requests and gets no more
  bool removed = false;          // no longer in the view
  bool logged_failing = false;   // the log has a line about its failing tries

  // Of the first loop: a fiber checks its health.
  bool checked = false;
};

// Takes room for a request at the instance, without a lock; false when it has none.
inline bool Occupy(SharedInstance& instance, uint32_t max_in_flight) {
  uint32_t now = instance.in_flight.load(std::memory_order_relaxed);
  while (now < max_in_flight) {
    // Sequentially consistent, as the freeing of room and Roster::SetInstances are: see roster.hpp.
    if (instance.in_flight.compare_exchange_weak(now, now + 1)) return true;
  }
  return false;
}

}  // namespace meridian::dispatch
