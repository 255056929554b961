// Answers that change topics and what they hold.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "io/task.hpp"
#include "queue/engine/engine.hpp"
#include "queue/server/answers.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/pace.hpp"
#include "queue/state/refusal.hpp"
#include "queue/state/topic_config.hpp"
#include "queue/state/uuid.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/topics.hpp"

namespace meridian::queue {

namespace kafka = wire::kafka;
using kafka::ErrorCode;

namespace {

using CreateRequest = kafka::CreateTopicsRequest::Topic;
using CreateResponse = kafka::CreateTopicsResponse::Topic;

// The number of partitions that the request wants.
Outcome<uint32_t> WantedPartitions(const Broker& broker, const CreateRequest& request) {
  const int32_t here = broker.here().node_id;
  for (const auto& assignment : request.assignments) {
    if (assignment.broker_ids != std::vector<int32_t>{here}) {
      return Refuse(QueueError::kInvalidPartitions, "each partition is on broker {} alone", here);
    }
  }
  if (!request.assignments.empty()) return static_cast<uint32_t>(request.assignments.size());
  const int32_t wanted = request.num_partitions;
  if (wanted == -1) return static_cast<uint32_t>(broker.config().partitions);
  if (wanted < 1) return Refuse(QueueError::kInvalidPartitions, "{} partitions", wanted);
  return static_cast<uint32_t>(wanted);
}

std::vector<CreateResponse::Config> Described(const TopicDescription& topic,
                                              std::deque<std::string>& texts) {
  std::vector<CreateResponse::Config> configs;
  for (const ConfigKey& key : ConfigKeys()) {
    const bool overridden = topic.overrides.contains(key.name);
    configs.push_back({.name = key.name,
                       .value = texts.emplace_back(ConfigValue(topic.config, key.name)),
                       .source = static_cast<int8_t>(overridden ? 1 : 5)});
  }
  return configs;
}

// `texts` holds what the response refers to.
io::Task<CreateResponse> Create(Broker& broker, const CreateRequest& request, bool validate_only,
                                std::deque<std::string>& texts) {
  CreateResponse response{.name = request.name};
  auto refuse = [&](ErrorCode error, std::string message) {
    response.error = error;
    response.error_message = texts.emplace_back(std::move(message));
  };
  if (request.replication_factor != -1 && request.replication_factor != 1) {
    refuse(ErrorCode::kInvalidReplicationFactor,
           "the replication factor is 1: the queue of a data center is one broker");
    co_return response;
  }
  auto partitions = WantedPartitions(broker, request);
  if (!partitions) {
    refuse(ErrorCodeOf(partitions.error().error), std::move(partitions.error().message));
    co_return response;
  }
  NewTopic topic{
      .name = std::string(request.name), .partitions = *partitions, .validate_only = validate_only};
  for (const auto& config : request.configs) {
    if (config.value) topic.overrides[std::string(config.name)] = *config.value;
  }
  auto created = co_await broker.engine().CreateTopic(std::move(topic));
  if (!created) {
    refuse(ErrorCodeOf(created.error().error), std::move(created.error().message));
    co_return response;
  }
  response.id = ToWire(created->uuid);
  response.num_partitions = static_cast<int32_t>(created->partitions);
  response.replication_factor = 1;
  response.configs = Described(*created, texts);
  co_return response;
}

}  // namespace

Answered AnswerCreateTopics(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::CreateTopicsRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::CreateTopicsResponse response;
  Pace pace;
  std::deque<std::string> texts;
  for (const CreateRequest& topic : request->topics) {
    response.topics.push_back(co_await Create(broker, topic, request->validate_only, texts));
    co_await pace.Step();
  }
  co_return FrameOf(call, response);
}

Answered AnswerDeleteTopics(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::DeleteTopicsRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::DeleteTopicsResponse response;
  Pace pace;
  std::deque<std::string> texts;
  auto remove = [&](std::string_view name) -> io::Task<void> {
    auto deleted = co_await broker.engine().DeleteTopic(std::string(name));
    kafka::DeleteTopicsResponse::Topic topic{.name = name};
    if (!deleted) {
      topic.error = ErrorCodeOf(deleted.error().error);
      topic.error_message = texts.emplace_back(std::move(deleted.error().message));
    }
    response.topics.push_back(topic);
    co_await pace.Step();
  };
  for (std::string_view name : request->topic_names) co_await remove(name);
  for (const auto& asked : request->topics) {
    if (asked.name) {
      co_await remove(*asked.name);
      continue;
    }
    std::optional<std::string> name = broker.engine().NameOf(FromWire(asked.id));
    if (name) {
      co_await remove(texts.emplace_back(std::move(*name)));
    } else {
      response.topics.push_back({.id = asked.id, .error = ErrorCode::kUnknownTopicId});
      co_await pace.Step();
    }
  }
  co_return FrameOf(call, response);
}

Answered AnswerCreatePartitions(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::CreatePartitionsRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::CreatePartitionsResponse response;
  Pace pace;
  std::deque<std::string> texts;
  for (const auto& topic : request->topics) {
    Outcome<> added;
    if (topic.count < 1) {
      added = Refuse(QueueError::kInvalidPartitions, "{} partitions", topic.count);
    } else {
      added = co_await broker.engine().AddPartitions(
          std::string(topic.name), static_cast<uint32_t>(topic.count), request->validate_only);
    }
    kafka::CreatePartitionsResponse::Result result{.topic = topic.name};
    if (!added) {
      result.error = ErrorCodeOf(added.error().error);
      result.error_message = texts.emplace_back(std::move(added.error().message));
    }
    response.results.push_back(result);
    co_await pace.Step();
  }
  co_return FrameOf(call, response);
}

Answered AnswerDeleteRecords(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::DeleteRecordsRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::DeleteRecordsResponse response;
  Pace pace;
  for (const auto& topic : request->topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      auto start = co_await broker.engine().DeleteRecords(PartitionOf(topic.name, partition.index),
                                                          partition.offset);
      auto& result = answered.partitions.emplace_back();
      result.index = partition.index;
      if (start) {
        result.low_watermark = *start;
      } else {
        result.error = ErrorCodeOf(start.error().error);
      }
      co_await pace.Step();
    }
  }
  co_return FrameOf(call, response);
}

}  // namespace meridian::queue
