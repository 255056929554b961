// HybridClock: a hybrid logical clock (Kulkarni et al. 2014, "Logical Physical Clocks"). Its stamps
// are close to the wall clock, and a stamp that was given after another was seen is greater than
// it, on whichever machine.
//
// It never goes back, not even over a restart: every stamp is below a bound that was written to
// disk before, and the next life begins at that bound (store/clock_file.hpp writes it).
//
// Owned by a tier's main; one thread. Invariant: last() < bound().
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian {

// A stamp: 48 bits of milliseconds since the Unix epoch (enough until the year 10889), then 16 bits
// that count within one; a count that overflows carries into the milliseconds.
struct HybridTime {
  static constexpr int kCounterBits = 16;

  uint64_t bits = 0;

  // The first stamp of the millisecond of `wall`; of what lies outside of the 48 bits, the nearest.
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
  // Stamps of others that are more than `max_lead` in the future of the wall clock are refused.
  // Without SetBound there is no bound: for tests, and for what need not outlive the process.
  HybridClock(const Clock& clock, Duration max_lead) : clock_(clock), max_lead_(max_lead) {}

  // At a start: every later stamp is at or above `floor`, the bound that the last life had written.
  void StartAt(HybridTime floor);

  // A stamp above all that were given or observed. kUnavailable: it would pass the bound, because
  // the disk has not written a higher one in time.
  Result<HybridTime> Now();

  // The present, without giving a stamp: to tell others what time it is here.
  HybridTime Present() const;

  // A stamp that came from elsewhere: later ones are above it. kInvalid: it is too far in the
  // future, and how far; kUnavailable: it is at the bound or above, which must be raised first.
  // What is refused changes nothing.
  Result<void> Observe(HybridTime remote);
  // The first of these alone.
  Result<void> CheckSkew(HybridTime remote) const;

  HybridTime last() const { return last_; }
  HybridTime bound() const { return bound_; }
  // The bound that allows `window` of stamps from now on, also after `remote` is observed.
  HybridTime WantedBound(Duration window, HybridTime remote = {}) const;
  // `bound` is on disk. A lower one than before is a bug.
  void SetBound(HybridTime bound);

  // How far the last stamp leads the wall clock; negative when it is behind.
  Duration Lead() const { return last_.Wall() - clock_.Wall(); }
  // The machine's wall clock, which stamps may lead.
  WallTime Wall() const { return clock_.Wall(); }
  // How far `remote` leads the wall clock.
  Duration LeadOf(HybridTime remote) const { return remote.Wall() - clock_.Wall(); }

 private:
  const Clock& clock_;
  Duration max_lead_;
  HybridTime last_;
  HybridTime bound_ = HybridTime::Max();
  bool bounded_ = false;
};

}  // namespace meridian
