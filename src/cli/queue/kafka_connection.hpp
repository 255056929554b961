// KafkaConnection: a connection of a command to one Kafka broker. It sends one request at a time
// and waits for its answer.
//
// One thread: the loop's. After an error the connection cannot be used any more.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/task.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/frame.hpp"

namespace meridian::cli {

inline constexpr std::string_view kKafkaClientId = "meridian";

// A response, and the bytes that its strings are views of.
template <class Response>
struct KafkaAnswer {
  std::vector<uint8_t> bytes;
  Response message;

  const Response* operator->() const { return &message; }
};

class KafkaConnection {
 public:
  // Connects, and asks which versions the broker supports. Errors of Network::Connect; kInvalid:
  // something else than a Kafka broker answers; kTimeout.
  static io::Task<Result<std::unique_ptr<KafkaConnection>>> Open(io::Loop& loop,
                                                                 io::Network& network, Endpoint at);

  // The answer to `request`, in the highest version that both sides have, at most `max_version`.
  // `wait`: how long the request itself lets the broker wait. kInvalid: the broker has no such
  // version, or the answer is malformed; kTimeout; kClosed, kReset: the broker closed the
  // connection.
  template <class Response, class Request>
  io::Task<Result<KafkaAnswer<Response>>> Ask(const Request& request, int16_t max_version,
                                              Duration wait = Duration::zero()) {
    Result<int16_t> version = VersionOf(Request::kApi, max_version);
    if (!version) co_return Fail(std::move(version.error()));
    co_return co_await AskAs<Response>(request, *version, wait);
  }

 private:
  KafkaConnection(io::Loop& loop, std::unique_ptr<io::Stream> stream, Endpoint at)
      : loop_(loop), stream_(std::move(stream)), at_(at) {}

  template <class Response, class Request>
  io::Task<Result<KafkaAnswer<Response>>> AskAs(const Request& request, int16_t version,
                                                Duration wait) {
    const wire::kafka::RequestIdentity identity{
        .api_version = version, .correlation_id = ++correlation_id_, .client_id = kKafkaClientId};
    wire::kafka::Frame frame;
    Result<void> encoded = wire::kafka::EncodeRequest(identity, request, &frame);
    if (!encoded) co_return Fail(std::move(encoded.error()));
    auto bytes = co_await Exchange(frame.bytes, wait);
    if (!bytes) co_return Fail(std::move(bytes.error()));
    KafkaAnswer<Response> answer{.bytes = std::move(*bytes), .message = {}};
    Result<wire::kafka::ResponseHeader> header =
        HeaderOf(Request::kApi, version, Bytes(answer.bytes));
    if (!header) co_return Fail(std::move(header.error()));
    Result<Response> message = wire::kafka::DecodeResponse<Response>(*header, version);
    if (!message) co_return Malformed(message.error());
    answer.message = std::move(*message);
    co_return answer;
  }

  io::Task<Result<void>> AskVersions();
  Result<int16_t> VersionOf(wire::kafka::ApiKey api, int16_t max_version) const;
  // Sends a frame; the response without its length.
  io::Task<Result<std::vector<uint8_t>>> Exchange(Bytes frame, Duration wait);
  io::Task<Result<void>> ReadAll(MutableBytes into, TimePoint deadline);
  Result<wire::kafka::ResponseHeader> HeaderOf(wire::kafka::ApiKey api, int16_t version,
                                               Bytes response) const;
  std::unexpected<Error> Malformed(const Error& error) const;

  struct Versions {
    int16_t min = 0;
    int16_t max = 0;
  };

  io::Loop& loop_;
  std::unique_ptr<io::Stream> stream_;
  const Endpoint at_;
  std::map<int16_t, Versions> versions_;  // by API key
  int32_t correlation_id_ = 0;
};

}  // namespace meridian::cli
