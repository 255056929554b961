// Metrics as text: the Prometheus text format 0.0.4, or OpenMetrics 1.0, and which of them a
// client's Accept field asks for. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/metrics.hpp"

namespace meridian {

enum class MetricsFormat : uint8_t { kPrometheus, kOpenMetrics };

std::string_view ContentTypeOf(MetricsFormat format);

// OpenMetrics when `accept` names `application/openmetrics-text`, in version 1.0.0 or without one,
// and prefers it to `text/plain` (RFC 9110 12.5.1); else the Prometheus format, which every client
// reads.
MetricsFormat ChooseMetricsFormat(std::string_view accept);

// Of what `metrics` and all its parts have counted.
std::string MetricsText(const Metrics& metrics, MetricsFormat format = MetricsFormat::kPrometheus);

}  // namespace meridian
