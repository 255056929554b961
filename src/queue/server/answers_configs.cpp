// Answers about the configuration of topics. That of the broker is in site.toml, and is not changed
// by clients.
#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/result.hpp"
#include "io/task.hpp"
#include "queue/engine/engine.hpp"
#include "queue/server/answers.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/pace.hpp"
#include "queue/state/limits.hpp"
#include "queue/state/topic_config.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/configs.hpp"

namespace meridian::queue {

namespace kafka = wire::kafka;
using kafka::ErrorCode;

namespace {

using Described = kafka::DescribeConfigsResponse::Result;

kafka::ConfigType TypeOf(ConfigKind kind) {
  switch (kind) {
    case ConfigKind::kLong:
      return kafka::ConfigType::kLong;
    case ConfigKind::kInt:
      return kafka::ConfigType::kInt;
    case ConfigKind::kText:
      return kafka::ConfigType::kString;
    case ConfigKind::kList:
      return kafka::ConfigType::kList;
  }
  return kafka::ConfigType::kUnknown;
}

// `texts` holds what the result refers to.
void DescribeTopic(const TopicDescription& topic,
                   const kafka::DescribeConfigsRequest::Resource& resource,
                   const kafka::DescribeConfigsRequest& request, std::deque<std::string>& texts,
                   Described& result) {
  for (const ConfigKey& key : ConfigKeys()) {
    if (resource.keys && std::ranges::find(*resource.keys, key.name) == resource.keys->end()) {
      continue;
    }
    const bool overridden = topic.overrides.contains(key.name);
    Described::Config config{
        .name = key.name,
        .value = texts.emplace_back(ConfigValue(topic.config, key.name)),
        .source = overridden ? kafka::ConfigSource::kDynamicTopic : kafka::ConfigSource::kDefault,
        .type = TypeOf(key.kind)};
    if (request.include_synonyms) {
      config.synonyms.push_back({.name = key.name, .value = config.value, .source = config.source});
    }
    if (request.include_documentation) config.documentation = key.sentence;
    result.configs.push_back(std::move(config));
  }
}

}  // namespace

Answered AnswerDescribeConfigs(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::DescribeConfigsRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::DescribeConfigsResponse response;
  Pace pace;
  std::deque<std::string> texts;
  std::set<std::pair<kafka::ResourceType, std::string_view>> asked;
  for (const auto& resource : request->resources) {
    if (!asked.emplace(resource.type, resource.name).second) continue;
    Described result{.type = resource.type, .name = resource.name};
    if (resource.type == kafka::ResourceType::kTopic) {
      auto topic = broker.engine().FindTopic(resource.name);
      if (topic) {
        DescribeTopic(*topic, resource, *request, texts, result);
      } else {
        result.error = ErrorCode::kUnknownTopicOrPartition;
      }
    } else if (resource.type != kafka::ResourceType::kBroker) {
      result.error = ErrorCode::kInvalidRequest;
      result.error_message = "only topics and brokers have a configuration";
    }
    response.results.push_back(std::move(result));
    co_await pace.Step();
  }
  co_return FrameOf(call, response);
}

namespace {

// The error and its message for a result; `texts` holds the message.
template <class Result>
void Refuse(Result& result, ErrorCode error, std::string message, std::deque<std::string>& texts) {
  result.error = error;
  result.error_message = texts.emplace_back(std::move(message));
}

// Gives the topic `overrides`, unless only their validity is asked for.
template <class Result>
io::Task<void> Configure(Broker& broker, TopicOverrides overrides, bool validate_only,
                         std::deque<std::string>& texts, Result& result) {
  auto configured = co_await broker.engine().ConfigureTopic(std::string(result.name),
                                                            std::move(overrides), validate_only);
  if (!configured) {
    Refuse(result, ErrorCodeOf(configured.error().error), std::move(configured.error().message),
           texts);
  }
}

constexpr std::string_view kTopicsAlone =
    "only the configuration of topics can be changed; that of the broker is in site.toml";

}  // namespace

Answered AnswerAlterConfigs(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::AlterConfigsRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::AlterConfigsResponse response;
  Pace pace;
  std::deque<std::string> texts;
  for (const auto& resource : request->resources) {
    kafka::AlterConfigsResponse::Result result{.type = resource.type, .name = resource.name};
    if (resource.type == kafka::ResourceType::kTopic) {
      TopicOverrides overrides;
      for (const auto& config : resource.configs) {
        if (config.value) overrides[std::string(config.name)] = *config.value;
      }
      co_await Configure(broker, std::move(overrides), request->validate_only, texts, result);
    } else {
      Refuse(result, ErrorCode::kInvalidRequest, std::string(kTopicsAlone), texts);
    }
    response.results.push_back(result);
    co_await pace.Step();
  }
  co_return FrameOf(call, response);
}

namespace {

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) items.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

std::string JoinList(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ",") + item;
  return text;
}

// Applies one operation to the overrides. False: it is none for this key.
bool Apply(const kafka::IncrementalAlterConfigsRequest::Resource::Config& change,
           const TopicConfig& current, TopicOverrides& overrides) {
  const std::string name(change.name);
  if (change.operation == kafka::ConfigOperation::kDelete) {
    overrides.erase(name);
    return true;
  }
  // A longer value is refused anyway, and lists are split and joined for each change.
  if (!change.value || change.value->size() > kMaxConfigValueBytes) return false;
  if (change.operation == kafka::ConfigOperation::kSet) {
    overrides[name] = *change.value;
    return true;
  }
  auto key = std::ranges::find(ConfigKeys(), change.name, &ConfigKey::name);
  if (key == ConfigKeys().end() || key->kind != ConfigKind::kList) return false;
  auto set = overrides.find(name);
  std::vector<std::string> items =
      SplitList(set == overrides.end() ? ConfigValue(current, name) : set->second);
  for (std::string& item : SplitList(*change.value)) {
    std::erase(items, item);
    if (change.operation == kafka::ConfigOperation::kAppend) items.push_back(std::move(item));
  }
  std::string joined = JoinList(items);
  if (joined.size() > kMaxConfigValueBytes) return false;
  overrides[name] = std::move(joined);
  return true;
}

io::Task<void> AlterTopic(Broker& broker,
                          const kafka::IncrementalAlterConfigsRequest::Resource& resource,
                          bool validate_only, std::deque<std::string>& texts,
                          kafka::IncrementalAlterConfigsResponse::Result& result) {
  auto topic = broker.engine().FindTopic(resource.name);
  if (!topic) {
    result.error = ErrorCode::kUnknownTopicOrPartition;
    co_return;
  }
  TopicOverrides overrides = topic->overrides;
  Pace pace;
  for (const auto& change : resource.configs) {
    co_await pace.Step();
    if (Apply(change, topic->config, overrides)) continue;
    Refuse(result, ErrorCode::kInvalidConfig,
           fmt::format("{}: the operation needs a value of at most {} bytes, and a list for append "
                       "and subtract",
                       change.name, kMaxConfigValueBytes),
           texts);
    co_return;
  }
  co_await Configure(broker, std::move(overrides), validate_only, texts, result);
}

}  // namespace

Answered AnswerIncrementalAlterConfigs(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::IncrementalAlterConfigsRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::IncrementalAlterConfigsResponse response;
  Pace pace;
  std::deque<std::string> texts;
  for (const auto& resource : request->resources) {
    kafka::IncrementalAlterConfigsResponse::Result result{.type = resource.type,
                                                          .name = resource.name};
    if (resource.type == kafka::ResourceType::kTopic) {
      co_await AlterTopic(broker, resource, request->validate_only, texts, result);
    } else {
      Refuse(result, ErrorCode::kInvalidRequest, std::string(kTopicsAlone), texts);
    }
    response.results.push_back(result);
    co_await pace.Step();
  }
  co_return FrameOf(call, response);
}

}  // namespace meridian::queue
