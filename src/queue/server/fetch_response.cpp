#include "queue/server/fetch_response.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/response.hpp"
#include "queue/server/server_metrics.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/fetch.hpp"

namespace meridian::queue {

namespace kafka = wire::kafka;

namespace {

// The last epoch of a client that ends its session, or has none.
constexpr int32_t kNoSessionEpoch = -1;
constexpr int8_t kReadCommitted = 1;

kafka::FetchResponse MessageOf(const kafka::FetchRequest& request,
                               const std::vector<FetchedPartition>& fetched) {
  kafka::FetchResponse message;
  size_t next = 0;
  for (const auto& topic : request.topics) {
    auto& answered = message.topics.emplace_back();
    answered.name = topic.name;
    answered.id = topic.id;
    for (const auto& partition : topic.partitions) {
      const FetchedPartition& from = fetched[next++];
      auto& result = answered.partitions.emplace_back();
      result.index = partition.index;
      result.error = from.error;
      if (request.isolation_level == kReadCommitted) result.aborted_transactions.emplace();
      if (from.error != kafka::ErrorCode::kNone) continue;
      result.high_watermark = from.view.high_watermark;
      result.last_stable_offset = from.view.high_watermark;
      result.log_start_offset = from.view.log_start_offset;
      if (from.view.range.file) result.records.left_out_bytes = from.view.range.bytes;
    }
  }
  return message;
}

// The frame, cut where files belong into it.
Response Assemble(const kafka::Frame& frame, std::vector<FetchedPartition> fetched) {
  Response response;
  size_t begin = 0;
  auto gap = frame.gaps.begin();
  for (FetchedPartition& each : fetched) {
    FileRange& range = each.view.range;
    if (!range.file || range.bytes == 0) continue;
    ResponsePiece piece;
    piece.bytes.assign(frame.bytes.begin() + static_cast<ptrdiff_t>(begin),
                       frame.bytes.begin() + static_cast<ptrdiff_t>(gap->position));
    piece.file = {.file = std::move(range.file), .position = range.position, .bytes = range.bytes};
    begin = gap->position;
    ++gap;
    response.pieces.push_back(std::move(piece));
  }
  response.pieces.push_back(
      {.bytes = {frame.bytes.begin() + static_cast<ptrdiff_t>(begin), frame.bytes.end()}});
  return response;
}

}  // namespace

bool MayFetch(const kafka::FetchRequest& request) {
  return request.session_id == 0 || request.session_epoch == kNoSessionEpoch;
}

Result<Response> FetchResponseOf(const kafka::RequestHeader& header,
                                 const kafka::FetchRequest& request,
                                 std::vector<FetchedPartition> fetched, ServerMetrics& metrics) {
  kafka::FetchResponse message;
  if (MayFetch(request)) {
    message = MessageOf(request, fetched);
  } else {
    message.error = kafka::ErrorCode::kFetchSessionIdNotFound;
  }
  for (const FetchedPartition& each : fetched) metrics.fetched_bytes.Add(each.view.range.bytes);
  kafka::Frame frame;
  Result<> encoded =
      kafka::EncodeResponse(header.correlation_id, header.api_version, message, &frame);
  if (!encoded) return Fail(std::move(encoded.error()));
  return Assemble(frame, std::move(fetched));
}

}  // namespace meridian::queue
