// What a tier did between two readings of its metrics. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "wire/prom/text_reader.hpp"

namespace meridian::cli {

// A figure that a tier does not have, or that nothing can be said of (no request, no p99), is
// absent, never 0.
struct TierFigures {
  std::optional<double> requests_per_second;  // of dns queries, session commands, log entries, …
  std::optional<double> errors_per_second;    // that the tier is to blame for
  std::optional<double> p50_seconds;
  std::optional<double> p99_seconds;
  std::optional<double> hit_ratio;         // of the edge's cache, 0 to 1
  std::optional<double> lag_seconds;       // of the copy that is furthest behind its source
  std::optional<double> waiting_messages;  // in the queue, for all groups together
};

// `seconds`: between the readings, above 0. A counter that is lower than before has begun anew at
// 0, because its tier was restarted. Tiers without figures: nothing but lag, if they have it.
TierFigures FiguresOf(std::string_view tier, const std::vector<wire::prom::Sample>& before,
                      const std::vector<wire::prom::Sample>& after, double seconds);

}  // namespace meridian::cli
