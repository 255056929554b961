#include "cli/queue/group_calls.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/kafka_connection.hpp"
#include "cli/queue/topic_calls.hpp"
#include "io/task.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/messages/consumer_protocol.hpp"
#include "wire/kafka/messages/groups.hpp"
#include "wire/kafka/messages/offsets.hpp"

namespace meridian::cli {

namespace kafka = wire::kafka;

namespace {

constexpr int16_t kListGroupsVersion = 4;
constexpr int16_t kDescribeGroupsVersion = 4;
// Later versions ask for several groups at once.
constexpr int16_t kOffsetFetchVersion = 7;
constexpr int16_t kOffsetCommitVersion = 7;

std::vector<PartitionKey> PartitionsOf(Bytes assignment) {
  std::vector<PartitionKey> partitions;
  auto decoded = kafka::DecodeAssignment(assignment);
  if (!decoded) return partitions;  // another protocol than "consumer"
  for (const auto& topic : decoded->assigned_partitions) {
    for (int32_t partition : topic.partitions) {
      partitions.push_back({std::string(topic.topic), partition});
    }
  }
  return partitions;
}

io::Task<Result<Offsets>> FindCommitted(KafkaConnection& coordinator, const std::string& group) {
  const kafka::OffsetFetchRequest request{.group_id = group};  // of all topics
  auto answer = co_await coordinator.Ask<kafka::OffsetFetchResponse>(request, kOffsetFetchVersion);
  if (!answer) co_return Fail(std::move(answer.error()));
  if ((*answer)->error != kafka::ErrorCode::kNone) {
    co_return Fail(Errc::kUnavailable, "group {}: {}", group, Explained((*answer)->error));
  }
  Offsets committed;
  for (const auto& topic : (*answer)->topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.committed_offset < 0) continue;
      committed[{std::string(topic.name), partition.index}] = partition.committed_offset;
    }
  }
  co_return committed;
}

}  // namespace

io::Task<Result<std::vector<std::string>>> FindGroups(KafkaClient& client) {
  std::set<std::string> names;
  for (int32_t node : client.nodes()) {
    auto connection = co_await client.At(node);
    if (!connection) co_return Fail(std::move(connection.error()));
    const kafka::ListGroupsRequest request;
    auto answer =
        co_await (*connection)->Ask<kafka::ListGroupsResponse>(request, kListGroupsVersion);
    if (!answer) co_return Fail(std::move(answer.error()));
    if ((*answer)->error != kafka::ErrorCode::kNone) {
      co_return Fail(Errc::kUnavailable, "groups: {}", Explained((*answer)->error));
    }
    for (const auto& group : (*answer)->groups) names.emplace(group.id);
  }
  co_return std::vector<std::string>(names.begin(), names.end());
}

io::Task<Result<GroupReport>> DescribeGroup(KafkaClient& client, const std::string& name) {
  auto connection = co_await client.AtCoordinator(name);
  if (!connection) co_return Fail(std::move(connection.error()));
  kafka::DescribeGroupsRequest request;
  request.groups.emplace_back(name);
  auto answer =
      co_await (*connection)->Ask<kafka::DescribeGroupsResponse>(request, kDescribeGroupsVersion);
  if (!answer) co_return Fail(std::move(answer.error()));
  GroupReport report{.name = name, .state = "Dead"};
  for (const auto& group : (*answer)->groups) {
    if (group.error != kafka::ErrorCode::kNone) {
      co_return Fail(Errc::kUnavailable, "group {}: {}", name, Explained(group.error));
    }
    report.state = group.state;
    for (const auto& member : group.members) {
      report.members.push_back({.client_id = std::string(member.client_id),
                                .host = std::string(member.client_host),
                                .partitions = PartitionsOf(member.assignment)});
    }
  }
  auto committed = co_await FindCommitted(**connection, name);
  if (!committed) co_return Fail(std::move(committed.error()));
  report.committed = std::move(*committed);
  co_return report;
}

io::Task<Result<void>> CommitFor(KafkaClient& client, const std::string& group,
                                 const Offsets& offsets) {
  auto connection = co_await client.AtCoordinator(group);
  if (!connection) co_return Fail(std::move(connection.error()));
  kafka::OffsetCommitRequest request{.group_id = group};
  for (const auto& [partition, offset] : offsets) {
    if (request.topics.empty() || request.topics.back().name != partition.topic) {
      request.topics.emplace_back().name = partition.topic;
    }
    request.topics.back().partitions.push_back(
        {.index = partition.partition, .committed_offset = offset, .committed_metadata = ""});
  }
  auto answer =
      co_await (*connection)->Ask<kafka::OffsetCommitResponse>(request, kOffsetCommitVersion);
  if (!answer) co_return Fail(std::move(answer.error()));
  for (const auto& topic : (*answer)->topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error == kafka::ErrorCode::kNone) continue;
      if (partition.error == kafka::ErrorCode::kUnknownMemberId ||
          partition.error == kafka::ErrorCode::kIllegalGeneration) {
        co_return Fail(Errc::kExists, "group {} has members; stop its consumers first", group);
      }
      co_return Fail(Errc::kUnavailable, "{} partition {}: {}", topic.name, partition.index,
                     Explained(partition.error));
    }
  }
  co_return Result<void>{};
}

}  // namespace meridian::cli
