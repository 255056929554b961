// A small load: visits that begin on a schedule, whether or not those before have ended, as
// visitors do. One thread: the loop's.
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
  Duration every{};  // from when one visit is due to when the next is
  size_t at_once = kMaxVisitsAtOnce;
};

// "100ms": kMinInterval to kMaxInterval. kInvalid: anything else.
Result<Duration> ParseInterval(const std::string& text);

// Called as each visit ends, with its place in the schedule from 0.
using OnVisit = std::function<void(uint64_t number, const Visit& visit)>;

// Goes `repeat` times, and waits until all have ended. When the awaiting fiber is cancelled it ends
// with those visits that had ended: of the others it says nothing.
io::Task<void> RunLoad(Visitor& visitor, io::Loop& loop, LoadOptions options, OnVisit on_visit);

}  // namespace meridian::visit
