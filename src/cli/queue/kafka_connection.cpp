#include "cli/queue/kafka_connection.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "cli/queue/limits.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/task.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/api_versions.hpp"

namespace meridian::cli {

namespace kafka = wire::kafka;

io::Task<Result<std::unique_ptr<KafkaConnection>>> KafkaConnection::Open(io::Loop& loop,
                                                                         io::Network& network,
                                                                         Endpoint at) {
  auto stream =
      co_await network.Connect(at, {.from = {}, .deadline = loop.After(kKafkaConnectTimeout)});
  if (!stream) co_return Fail(std::move(stream.error()));
  std::unique_ptr<KafkaConnection> connection(new KafkaConnection(loop, std::move(*stream), at));
  Result<void> asked = co_await connection->AskVersions();
  if (!asked) co_return Fail(std::move(asked.error()));
  co_return connection;
}

io::Task<Result<void>> KafkaConnection::AskVersions() {
  // Every broker answers version 0.
  const kafka::ApiVersionsRequest request;
  auto answer = co_await AskAs<kafka::ApiVersionsResponse>(request, 0, Duration::zero());
  if (!answer) co_return Fail(std::move(answer.error()));
  if ((*answer)->error != kafka::ErrorCode::kNone) {
    co_return Fail(Errc::kInvalid, "{} refuses to say what it supports: {}", at_.ToString(),
                   kafka::ErrorCodeName((*answer)->error));
  }
  for (const auto& api : (*answer)->apis) versions_[api.key] = {api.min_version, api.max_version};
  co_return Result<void>{};
}

Result<int16_t> KafkaConnection::VersionOf(kafka::ApiKey api, int16_t max_version) const {
  const kafka::ApiDescription& ours = *kafka::FindApi(static_cast<int16_t>(api));
  auto theirs = versions_.find(static_cast<int16_t>(api));
  if (theirs == versions_.end()) {
    return Fail(Errc::kInvalid, "{} does not support {}", at_.ToString(), ours.name);
  }
  const int16_t version = std::min({max_version, ours.max_version, theirs->second.max});
  if (version >= std::max(ours.served_from, theirs->second.min)) return version;
  return Fail(Errc::kInvalid, "{} supports versions {} to {} of {}, and this command {} to {}",
              at_.ToString(), theirs->second.min, theirs->second.max, ours.name, ours.served_from,
              std::min(max_version, ours.max_version));
}

io::Task<Result<std::vector<uint8_t>>> KafkaConnection::Exchange(Bytes frame, Duration wait) {
  constexpr size_t kLengthBytes = 4;
  const TimePoint deadline = loop_.After(kKafkaAnswerTimeout + wait);
  Result<void> done = co_await stream_->Write(frame, deadline);
  std::array<uint8_t, kLengthBytes> length_bytes{};
  if (done) done = co_await ReadAll(length_bytes, deadline);
  if (!done) co_return Fail(std::move(done.error()));
  size_t length = 0;
  for (uint8_t byte : length_bytes) length = length << 8 | byte;
  if (length < kLengthBytes || length > kMaxKafkaAnswerBytes) {
    co_return Fail(Errc::kInvalid, "what answers at {} is no Kafka broker", at_.ToString());
  }
  std::vector<uint8_t> response(length);
  done = co_await ReadAll(response, deadline);
  if (!done) co_return Fail(std::move(done.error()));
  co_return response;
}

io::Task<Result<void>> KafkaConnection::ReadAll(MutableBytes into, TimePoint deadline) {
  while (!into.empty()) {
    Result<size_t> got = co_await stream_->Read(into, deadline);
    if (!got) co_return Fail(std::move(got.error()));
    if (*got == 0) {
      co_return Fail(Errc::kClosed, "{} closed the connection instead of answering",
                     at_.ToString());
    }
    into = into.subspan(*got);
  }
  co_return Result<void>{};
}

Result<kafka::ResponseHeader> KafkaConnection::HeaderOf(kafka::ApiKey api, int16_t version,
                                                        Bytes response) const {
  auto header =
      kafka::DecodeResponseHeader(*kafka::FindApi(static_cast<int16_t>(api)), version, response);
  if (!header) return Malformed(header.error());
  if (header->correlation_id == correlation_id_) return header;
  return Fail(Errc::kInvalid, "what answers at {} is no Kafka broker", at_.ToString());
}

std::unexpected<Error> KafkaConnection::Malformed(const Error& error) const {
  return Fail(Errc::kInvalid, "the answer of {} cannot be read: {}", at_.ToString(), error.message);
}

}  // namespace meridian::cli
