// GET /.meridian/metrics/TIER at the admin port: the /metrics of a tier of this data center, which
// it serves on loopback alone, in the Prometheus text format. 404: no such tier runs here. 503: it
// does not answer.
#pragma once

#include <string_view>

#include "agent/context.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"

namespace meridian::agent {

inline constexpr std::string_view kTierMetricsPath = "/.meridian/metrics/";  // and a tier's name

// `context` outlives it.
io::Task<void> ServeTierMetrics(const Context& context, http::Exchange& exchange);

}  // namespace meridian::agent
