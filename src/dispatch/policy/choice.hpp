// Chooses the instance for the next request: draws two at random and takes the less loaded
// (Mitzenmacher 2001). That spreads requests almost as well as comparing all instances, and several
// dispatchers do not all choose the same least loaded instance. An instance in slow start has a
// weight below 1: it is drawn less often, and its load counts for more. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/random.hpp"

namespace meridian::dispatch {

struct Candidate {
  uint32_t in_flight = 0;  // requests that it has now
  bool usable = false;     // may get this request
  double weight = 1;       // in (0, 1]
};

// The index of the chosen candidate; nothing when none is usable.
std::optional<size_t> Choose(std::span<const Candidate> candidates, Random& random);

// Draws two different of several candidates whose weights are known beforehand, each by weight. A
// draw does not examine all candidates.
class WeightedPairs {
 public:
  struct Pair {
    size_t first;
    size_t second;  // equal to `first` when there is one candidate
  };

  WeightedPairs() = default;
  explicit WeightedPairs(std::vector<double> weights);

  size_t size() const { return weights_.size(); }
  double weight(size_t index) const { return weights_[index]; }
  // At least one candidate.
  Pair Draw(Random& random) const;

  bool operator==(const WeightedPairs&) const = default;

 private:
  // The candidate in whose interval of the sum of all weights `at` lies.
  size_t At(double at) const;

  std::vector<double> weights_;
  std::vector<double> ends_;  // the sums of the weights up to each; empty when all are equal
};

}  // namespace meridian::dispatch
