#include "queue/server/client_handler.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/fiber.hpp"
#include "io/task.hpp"
#include "io/threads/run_on.hpp"
#include "queue/engine/engine.hpp"
#include "queue/limits.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/connection.hpp"
#include "queue/server/fetch_response.hpp"
#include "queue/server/produce_request.hpp"
#include "queue/server/response.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/fetch.hpp"
#include "wire/kafka/messages/produce.hpp"

namespace meridian::queue {

namespace kafka = wire::kafka;

namespace {

Response ResponseOf(kafka::Frame frame) {
  Response response;
  response.pieces.push_back({.bytes = std::move(frame.bytes)});
  return response;
}

// Makes the request refer to nothing but the text that is returned, and drops what its answer does
// not need.
std::vector<char> OwnNames(kafka::FetchRequest& request) {
  size_t bytes = 0;
  for (const auto& topic : request.topics) bytes += topic.name.size();
  std::vector<char> names(bytes);
  char* next = names.data();
  for (auto& topic : request.topics) {
    char* end = std::ranges::copy(topic.name, next).out;
    topic.name = {std::exchange(next, end), topic.name.size()};
  }
  request.cluster_id.reset();
  request.rack_id = {};
  request.forgotten_topics = std::vector<kafka::FetchRequest::ForgottenTopic>();
  return names;
}

}  // namespace

ClientHandler::ClientHandler(const Parts& parts, std::string client_host)
    : parts_(parts), client_host_(std::move(client_host)) {}

bool ClientHandler::MayOverlap(Bytes frame) const {
  return ByteReader(frame).U16() == static_cast<uint16_t>(kafka::ApiKey::kProduce);
}

void ClientHandler::StopWaiting() {
  stopped_ = true;
  if (!cancellation_) return;
  parts_.broker.loop().Post(
      [&broker = parts_.broker, cancellation = cancellation_] { broker.Cancel(*cancellation); });
}

std::shared_ptr<Cancellation> ClientHandler::NewCancellation() {
  return std::make_shared<Cancellation>(
      Cancellation{.ticket = parts_.broker.NewTicket(), .requested = stopped_});
}

ClientHandler::Handled ClientHandler::Handle(RequestFrame frame) {
  auto header = kafka::DecodeRequestHeader(frame.all());
  if (!header) co_return Fail(std::move(header.error()));
  if (header->api == nullptr) {
    co_return Fail(Errc::kInvalid, "there is no API {}", header->api_key);
  }
  parts_.metrics.CountRequest(header->api->key);
  if (!header->supported() && header->api->key != kafka::ApiKey::kApiVersions) {
    co_return Fail(Errc::kInvalid, "{} has versions {} to {}, not {}", header->api->name,
                   header->api->min_version, header->api->max_version, header->api_version);
  }
  const bool small =
      header->api->key != kafka::ApiKey::kProduce && header->api->key != kafka::ApiKey::kSyncGroup;
  if (small && frame.bytes > kMaxSmallRequestBytes) {
    co_return Fail(Errc::kTooLarge, "a {} request of {} bytes: {} are allowed", header->api->name,
                   frame.bytes, kMaxSmallRequestBytes);
  }
  switch (header->api->key) {
    case kafka::ApiKey::kProduce:
      co_return co_await Produce(*header);
    case kafka::ApiKey::kFetch:
      co_return co_await Fetch(*header, frame);
    default:
      co_return co_await Answer(*header, frame);
  }
}

ClientHandler::Handled ClientHandler::Answer(const kafka::RequestHeader& header,
                                             RequestFrame& frame) {
  cancellation_ = NewCancellation();
  io::Fiber& fiber = co_await io::ThisFiber{};
  Call call{
      .header = header,
      .client_host = client_host_,
      .cancellation = cancellation_,
      // What is posted here runs before the answer is there.
      .release = [&frame, &here = fiber.loop()] { here.Post([&frame] { frame.Release(); }); }};
  auto answer = co_await io::RunOn(parts_.broker_scope, parts_.broker.Answer(std::move(call)));
  cancellation_.reset();
  if (!answer) co_return Fail(std::move(answer.error()));
  co_return std::optional<Response>(ResponseOf(std::move(*answer)));
}

ClientHandler::Handled ClientHandler::Produce(const kafka::RequestHeader& header) {
  auto request = kafka::DecodeRequest<kafka::ProduceRequest>(header);
  if (!request) co_return Fail(std::move(request.error()));
  const CheckedProduce checked = co_await CheckProduce(header, *request);
  std::vector<ProduceOutcome> outcomes;
  if (!checked.parts.empty()) {
    outcomes = co_await io::RunOn(
        parts_.broker_scope,
        parts_.broker.Produce(checked.parts, checked.acknowledge, checked.timeout));
  }
  kafka::ProduceResponse response = ProduceResponseOf(*request, checked, outcomes, parts_.metrics);
  if (request->acks == 0) {
    // The client hears of an error by the end of the connection, as from Kafka.
    const kafka::ErrorCode error = FirstError(response);
    if (error != kafka::ErrorCode::kNone) {
      co_return Fail(Errc::kInvalid, "a batch with acks=0 was refused: {}",
                     kafka::ErrorCodeName(error));
    }
    co_return std::optional<Response>{};
  }
  kafka::Frame frame;
  Result<> encoded =
      kafka::EncodeResponse(header.correlation_id, header.api_version, response, &frame);
  if (!encoded) co_return Fail(std::move(encoded.error()));
  co_return std::optional<Response>(ResponseOf(std::move(frame)));
}

ClientHandler::Handled ClientHandler::Fetch(const kafka::RequestHeader& header,
                                            RequestFrame& frame) {
  auto request = kafka::DecodeRequest<kafka::FetchRequest>(header);
  if (!request) co_return Fail(std::move(request.error()));
  // It may wait for a minute. What is kept of it meanwhile is bounded by the limit of such waits.
  const std::vector<char> names = OwnNames(*request);
  frame.Release();
  std::vector<FetchedPartition> fetched;
  if (MayFetch(*request)) {
    cancellation_ = NewCancellation();
    fetched = co_await io::RunOn(
        parts_.broker_scope,
        parts_.broker.Fetch(
            {.request = *request, .cancellation = cancellation_, .from_peer = parts_.from_peer}));
    cancellation_.reset();
  }
  auto response =
      FetchResponseOf({.api_version = header.api_version, .correlation_id = header.correlation_id},
                      *request, std::move(fetched), parts_.metrics);
  if (!response) co_return Fail(std::move(response.error()));
  co_return std::optional<Response>(std::move(*response));
}

}  // namespace meridian::queue
