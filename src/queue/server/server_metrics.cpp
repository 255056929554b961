#include "queue/server/server_metrics.hpp"

#include <string>

#include "base/metrics.hpp"
#include "wire/kafka/api.hpp"

namespace meridian::queue {

ServerMetrics::ServerMetrics(Metrics& metrics)
    : produced_batches(metrics.AddCounter("meridian_queue_produced_batches_total",
                                          "Batches that were acknowledged, or would have been.")),
      produced_bytes(
          metrics.AddCounter("meridian_queue_produced_bytes_total", "Bytes of these batches.")),
      refused_batches(metrics.AddCounter("meridian_queue_refused_batches_total",
                                         "Batches that were answered with an error.")),
      fetched_bytes(
          metrics.AddCounter("meridian_queue_fetched_bytes_total", "Bytes of batches sent.")) {
  for (const wire::kafka::ApiDescription& api : wire::kafka::SupportedApis()) {
    requests_[api.key] =
        &metrics.AddCounter("meridian_queue_requests_total", "Requests, by their API.",
                            {{"api", std::string(api.name)}});
  }
}

}  // namespace meridian::queue
