#include "cli/queue/topic_calls.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/limits.hpp"
#include "cli/queue/offset_target.hpp"
#include "io/task.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/messages/configs.hpp"
#include "wire/kafka/messages/list_offsets.hpp"
#include "wire/kafka/messages/topics.hpp"

namespace meridian::cli {

namespace kafka = wire::kafka;

namespace {

constexpr int16_t kListOffsetsVersion = 7;
constexpr int16_t kDescribeConfigsVersion = 4;
constexpr int16_t kDeleteRecordsVersion = 2;

using ByNode = std::map<int32_t, std::vector<const PartitionKey*>>;

ByNode GroupByLeader(const Leaders& leaders) {
  ByNode nodes;
  for (const auto& [partition, leader] : leaders) nodes[leader].push_back(&partition);
  return nodes;
}

// `partitions` are in order, so that those of one topic follow each other.
kafka::ListOffsetsRequest RequestOf(const std::vector<const PartitionKey*>& partitions,
                                    int64_t time_ms) {
  kafka::ListOffsetsRequest request;
  for (const PartitionKey* partition : partitions) {
    if (request.topics.empty() || request.topics.back().name != partition->topic) {
      request.topics.emplace_back().name = partition->topic;
    }
    request.topics.back().partitions.push_back(
        {.index = partition->partition, .timestamp_ms = time_ms});
  }
  return request;
}

}  // namespace

io::Task<Result<Offsets>> FindOffsets(KafkaClient& client, const Leaders& leaders,
                                      int64_t time_ms) {
  Offsets offsets;
  for (const auto& [node, partitions] : GroupByLeader(leaders)) {
    auto connection = co_await client.At(node);
    if (!connection) co_return Fail(std::move(connection.error()));
    const kafka::ListOffsetsRequest request = RequestOf(partitions, time_ms);
    auto answer =
        co_await (*connection)->Ask<kafka::ListOffsetsResponse>(request, kListOffsetsVersion);
    if (!answer) co_return Fail(std::move(answer.error()));
    for (const auto& topic : (*answer)->topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.error != kafka::ErrorCode::kNone) {
          co_return Fail(Errc::kUnavailable, "{} partition {}: {}", topic.name, partition.index,
                         Explained(partition.error));
        }
        offsets[{std::string(topic.name), partition.index}] = partition.offset;
      }
    }
  }
  if (offsets.size() != leaders.size()) {
    co_return Fail(Errc::kInvalid, "the queue did not answer for all partitions");
  }
  co_return offsets;
}

io::Task<Result<Ranges>> FindRanges(KafkaClient& client, const Leaders& leaders) {
  auto begins = co_await FindOffsets(client, leaders, kafka::kEarliestTimestamp);
  if (!begins) co_return Fail(std::move(begins.error()));
  auto ends = co_await FindOffsets(client, leaders, kafka::kLatestTimestamp);
  if (!ends) co_return Fail(std::move(ends.error()));
  Ranges ranges;
  for (const auto& [partition, leader] : leaders) {
    ranges[partition] = {
        .leader = leader, .begin = begins->at(partition), .end = ends->at(partition)};
  }
  co_return ranges;
}

io::Task<Result<Offsets>> FindTargets(KafkaClient& client, OffsetTarget target,
                                      const Leaders& leaders, const Ranges& ranges) {
  Offsets offsets;
  if (target.kind == OffsetTarget::Kind::kTime) {
    auto found = co_await FindOffsets(client, leaders, target.number);
    if (!found) co_return Fail(std::move(found.error()));
    offsets = std::move(*found);
  }
  for (const auto& [partition, range] : ranges) {
    int64_t& offset = offsets[partition];
    switch (target.kind) {
      case OffsetTarget::Kind::kBeginning:
        offset = range.begin;
        break;
      case OffsetTarget::Kind::kEnd:
        offset = range.end;
        break;
      case OffsetTarget::Kind::kOffset:
        offset = std::clamp(target.number, range.begin, range.end);
        break;
      case OffsetTarget::Kind::kTime:
        if (offset < 0) offset = range.end;
        break;
    }
  }
  co_return offsets;
}

io::Task<Result<std::vector<ConfigEntry>>> FindConfigs(KafkaClient& client,
                                                       const std::string& topic) {
  kafka::DescribeConfigsRequest request;
  request.resources.push_back({.type = kafka::ResourceType::kTopic, .name = topic});
  auto answer =
      co_await client.any().Ask<kafka::DescribeConfigsResponse>(request, kDescribeConfigsVersion);
  if (!answer) co_return Fail(std::move(answer.error()));
  std::vector<ConfigEntry> entries;
  for (const auto& result : (*answer)->results) {
    if (result.error != kafka::ErrorCode::kNone) {
      co_return Fail(Errc::kUnavailable, "{}: {}", topic, Explained(result.error));
    }
    for (const auto& config : result.configs) {
      entries.push_back({.key = std::string(config.name),
                         .value = std::string(config.value.value_or("")),
                         .of_topic = config.source == kafka::ConfigSource::kDynamicTopic});
    }
  }
  co_return entries;
}

io::Task<Result<void>> DeleteBefore(KafkaClient& client, PartitionKey partition, int32_t leader,
                                    int64_t offset) {
  auto connection = co_await client.At(leader);
  if (!connection) co_return Fail(std::move(connection.error()));
  kafka::DeleteRecordsRequest request;
  request.timeout_ms = static_cast<int32_t>(Milliseconds(kPublishTimeout));
  auto& topic = request.topics.emplace_back();
  topic.name = partition.topic;
  topic.partitions.push_back({.index = partition.partition, .offset = offset});
  auto answer =
      co_await (*connection)
          ->Ask<kafka::DeleteRecordsResponse>(request, kDeleteRecordsVersion, kPublishTimeout);
  if (!answer) co_return Fail(std::move(answer.error()));
  for (const auto& each : (*answer)->topics) {
    for (const auto& result : each.partitions) {
      if (result.error == kafka::ErrorCode::kNone) co_return Result<void>{};
      co_return Fail(Errc::kUnavailable, "{} partition {}: {}", partition.topic,
                     partition.partition, Explained(result.error));
    }
  }
  co_return Fail(Errc::kInvalid, "the queue did not answer for the partition");
}

}  // namespace meridian::cli
