// HybridClock: a hybrid logical clock (Kulkarni et al. 2014, "Logical Physical Clocks"). Its stamps
// are close to the wall clock, and each new stamp is greater than every stamp that this clock has
// issued or observed, whichever machine issued it.
//
// The clock never goes back, even across a restart: every stamp is below a bound that is already on
// disk, and the next process starts at that bound (store/clock_file.hpp writes it).
//
// Owned by a tier's main; one thread. Invariant: last() < bound().
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian {

// A stamp: 48 bits of milliseconds since the Unix epoch (enough until the year 10889), then a
// 16-bit counter within the millisecond. A counter that overflows carries into the milliseconds.
struct HybridTime {
  static constexpr int kCounterBits = 16;

  uint64_t bits = 0;

  // The first stamp of the millisecond of `wall`, clamped to the range of 48 bits.
  static HybridTime FromWall(WallTime wall);
  WallTime Wall() const;
  static constexpr HybridTime Max() { return {std::numeric_limits<uint64_t>::max()}; }

  constexpr HybridTime Next() const { return {bits + 1}; }
  constexpr uint64_t milliseconds() const { return bits >> kCounterBits; }
  constexpr uint16_t counter() const { return static_cast<uint16_t>(bits); }

  auto operator<=>(const HybridTime&) const = default;
};

class HybridClock {
 public:
  // Refuses to observe stamps that are more than `max_lead` ahead of the wall clock. Without
  // SetBound there is no bound: for tests, and for clocks that need not survive the process.
  HybridClock(const Clock& clock, Duration max_lead) : clock_(clock), max_lead_(max_lead) {}

  // At process start: every later stamp is at or above `floor`, the bound that the last process
  // wrote.
  void StartAt(HybridTime floor);

  // Issues a stamp above all issued and observed stamps. kUnavailable: the stamp would reach the
  // bound, because the disk has not written a higher bound in time.
  Result<HybridTime> Now();

  // The current time, without issuing a stamp; for messages that state this machine's time.
  HybridTime Present() const;

  // Observes a stamp of another machine, so that later stamps are above it. kInvalid: `remote` is
  // too far in the future (the message says how far). kUnavailable: `remote` is at or above the
  // bound, which must be raised first. After an error the clock is unchanged.
  Result<void> Observe(HybridTime remote);
  // Only the kInvalid check of Observe.
  Result<void> CheckSkew(HybridTime remote) const;

  HybridTime last() const { return last_; }
  HybridTime bound() const { return bound_; }
  // The bound that allows stamps for `window` from now on, also after observing `remote`.
  HybridTime WantedBound(Duration window, HybridTime remote = {}) const;
  // Call when `bound` is on disk. Lowering the bound is a bug (CHECK).
  void SetBound(HybridTime bound);

  // The machine's wall clock; stamps may be ahead of it.
  WallTime Wall() const { return clock_.Wall(); }
  // How far `remote` is ahead of the wall clock.
  Duration LeadOf(HybridTime remote) const { return remote.Wall() - clock_.Wall(); }

 private:
  const Clock& clock_;
  Duration max_lead_;
  HybridTime last_;
  HybridTime bound_ = HybridTime::Max();
  bool bounded_ = false;
};

}  // namespace meridian
