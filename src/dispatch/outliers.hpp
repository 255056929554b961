// Which instance is ejected for what it does to requests, though it may pass its checks: one that
// leaves several in a row without an answer, or fails far more of them than the others do (5xx
// count too: where all instances fail alike, it is not the instance that is ill). Pure.
//
// Invariant: at most half of the instances are out when one is ejected; so a single instance never
// is. What checks take out is not bounded by that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace meridian::dispatch {

struct Conduct {
  uint64_t requests = 0;  // of the last seconds
  uint64_t failures = 0;  // of these: 5xx, or no answer
  uint32_t unanswered_in_row = 0;
  bool out = false;  // it gets no requests, for whatever reason
};

constexpr uint32_t kUnansweredInRow = 5;
// Below these numbers a rate says nothing.
constexpr uint64_t kOutlierRequests = 10;
constexpr double kOutlierRate = 0.3;
// How many times the rate of the others it must reach.
constexpr double kOutlierRatio = 3;

bool ShouldEject(std::span<const Conduct> instances, size_t which);

}  // namespace meridian::dispatch
