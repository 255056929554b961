#include "dispatch/policy/outliers.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace meridian::dispatch {
namespace {

double Rate(uint64_t failures, uint64_t requests) {
  return static_cast<double>(failures) / static_cast<double>(requests);
}

bool FailsMoreThanOthers(std::span<const RecentResults> instances, size_t which) {
  uint64_t requests = 0;
  uint64_t failures = 0;
  for (size_t i = 0; i < instances.size(); ++i) {
    if (i == which) continue;
    requests += instances[i].requests;
    failures += instances[i].failures;
  }
  const RecentResults& it = instances[which];
  if (it.requests < kOutlierRequests || requests < kOutlierRequests) return false;
  double rate = Rate(it.failures, it.requests);
  return rate >= kOutlierRate && rate >= kOutlierRatio * Rate(failures, requests);
}

}  // namespace

bool LooksLikeOutlier(const RecentResults& results) {
  if (results.out) return false;
  return results.unanswered_in_row >= kUnansweredInRow ||
         (results.requests >= kOutlierRequests &&
          Rate(results.failures, results.requests) >= kOutlierRate);
}

bool ShouldEject(std::span<const RecentResults> instances, size_t which) {
  if (!LooksLikeOutlier(instances[which])) return false;
  auto out = static_cast<size_t>(std::ranges::count(instances, true, &RecentResults::out));
  if ((out + 1) * 2 > instances.size()) return false;
  return instances[which].unanswered_in_row >= kUnansweredInRow ||
         FailsMoreThanOthers(instances, which);
}

}  // namespace meridian::dispatch
