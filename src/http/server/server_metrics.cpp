#include "http/server/server_metrics.hpp"

#include <array>
#include <cstddef>
#include <string>

#include "base/metrics.hpp"

namespace meridian::http {

ServerMetrics::ServerMetrics(Metrics& metrics, const std::string& prefix)
    : connections_(metrics.AddCounter(prefix + "_connections_total", "Connections accepted.")),
      refused_(metrics.AddCounter(prefix + "_connections_refused_total",
                                  "Connections refused at the connection limit.")),
      open_(metrics.AddGauge(prefix + "_connections_open", "Connections that are open now.")),
      received_(metrics.AddCounter(prefix + "_received_bytes_total", "Bytes of requests.")),
      sent_(metrics.AddCounter(prefix + "_sent_bytes_total", "Bytes of responses.")) {
  constexpr std::array<const char*, 3> kEvicted = {"handshake", "idle", "head"};
  for (size_t i = 0; i < kEvicted.size(); ++i) {
    evicted_[i] = &metrics.AddCounter(prefix + "_connections_evicted_total",
                                      "Connections closed at the limit to make room for new ones, "
                                      "by what they waited for.",
                                      {{"waiting_for", kEvicted[i]}});
  }
  for (size_t i = 0; i < kStatusClasses.size(); ++i) {
    answers_[i] = &metrics.AddCounter(prefix + "_requests_total", "Requests by class of status.",
                                      {{"code", kStatusClasses[i]}});
  }
}

}  // namespace meridian::http
