#include "queue/server/produce_request.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/engine.hpp"
#include "queue/server/answers.hpp"
#include "queue/server/server_metrics.hpp"
#include "queue/state/limits.hpp"
#include "wire/kafka/compression.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/produce.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

namespace kafka = wire::kafka;
using kafka::ErrorCode;

namespace {

using Refused = CheckedProduce::Refused;

// Why all batches of the request are refused.
Refused RefusalOfAll(const kafka::RequestHeader& header, const kafka::ProduceRequest& request) {
  if (header.api_version < header.api->served_from) {
    return {ErrorCode::kUnsupportedForMessageFormat,
            "messages of formats 0 and 1 are not supported: use a client of Kafka 0.11 or newer"};
  }
  if (request.transactional_id) {
    return {ErrorCode::kTransactionalIdAuthorizationFailed, "transactions are not supported"};
  }
  if (request.acks < -1 || request.acks > 1) {
    return {ErrorCode::kInvalidRequiredAcks, "acks is -1 (all), 0 or 1"};
  }
  return {};
}

}  // namespace

io::Task<CheckedProduce> CheckProduce(const kafka::RequestHeader& header,
                                      const kafka::ProduceRequest& request) {
  CheckedProduce checked{
      .acknowledge = request.acks == 0 ? Acknowledge::kNever : Acknowledge::kDurable,
      .timeout = std::chrono::milliseconds{std::max(request.timeout_ms, 0)}};
  const Refused all = RefusalOfAll(header, request);
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      Refused& refused = checked.refusals.emplace_back(all);
      if (refused.error != ErrorCode::kNone) continue;
      const Bytes batch = partition.records.bytes;
      if (batch.size() > static_cast<size_t>(kMaxMaxMessageBytes)) {
        refused = {ErrorCode::kMessageTooLarge, "a batch is larger than any topic allows"};
        continue;
      }
      ErrorCode code = ErrorCode::kNone;
      auto accepted = kafka::CheckBatch(batch, &code);
      if (!accepted) {
        refused = {code, std::move(accepted.error().message)};
        (void)co_await io::Sleep(Duration::zero());
        continue;
      }
      checked.parts.push_back(
          {.where = PartitionOf(topic.name, partition.index), .header = *accepted, .batch = batch});
      if (accepted->codec() != kafka::Codec::kNone) (void)co_await io::Sleep(Duration::zero());
    }
  }
  co_return checked;
}

kafka::ProduceResponse ProduceResponseOf(const kafka::ProduceRequest& request,
                                         const CheckedProduce& checked,
                                         std::span<const ProduceOutcome> outcomes,
                                         ServerMetrics& metrics) {
  kafka::ProduceResponse response;
  size_t next = 0;
  size_t next_part = 0;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      auto& result = answered.partitions.emplace_back();
      result.index = partition.index;
      const Refused& refused = checked.refusals[next++];
      result.error = refused.error;
      result.base_offset = -1;
      if (!refused.message.empty()) result.error_message = refused.message;
      if (refused.error == ErrorCode::kNone) {
        const ProduceOutcome& outcome = outcomes[next_part++];
        result.error = ErrorCodeOf(outcome.error);
        result.base_offset = outcome.base_offset;
        result.log_append_time_ms = outcome.append_time_ms;
        result.log_start_offset = outcome.log_start_offset;
        if (!outcome.message.empty()) result.error_message = outcome.message;
      }
      if (result.error == ErrorCode::kNone) {
        metrics.produced_batches.Add();
        metrics.produced_bytes.Add(partition.records.bytes.size());
      } else {
        metrics.refused_batches.Add();
      }
    }
  }
  return response;
}

ErrorCode FirstError(const kafka::ProduceResponse& response) {
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error != ErrorCode::kNone) return partition.error;
    }
  }
  return ErrorCode::kNone;
}

}  // namespace meridian::queue
