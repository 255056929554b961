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
#include "queue/server/answers.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/pace.hpp"
#include "queue/server/uuid.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/refusal.hpp"
#include "queue/state/topic_config.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/api_versions.hpp"
#include "wire/kafka/messages/membership.hpp"
#include "wire/kafka/messages/metadata.hpp"

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

io::Task<FoundTopics::Entry> FindOrCreate(Broker& broker, std::string name, bool create) {
  if (auto found = broker.engine().FindTopic(name)) co_return EntryOf(std::move(*found));
  if (create && broker.config().auto_create) {
    auto created = co_await broker.engine().CreateTopic(
        {.name = name, .partitions = static_cast<uint32_t>(broker.config().partitions)});
    if (created) co_return EntryOf(std::move(*created));
    // Another request may have created it meanwhile.
    if (auto found = broker.engine().FindTopic(name)) co_return EntryOf(std::move(*found));
    co_return FoundTopics::Entry{.error = ErrorCodeOf(created.error().error),
                                 .name = std::move(name)};
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

kafka::MetadataResponse::Topic Described(const FoundTopics::Entry& entry, int32_t node_id) {
  kafka::MetadataResponse::Topic topic{.error = entry.error, .id = entry.id};
  if (entry.name) topic.name = *entry.name;
  if (!entry.topic) return topic;
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

Answered AnswerMetadata(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::MetadataRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  const FoundTopics found = co_await FindTopics(broker, call, *request);
  const BrokerIdentity& here = broker.identity();
  kafka::MetadataResponse response;
  Pace pace;
  response.brokers.push_back(
      {.node_id = here.node_id, .host = here.host, .port = here.port, .rack = here.rack});
  response.cluster_id = here.cluster_id;
  response.controller_id = here.node_id;
  for (const FoundTopics::Entry& entry : found.entries) {
    response.topics.push_back(Described(entry, here.node_id));
    co_await pace.Step();
  }
  co_return FrameOf(call, response);
}

Answered AnswerDescribeCluster(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::DescribeClusterRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  const BrokerIdentity& here = broker.identity();
  kafka::DescribeClusterResponse response{.endpoint_type = request->endpoint_type,
                                          .cluster_id = here.cluster_id,
                                          .controller_id = here.node_id};
  if (request->endpoint_type == 1) {
    response.brokers.push_back(
        {.id = here.node_id, .host = here.host, .port = here.port, .rack = here.rack});
  } else {
    response.error = ErrorCode::kInvalidRequest;
    response.error_message = "only brokers can be described";
  }
  co_return FrameOf(call, response);
}

Answered AnswerFindCoordinator(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::FindCoordinatorRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  const BrokerIdentity& here = broker.identity();
  kafka::FindCoordinatorResponse response;
  Pace pace;
  if (request->key_type != 0) {
    response.error = kNoTransactions;
    response.error_message = "transactions are not supported";
  } else {
    response.node_id = here.node_id;
    response.host = here.host;
    response.port = here.port;
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
