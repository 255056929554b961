// Outlier ejection: decides whether an instance is ejected because of failed requests, though its
// health checks may pass. An instance is ejected when it leaves several requests in a row
// unanswered, or when its failure rate (5xx included) is far above that of the other instances.
// Where all instances fail alike, none is ejected. Pure.
//
// Invariant: an ejection leaves at least half of the instances in use, so a single instance is
// never ejected. Failed checks may take out more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace meridian::dispatch {

struct RecentResults {
  uint64_t requests = 0;  // of the last seconds
  uint64_t failures = 0;  // of these: 5xx, or no answer
  uint32_t unanswered_in_row = 0;
  bool out = false;  // gets no requests now
};

constexpr uint32_t kUnansweredInRow = 5;
// Below these numbers a rate means nothing.
constexpr uint64_t kOutlierRequests = 10;
constexpr double kOutlierRate = 0.3;
// Its rate must be this many times the rate of the other instances.
constexpr double kOutlierRatio = 3;

// Whether the results of an instance alone would allow its ejection. Cheap: tells whether those of
// the others are worth collecting for ShouldEject.
bool LooksLikeOutlier(const RecentResults& results);

bool ShouldEject(std::span<const RecentResults> instances, size_t which);

}  // namespace meridian::dispatch
