// Metrics as text, in the Prometheus text format 0.0.4 or OpenMetrics 1.0; and the choice between
// them by a client's Accept field. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"

namespace meridian {

enum class MetricsFormat : uint8_t { kPrometheus, kOpenMetrics };

std::string_view ContentTypeOf(MetricsFormat format);

// OpenMetrics when `accept` names `application/openmetrics-text` (version 1.0.0 or no version) and
// prefers it to `text/plain` (RFC 9110 12.5.1); else the Prometheus format, which every client
// reads.
MetricsFormat ChooseMetricsFormat(std::string_view accept);

// The text of families, each with a name of its own. A counter's value is `count` plus `value`: one
// that counts parts of a unit (seconds) has them in `value`.
std::string MetricsText(const std::vector<MetricFamilyReading>& families,
                        MetricsFormat format = MetricsFormat::kPrometheus);

// The text of `metrics`, summed over all its parts.
std::string MetricsText(const Metrics& metrics, MetricsFormat format = MetricsFormat::kPrometheus);

}  // namespace meridian
