// ServerMetrics: what the connections of one loop count. Owned by the QueueLoop; its counters are
// read by any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

#include "base/metrics.hpp"
#include "wire/kafka/api.hpp"

namespace meridian::queue {

class ServerMetrics {
 public:
  explicit ServerMetrics(Metrics& metrics);

  void CountRequest(wire::kafka::ApiKey api) { requests_.at(api)->Add(); }

  Counter& produced_batches;
  Counter& produced_bytes;
  Counter& refused_batches;
  Counter& fetched_bytes;

 private:
  std::map<wire::kafka::ApiKey, Counter*> requests_;
};

}  // namespace meridian::queue
