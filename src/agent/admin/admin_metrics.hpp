// GET /.meridian/metrics/TIER at the admin port: the /metrics of a tier of this data center, which
// it serves on loopback alone, in the Prometheus text format; for `meridian top`, and for a
// Prometheus elsewhere. 404: no such tier runs here. 503: it does not answer, or too many ask.
#pragma once

#include <cstddef>

#include "agent/context.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"

namespace meridian::agent {

class AdminMetrics {
 public:
  // `context` outlives it.
  explicit AdminMetrics(const Context& context) : context_(context) {}

  io::Task<void> Serve(http::Exchange& exchange);

 private:
  const Context& context_;
  size_t reading_ = 0;
};

}  // namespace meridian::agent
