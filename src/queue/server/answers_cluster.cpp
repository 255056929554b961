// Answers about the cluster: what it supports, its brokers and topics, and producer ids.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "io/task.hpp"
#include "queue/engine/engine.hpp"
#include "queue/limits.hpp"
#include "queue/mirror/mirrors.hpp"
#include "queue/mirror/peer_caller.hpp"
#include "queue/server/answers.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/pace.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/refusal.hpp"
#include "queue/state/topic_config.hpp"
#include "queue/state/uuid.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/api_versions.hpp"
#include "wire/kafka/messages/membership.hpp"
#include "wire/kafka/messages/metadata.hpp"
#include "wire/kafka/messages/topics.hpp"

namespace meridian::queue {

namespace kafka = wire::kafka;
using kafka::ErrorCode;

namespace {

// Clients give up at once. Others of Kafka's errors they take for temporary.
constexpr ErrorCode kNoTransactions = ErrorCode::kTransactionalIdAuthorizationFailed;

}  // namespace

// A client whose version we do not know learns from the answer, which has version 0, which we do.
Answered AnswerApiVersions(Broker& /*broker*/, const Call& call) {
  kafka::ApiVersionsResponse response;
  for (const kafka::ApiDescription& api : kafka::SupportedApis()) {
    response.apis.push_back({.key = static_cast<int16_t>(api.key),
                             .min_version = api.min_version,
                             .max_version = api.max_version});
  }
  if (call.header.supported()) {
    auto request = kafka::DecodeRequest<kafka::ApiVersionsRequest>(call.header);
    if (!request) co_return Fail(std::move(request.error()));
    co_return FrameOf(call, response);
  }
  response.error = ErrorCode::kUnsupportedVersion;
  Call known = call;
  known.header.api_version = 0;
  co_return FrameOf(known, response);
}

namespace {

// The topics that a Metadata request names, with errors for those that are not there.
struct FoundTopics {
  struct Entry {
    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string> name;  // nothing: asked for by an id that no topic has
    kafka::Uuid id{};
    std::optional<TopicDescription> topic;
  };
  std::vector<Entry> entries;
};

FoundTopics::Entry EntryOf(TopicDescription topic) {
  return {.name = topic.name, .id = ToWire(topic.uuid), .topic = std::move(topic)};
}

// Asks the controller to create the topic. The client asks again until it is mirrored here.
io::Task<FoundTopics::Entry> CreateElsewhere(Broker& broker, std::string name) {
  FoundTopics::Entry entry{.error = ErrorCode::kLeaderNotAvailable, .name = name};
  const auto controller = broker.engine().controller().node;
  PeerCaller* caller =
      broker.mirrors() == nullptr ? nullptr : broker.mirrors()->CallerOf(controller);
  if (!CheckTopicName(name)) entry.error = ErrorCode::kInvalidTopic;
  if (caller == nullptr || entry.error != ErrorCode::kLeaderNotAvailable) co_return entry;
  constexpr int16_t kVersion = 5;
  kafka::CreateTopicsRequest request;
  request.topics.push_back(
      {.name = name, .num_partitions = broker.config().partitions, .replication_factor = -1});
  auto response = co_await caller->Call<kafka::CreateTopicsResponse>(
      request, kVersion, broker.loop().After(kCreateElsewhereTimeout));
  if (!response || response->message.topics.empty()) co_return entry;
  const ErrorCode error = response->message.topics[0].error;
  const bool exists = error == ErrorCode::kNone || error == ErrorCode::kTopicAlreadyExists;
  if (!exists && error != ErrorCode::kNotController) entry.error = error;
  co_return entry;
}

io::Task<FoundTopics::Entry> FindOrCreate(Broker& broker, std::string name, bool create) {
  if (auto found = broker.engine().FindTopic(name)) co_return EntryOf(std::move(*found));
  if (create && broker.config().auto_create && broker.engine().is_controller()) {
    auto created = co_await broker.engine().CreateTopic(
        {.name = name, .partitions = static_cast<uint32_t>(broker.config().partitions)});
    if (created) co_return EntryOf(std::move(*created));
    // Another request may have created it meanwhile.
    if (auto found = broker.engine().FindTopic(name)) co_return EntryOf(std::move(*found));
    co_return FoundTopics::Entry{.error = ErrorCodeOf(created.error().error),
                                 .name = std::move(name)};
  }
  if (create && broker.config().auto_create && !broker.engine().is_controller()) {
    co_return co_await CreateElsewhere(broker, std::move(name));
  }
  const bool valid = CheckTopicName(name).has_value();
  co_return FoundTopics::Entry{
      .error = valid ? ErrorCode::kUnknownTopicOrPartition : ErrorCode::kInvalidTopic,
      .name = std::move(name)};
}

FoundTopics::Entry FindById(const Broker& broker, const kafka::Uuid& id) {
  if (auto name = broker.engine().NameOf(FromWire(id))) {
    return EntryOf(*broker.engine().FindTopic(*name));
  }
  return {.error = ErrorCode::kUnknownTopicId, .id = id};
}

io::Task<FoundTopics> FindTopics(Broker& broker, const Call& call,
                                 const kafka::MetadataRequest& request) {
  FoundTopics found;
  Pace pace;
  const bool all = !request.topics || (call.header.api_version == 0 && request.topics->empty());
  if (all) {
    for (TopicDescription& topic : broker.engine().Topics()) {
      found.entries.push_back(EntryOf(std::move(topic)));
      co_await pace.Step();
    }
    co_return found;
  }
  std::set<std::string_view> names;
  size_t created = 0;
  for (const auto& asked : *request.topics) {
    co_await pace.Step();
    // Each is told once, however often it was asked for.
    if (asked.name && !names.insert(*asked.name).second) continue;
    if (found.entries.size() >= kMaxPartitions) break;
    if (!asked.name) {
      found.entries.push_back(FindById(broker, asked.id));
      continue;
    }
    const bool exists = broker.engine().FindTopic(*asked.name).has_value();
    const bool create = request.allow_auto_topic_creation && created < kMaxAutoCreatedTopics;
    if (!exists && create) ++created;
    found.entries.push_back(co_await FindOrCreate(broker, std::string(*asked.name), create));
  }
  co_return found;
}

kafka::MetadataResponse::Topic Described(const FoundTopics::Entry& entry) {
  kafka::MetadataResponse::Topic topic{.error = entry.error, .id = entry.id};
  if (entry.name) topic.name = *entry.name;
  if (!entry.topic) return topic;
  const auto node_id = static_cast<int32_t>(entry.topic->home);
  for (uint32_t i = 0; i < entry.topic->partitions; ++i) {
    topic.partitions.push_back({.index = static_cast<int32_t>(i),
                                .leader_id = node_id,
                                .leader_epoch = entry.topic->leader_epoch,
                                .replica_nodes = {node_id},
                                .isr_nodes = {node_id}});
  }
  return topic;
}

}  // namespace

namespace {

std::vector<const BrokerAddress*> AllBrokers(const Broker& broker) {
  std::vector<const BrokerAddress*> all = {&broker.here()};
  for (const BrokerAddress& other : broker.identity().others) all.push_back(&other);
  return all;
}

}  // namespace

Answered AnswerMetadata(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::MetadataRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  const FoundTopics found = co_await FindTopics(broker, call, *request);
  kafka::MetadataResponse response;
  Pace pace;
  for (const BrokerAddress* each : AllBrokers(broker)) {
    response.brokers.push_back(
        {.node_id = each->node_id, .host = each->host, .port = each->port, .rack = each->rack});
  }
  response.cluster_id = broker.identity().cluster_id;
  response.controller_id = static_cast<int32_t>(broker.engine().controller().node);
  for (const FoundTopics::Entry& entry : found.entries) {
    response.topics.push_back(Described(entry));
    co_await pace.Step();
  }
  co_return FrameOf(call, response);
}

Answered AnswerDescribeCluster(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::DescribeClusterRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::DescribeClusterResponse response{
      .endpoint_type = request->endpoint_type,
      .cluster_id = broker.identity().cluster_id,
      .controller_id = static_cast<int32_t>(broker.engine().controller().node)};
  if (request->endpoint_type == 1) {
    for (const BrokerAddress* each : AllBrokers(broker)) {
      response.brokers.push_back(
          {.id = each->node_id, .host = each->host, .port = each->port, .rack = each->rack});
    }
  } else {
    response.error = ErrorCode::kInvalidRequest;
    response.error_message = "only brokers can be described";
  }
  co_return FrameOf(call, response);
}

Answered AnswerFindCoordinator(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::FindCoordinatorRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  const BrokerAddress* coordinator = broker.controller();
  kafka::FindCoordinatorResponse response;
  Pace pace;
  if (request->key_type != 0) {
    response.error = kNoTransactions;
    response.error_message = "transactions are not supported";
  } else if (coordinator == nullptr) {
    response.error = ErrorCode::kCoordinatorNotAvailable;
  } else {
    response.node_id = coordinator->node_id;
    response.host = coordinator->host;
    response.port = coordinator->port;
  }
  for (std::string_view key : request->keys) {
    response.coordinators.push_back({.key = key,
                                     .node_id = response.node_id,
                                     .host = response.host,
                                     .port = response.port,
                                     .error = response.error,
                                     .error_message = response.error_message});
    co_await pace.Step();
  }
  co_return FrameOf(call, response);
}

Answered AnswerInitProducerId(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::InitProducerIdRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::InitProducerIdResponse response;
  if (request->transactional_id) {
    response.error = kNoTransactions;
    co_return FrameOf(call, response);
  }
  auto id = co_await broker.engine().NewProducerId();
  if (id) {
    response.producer_id = *id;
    response.producer_epoch = 0;
  } else {
    response.error = ErrorCodeOf(id.error().error);
  }
  co_return FrameOf(call, response);
}

}  // namespace meridian::queue
