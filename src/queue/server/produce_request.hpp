// The checks of a Produce request before the engine sees it, and its response. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "io/task.hpp"
#include "queue/engine/engine.hpp"
#include "queue/server/server_metrics.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/produce.hpp"

namespace meridian::queue {

// Refers to the request, which must outlive it.
struct CheckedProduce {
  struct Refused {
    wire::kafka::ErrorCode error = wire::kafka::ErrorCode::kNone;
    std::string message;
  };
  Acknowledge acknowledge = Acknowledge::kDurable;
  Duration timeout{};
  std::vector<ProducePart> parts;  // the batches that the engine may append
  // One for each partition of the request, in its order; those without an error are in `parts`.
  std::vector<Refused> refusals;
};

// Lets other fibers run between two batches that it has decompressed.
io::Task<CheckedProduce> CheckProduce(const wire::kafka::RequestHeader& header,
                                      const wire::kafka::ProduceRequest& request);

// `outcomes`: of the parts. The response refers to all three.
wire::kafka::ProduceResponse ProduceResponseOf(const wire::kafka::ProduceRequest& request,
                                               const CheckedProduce& checked,
                                               std::span<const ProduceOutcome> outcomes,
                                               ServerMetrics& metrics);

// kNone: there is none.
wire::kafka::ErrorCode FirstError(const wire::kafka::ProduceResponse& response);

}  // namespace meridian::queue
