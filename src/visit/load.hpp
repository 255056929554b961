// A small load: visits that start on a schedule, even if earlier visits have not ended. One thread:
// the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "visit/visitor.hpp"

namespace meridian::visit {

struct LoadOptions {
  uint64_t repeat = 1;
  Duration every{};  // interval between the due times of visits
  size_t at_once = kMaxVisitsAtOnce;
};

// "100ms": kMinInterval to kMaxInterval. kInvalid: anything else.
Result<Duration> ParseInterval(const std::string& text);

// Called when a visit ends, with its number in the schedule from 0.
using OnVisit = std::function<void(uint64_t number, const Visit& visit)>;

// Makes `repeat` visits, and waits until all have ended. If the fiber is cancelled, it does not
// report visits in progress.
io::Task<void> RunLoad(Visitor& visitor, io::Loop& loop, LoadOptions options, OnVisit on_visit);

}  // namespace meridian::visit
