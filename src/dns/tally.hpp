// Counts of answers. A thread that answers keeps a Tally of its own for a batch and adds it to the
// tier's metrics at the end, so that threads do not pull a cache line to and fro for each query.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/metrics.hpp"
#include "dns/limits.hpp"
#include "dns/responder.hpp"

namespace meridian::dns {

struct Tally {
  std::array<uint32_t, kReplyKinds> replies{};
  std::array<uint32_t, kMaxDataCenters> steered{};
  uint32_t truncated = 0;

  void Add(const Reply& reply) {
    ++replies[static_cast<size_t>(reply.kind)];
    if (reply.truncated) ++truncated;
    if (reply.steered_to) ++steered[*reply.steered_to];
  }
};

// The answering part of the tier's metrics. Owned by the Server; Add from any thread.
class AnswerMetrics {
 public:
  AnswerMetrics(Metrics& metrics, const std::vector<std::string>& data_centers);

  void Add(Transport transport, const Tally& tally);

 private:
  struct PerTransport {
    std::array<Counter*, kReplyKinds> replies{};
    Counter* truncated = nullptr;
  };
  std::array<PerTransport, 2> transports_;  // by Transport
  std::vector<Counter*> steered_;           // by data center
};

}  // namespace meridian::dns
