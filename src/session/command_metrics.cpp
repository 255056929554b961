#include "session/command_metrics.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "session/engine/command.hpp"

namespace meridian::session {
namespace {

// The groups of the command table; and pipelines, whose commands may be of several.
constexpr auto kNames =
    std::to_array<const char*>({"string", "hash", "set", "generic", "connection", "server",
                                "pubsub", "transactions", "pipeline"});

}  // namespace

CommandMetrics::CommandMetrics(Metrics& metrics) {
  static_assert(kNames.size() == kFamilies);
  for (size_t i = 0; i < kFamilies; ++i) {
    families_[i] = &metrics.AddDurations(
        "meridian_session_command_duration_seconds",
        "From when commands were read to when their replies were sent.", {{"family", kNames[i]}});
  }
}

void CommandMetrics::Add(std::string_view name, size_t commands, Duration took) {
  if (commands == 0) return;
  (commands == 1 ? Find(name) : *families_.back()).Add(took);
}

DurationHistogram& CommandMetrics::Find(std::string_view name) {
  // Names of the table stand where they stand for good, one behind the other.
  const char* at = name.begin();
  Known& known = known_[(std::bit_cast<uintptr_t>(at) >> 2) % known_.size()];
  if (known.name == at && known.durations != nullptr) return *known.durations;
  const CommandSpec* spec = FindCommand(name);
  const std::string_view group = spec == nullptr ? "" : spec->group;
  size_t family = static_cast<size_t>(std::ranges::find(kNames, group) - kNames.begin());
  if (family == kFamilies) family = kFamilies - 1;
  known = {.name = at, .durations = families_[family]};
  return *known.durations;
}

}  // namespace meridian::session
