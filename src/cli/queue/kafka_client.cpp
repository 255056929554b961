#include "cli/queue/kafka_client.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "cli/queue/broker_address.hpp"
#include "cli/queue/kafka_connection.hpp"
#include "cli/queue/limits.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/task.hpp"
#include "site/load/spelling.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/messages/membership.hpp"
#include "wire/kafka/messages/metadata.hpp"

namespace meridian::cli {

namespace kafka = wire::kafka;

namespace {

// Later versions name topics by their ids.
constexpr int16_t kMetadataVersion = 9;
// Later versions ask for several groups at once.
constexpr int16_t kFindCoordinatorVersion = 3;

Error UnknownTopic(const std::string& topic, const std::vector<std::string>& known) {
  std::string text = fmt::format("there is no topic \"{}\"", topic);
  if (std::optional<std::string> nearest = site::Nearest(topic, known)) {
    text += fmt::format("; did you mean \"{}\"?", *nearest);
  } else {
    text += known.empty() ? "; there are none" : "; see: meridian queue topics";
  }
  return {Errc::kNotFound, text};
}

}  // namespace

std::string Explained(kafka::ErrorCode error) {
  std::string text(kafka::ErrorCodeName(error));
  switch (error) {
    case kafka::ErrorCode::kKafkaStorageError:
      return text + ": the disk of the queue is full or damaged (see: meridian status)";
    case kafka::ErrorCode::kMessageTooLarge:
      return text + ": larger than max.message.bytes of the topic";
    case kafka::ErrorCode::kOffsetOutOfRange:
      return text + ": no longer kept, or not there yet";
    case kafka::ErrorCode::kRequestTimedOut:
      return text + ": the disk is slow; the messages may be there later, or not";
    default:
      return text;
  }
}

KafkaClient::KafkaClient(io::Loop& loop, io::Network& network, std::vector<BrokerAddress> brokers,
                         std::string where)
    : loop_(loop), network_(network), brokers_(std::move(brokers)), where_(std::move(where)) {}

io::Task<Result<std::unique_ptr<KafkaConnection>>> KafkaClient::Open(BrokerAddress broker) {
  Result<Endpoint> at = Resolve(broker);
  if (!at) co_return Fail(std::move(at.error()));
  co_return co_await KafkaConnection::Open(loop_, network_, *at);
}

io::Task<Result<void>> KafkaClient::Connect() {
  std::string reasons;
  for (const BrokerAddress& broker : brokers_) {
    auto opened = co_await Open(broker);
    if (opened) {
      bootstrap_ = std::move(*opened);
      co_return Result<void>{};
    }
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", broker.ToString(),
                           opened.error().message);
  }
  co_return Fail(Errc::kUnavailable, "{} does not answer ({}). See: meridian status", where_,
                 reasons);
}

io::Task<Result<Leaders>> KafkaClient::FindLeaders(std::optional<std::string> topic) {
  const kafka::MetadataRequest request{.allow_auto_topic_creation = false};  // of all topics
  auto answer = co_await bootstrap_->Ask<kafka::MetadataResponse>(request, kMetadataVersion);
  if (!answer) co_return Fail(std::move(answer.error()));
  known_.clear();
  for (const auto& broker : (*answer)->brokers) {
    if (known_.size() == kMaxKafkaBrokers) break;
    known_[broker.node_id] = {.host = std::string(broker.host),
                              .port = static_cast<uint16_t>(broker.port)};
  }
  Leaders leaders;
  std::vector<std::string> names;
  for (const auto& each : (*answer)->topics) {
    std::string name(each.name.value_or(""));
    if (each.is_internal || name.starts_with("__")) continue;
    names.push_back(name);
    if (topic && name != *topic) continue;
    for (const auto& partition : each.partitions) {
      leaders[{name, partition.index}] = partition.leader_id;
    }
  }
  if (topic && std::ranges::find(names, *topic) == names.end()) {
    co_return Fail(UnknownTopic(*topic, names));
  }
  co_return leaders;
}

std::vector<int32_t> KafkaClient::nodes() const {
  std::vector<int32_t> nodes;
  for (const auto& [node, address] : known_) nodes.push_back(node);
  return nodes;
}

io::Task<Result<KafkaConnection*>> KafkaClient::At(int32_t node_id) {
  auto open = connections_.find(node_id);
  if (open != connections_.end()) co_return open->second.get();
  auto known = known_.find(node_id);
  if (known == known_.end()) {
    co_return Fail(Errc::kUnavailable,
                   "a partition has no broker now (its leader is node {}). See: meridian status",
                   node_id);
  }
  const BrokerAddress broker = known->second;
  auto opened = co_await Open(broker);
  if (!opened) {
    co_return Fail(Errc::kUnavailable, "broker {} does not answer ({}). See: meridian status",
                   broker.ToString(), opened.error().message);
  }
  auto& connection = connections_[node_id];
  connection = std::move(*opened);
  co_return connection.get();
}

io::Task<Result<KafkaConnection*>> KafkaClient::AtCoordinator(const std::string& group) {
  const kafka::FindCoordinatorRequest request{.key = group};
  auto answer =
      co_await bootstrap_->Ask<kafka::FindCoordinatorResponse>(request, kFindCoordinatorVersion);
  if (!answer) co_return Fail(std::move(answer.error()));
  if ((*answer)->error != kafka::ErrorCode::kNone) {
    co_return Fail(Errc::kUnavailable, "group {}: {}", group, Explained((*answer)->error));
  }
  known_.try_emplace((*answer)->node_id,
                     BrokerAddress{.host = std::string((*answer)->host),
                                   .port = static_cast<uint16_t>((*answer)->port)});
  co_return co_await At((*answer)->node_id);
}

}  // namespace meridian::cli
