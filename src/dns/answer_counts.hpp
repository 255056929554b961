// Counts of answers. Each answering thread counts a batch in an AnswerCounts, and then adds it to
// its own part of the tier's metrics.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "dns/limits.hpp"
#include "dns/responder.hpp"

namespace meridian::dns {

struct AnswerCounts {
  std::array<uint32_t, kReplyKinds> replies{};
  std::array<uint32_t, kMaxDataCenters> steered{};
  uint32_t truncated = 0;

  uint32_t answered() const {
    uint32_t all = 0;
    for (uint32_t count : replies) all += count;
    return all - replies[static_cast<size_t>(ReplyKind::kDropped)];
  }

  void Add(const Reply& reply) {
    ++replies[static_cast<size_t>(reply.kind)];
    if (reply.truncated) ++truncated;
    if (reply.steered_to) ++steered[*reply.steered_to];
  }
};

// A thread's part of the metrics. Owned by the Server; only that thread calls Add.
class AnswerMetrics {
 public:
  AnswerMetrics(Metrics& metrics, const std::vector<std::string>& data_centers);

  // `took`: from reading the queries to passing their answers to the kernel.
  void Add(Transport transport, const AnswerCounts& counts, Duration took);

 private:
  struct PerTransport {
    std::array<Counter*, kReplyKinds> replies{};
    Counter* truncated = nullptr;
    DurationHistogram* durations = nullptr;
  };
  std::array<PerTransport, 2> transports_;  // by Transport
  std::vector<Counter*> steered_;           // by data center
};

}  // namespace meridian::dns
