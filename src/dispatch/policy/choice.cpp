#include "dispatch/policy/choice.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/random.hpp"

namespace meridian::dispatch {
namespace {

// A usable candidate other than `not_this`, drawn by weight.
std::optional<size_t> Draw(std::span<const Candidate> candidates, std::optional<size_t> not_this,
                           Random& random) {
  double sum = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].usable && i != not_this) sum += candidates[i].weight;
  }
  if (sum == 0) return std::nullopt;
  double left = random.Unit() * sum;
  std::optional<size_t> last;  // chosen when rounding leaves a remainder
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!candidates[i].usable || i == not_this) continue;
    last = i;
    left -= candidates[i].weight;
    if (left < 0) break;
  }
  return last;
}

double Load(const Candidate& candidate) { return candidate.in_flight / candidate.weight; }

}  // namespace

std::optional<size_t> Choose(std::span<const Candidate> candidates, Random& random) {
  std::optional<size_t> first = Draw(candidates, std::nullopt, random);
  if (!first) return std::nullopt;
  std::optional<size_t> second = Draw(candidates, first, random);
  if (!second) return first;
  return Load(candidates[*second]) < Load(candidates[*first]) ? second : first;
}

WeightedPairs::WeightedPairs(std::vector<double> weights) : weights_(std::move(weights)) {
  if (std::ranges::adjacent_find(weights_, std::not_equal_to{}) == weights_.end()) return;
  ends_.resize(weights_.size());
  std::partial_sum(weights_.begin(), weights_.end(), ends_.begin());
}

size_t WeightedPairs::At(double at) const {
  const auto end = std::ranges::upper_bound(ends_, at);
  // Rounding may leave `at` at the sum of all.
  return std::min(static_cast<size_t>(end - ends_.begin()), ends_.size() - 1);
}

WeightedPairs::Pair WeightedPairs::Draw(Random& random) const {
  if (size() == 1) return {0, 0};
  if (ends_.empty()) {
    const size_t first = random.Below(size());
    const size_t second = random.Below(size() - 1);
    return {first, second < first ? second : second + 1};
  }
  const size_t first = At(random.Unit() * ends_.back());
  // The second is drawn from the intervals of the others.
  const double begin = ends_[first] - weights_[first];
  double at = random.Unit() * (ends_.back() - weights_[first]);
  if (at >= begin) at += weights_[first];
  size_t second = At(at);
  if (second == first) second = first + 1 < size() ? first + 1 : first - 1;  // by rounding
  return {first, second};
}

}  // namespace meridian::dispatch
