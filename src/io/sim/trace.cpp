#include "io/sim/trace.hpp"

#include <bit>
#include <cstdint>
#include <string_view>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "io/sim/limits.hpp"

namespace meridian::io::sim {
namespace {

uint64_t Mixed(uint64_t hash, uint64_t value) {
  return std::rotl((hash ^ value) * 0x9e3779b97f4a7c15, 29) + value;
}

}  // namespace

void Trace::Record(Duration since_start, std::string_view process, std::string_view what,
                   uint64_t a, uint64_t b) {
  hash_ = Mixed(hash_, static_cast<uint64_t>(since_start.count()));
  hash_ = Hash64(what, Hash64(process, hash_));
  hash_ = Mixed(Mixed(hash_, a), b);
  if (mode_ != TraceMode::kText || lines_ == kMaxTraceLines) return;
  ++lines_;
  text_ += fmt::format("{:.9f} {} {} {} {}\n", Seconds(since_start), process, what, a, b);
}

}  // namespace meridian::io::sim
