// Answers GET /metrics, at the ops port of a tier and at the agent's admin port, in the format that
// the client accepts.
#pragma once

#include <vector>

#include "base/metrics.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"

namespace meridian::site {

io::Task<void> AnswerMetrics(http::Exchange& exchange, const Metrics& metrics);
// The caller keeps `families` until the end.
io::Task<void> AnswerMetrics(http::Exchange& exchange,
                             const std::vector<MetricFamilyReading>& families);

}  // namespace meridian::site
