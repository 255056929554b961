#include "balancer/choice.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/random.hpp"

namespace meridian::balancer {
namespace {

// The index of the `n`th usable candidate.
size_t NthUsable(std::span<const Candidate> candidates, uint64_t n) {
  size_t i = 0;
  while (!candidates[i].usable || n-- > 0) ++i;
  return i;
}

}  // namespace

std::optional<size_t> Choose(std::span<const Candidate> candidates, Random& random) {
  auto usable = static_cast<uint64_t>(std::ranges::count(candidates, true, &Candidate::usable));
  if (usable == 0) return std::nullopt;
  uint64_t first = random.Below(usable);
  if (usable == 1) return NthUsable(candidates, first);
  // A second one that is not the first.
  uint64_t second = (first + 1 + random.Below(usable - 1)) % usable;
  size_t a = NthUsable(candidates, first);
  size_t b = NthUsable(candidates, second);
  return candidates[b].in_flight < candidates[a].in_flight ? b : a;
}

}  // namespace meridian::balancer
