#include "dns/spill.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "dns/limits.hpp"

namespace meridian::dns {
namespace {

// The load above the target of data centers over their capacity, and the free capacity below the
// target of the others.
struct Balance {
  double excess = 0;
  double room = 0;
};

double Excess(const SpillInput& input) {
  bool over = input.serving && input.capacity > 0 && input.load > input.capacity;
  return over ? input.load - input.capacity * kSpillTargetShare : 0;
}

double Room(const SpillInput& input) {
  if (!input.serving) return 0;
  if (input.capacity <= 0) return std::numeric_limits<double>::infinity();
  return std::max(0.0, input.capacity * kSpillTargetShare - input.load);
}

Balance BalanceOf(std::span<const SpillInput> inputs) {
  Balance balance;
  for (const SpillInput& input : inputs) {
    balance.excess += Excess(input);
    balance.room += Room(input);
  }
  return balance;
}

}  // namespace

Spill::Spill(size_t data_centers, Duration hold) : states_(data_centers), hold_(hold) {}

void Spill::Step(std::span<const SpillInput> inputs, TimePoint now) {
  CHECK(inputs.size() == states_.size());
  Balance balance = BalanceOf(inputs);
  double granted = balance.excess > 0 ? std::min(1.0, balance.room / balance.excess) : 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const SpillInput& input = inputs[i];
    State& state = states_[i];
    if (!input.serving) {
      state = State();  // it has no clients to pass on, and keeps all of them when it returns
    } else if (double excess = Excess(input); excess > 0) {
      Shed(&state, excess * granted / input.load, now);
    } else {
      Relax(&state, input, now);
    }
  }
}

bool Spill::MayChange(const State& state, TimePoint now) const {
  return !state.ever_changed || now >= SaturatingAdd(state.changed, hold_);
}

void Spill::Shed(State* state, double share, TimePoint now) {
  if (share <= 0 || !MayChange(*state, now)) return;
  *state = {std::max(kMinKeptShare, state->kept * (1 - share)), now, true};
}

void Spill::Relax(State* state, const SpillInput& input, TimePoint now) {
  bool boundless = input.capacity <= 0;
  if (state->kept == 1 || !MayChange(*state, now)) return;
  if (!boundless && input.load >= input.capacity * kSpillRelaxShare) return;
  double step = kSpillRelaxStep;
  if (!boundless && input.load > 0) {
    step = std::min(step, input.capacity * kSpillTargetShare / input.load);
  }
  *state = {std::min(1.0, state->kept * step), now, true};
}

}  // namespace meridian::dns
