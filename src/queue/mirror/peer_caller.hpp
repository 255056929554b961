// PeerCaller: sends Kafka requests to the queue of another data center, one at a time, over a
// connection to its peer port that it keeps. Further calls wait, at most kMaxPeerCalls. Owned by
// Mirrors; one thread: the main loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "queue/engine/fiber_mutex.hpp"
#include "store/mirror/mirror_client.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/frame.hpp"

namespace meridian::queue {

// The response to a request; its views are valid as long as it is.
template <class Response>
struct PeerResponse {
  std::vector<uint8_t> bytes;
  Response message;
};

class PeerCaller {
 public:
  explicit PeerCaller(store::MirrorClient::Dial dial) : dial_(std::move(dial)) {}

  // `version` of the request's API. kTooLarge: too many calls wait; kTimeout, kCancelled; kInvalid:
  // the response is malformed; else the errors of dialling and of streams.
  template <class Response, class Request>
  io::Task<Result<PeerResponse<Response>>> Call(const Request& request, int16_t version,
                                                TimePoint deadline) {
    wire::kafka::Frame frame;
    Result<void> encoded = wire::kafka::EncodeRequest(
        {.api_version = version, .correlation_id = ++last_id_, .client_id = "meridian"}, request,
        &frame);
    if (!encoded) co_return Fail(std::move(encoded.error()));
    Result<std::vector<uint8_t>> bytes = co_await ExchangeInTurn(frame.bytes, deadline);
    if (!bytes) co_return Fail(std::move(bytes.error()));
    PeerResponse<Response> response{.bytes = std::move(*bytes), .message = {}};
    auto header = wire::kafka::DecodeResponseHeader(wire::kafka::internal::ApiOf(Request::kApi),
                                                    version, response.bytes);
    if (!header) co_return Fail(std::move(header.error()));
    auto message = wire::kafka::DecodeResponse<Response>(*header, version);
    if (!message) co_return Fail(std::move(message.error()));
    response.message = std::move(*message);
    co_return response;
  }

 private:
  io::Task<Result<std::vector<uint8_t>>> ExchangeInTurn(Bytes request, TimePoint deadline);
  io::Task<Result<std::vector<uint8_t>>> Exchange(Bytes request, TimePoint deadline);
  io::Task<Result<std::vector<uint8_t>>> ReadResponse(TimePoint deadline);
  io::Task<Result<void>> ReadAll(MutableBytes into, TimePoint deadline);

  store::MirrorClient::Dial dial_;
  FiberMutex mutex_;
  size_t calls_ = 0;  // under way or waiting
  std::unique_ptr<io::Stream> stream_;
  int32_t last_id_ = 0;
};

}  // namespace meridian::queue
