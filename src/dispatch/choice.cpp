#include "dispatch/choice.hpp"

#include <cstddef>
#include <optional>
#include <span>

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

}  // namespace meridian::dispatch
