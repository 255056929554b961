// Answers about offsets: of records by time and epoch, and those that groups have committed.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "io/task.hpp"
#include "queue/engine/engine.hpp"
#include "queue/groups/group_types.hpp"
#include "queue/server/answers.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/pace.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/refusal.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/messages/list_offsets.hpp"
#include "wire/kafka/messages/offsets.hpp"

namespace meridian::queue {

namespace kafka = wire::kafka;

Answered AnswerListOffsets(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::ListOffsetsRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::ListOffsetsResponse response;
  Pace pace;
  for (const auto& topic : request->topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      auto found = co_await broker.engine().ListOffset(PartitionOf(topic.name, partition.index),
                                                       partition.timestamp_ms,
                                                       partition.current_leader_epoch);
      auto& result = answered.partitions.emplace_back();
      result.index = partition.index;
      if (!found) {
        result.error = ErrorCodeOf(found.error().error);
      } else if (*found) {
        result.timestamp_ms = (*found)->timestamp_ms;
        result.offset = (*found)->offset;
        result.leader_epoch = (*found)->leader_epoch;
      }
      co_await pace.Step();
    }
  }
  co_return FrameOf(call, response);
}

Answered AnswerOffsetForLeaderEpoch(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::OffsetForLeaderEpochRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::OffsetForLeaderEpochResponse response;
  Pace pace;
  for (const auto& topic : request->topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      auto end = broker.engine().EndOfEpoch(PartitionOf(topic.name, partition.index),
                                            partition.leader_epoch, partition.current_leader_epoch);
      auto& result = answered.partitions.emplace_back();
      result.index = partition.index;
      if (end) {
        result.leader_epoch = end->epoch;
        result.end_offset = end->end_offset;
      } else {
        result.error = ErrorCodeOf(end.error().error);
      }
      co_await pace.Step();
    }
  }
  co_return FrameOf(call, response);
}

namespace {

// Java's consumer ends at any error of a commit that a coordinator does not usually have.
kafka::ErrorCode CommitErrorOf(QueueError error) {
  if (error == QueueError::kStorage || error == QueueError::kTooManyRequests) {
    return kafka::ErrorCode::kCoordinatorNotAvailable;
  }
  return ErrorCodeOf(error);
}

io::Task<std::vector<OffsetToCommit>> OffsetsOf(const kafka::OffsetCommitRequest& request) {
  std::vector<OffsetToCommit> offsets;
  Pace pace;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      offsets.push_back(
          {.where = PartitionOf(topic.name, partition.index),
           .committed = {.offset = partition.committed_offset,
                         .leader_epoch = partition.committed_leader_epoch,
                         .metadata = std::string(partition.committed_metadata.value_or(""))}});
      co_await pace.Step();
    }
  }
  co_return offsets;
}

}  // namespace

Answered AnswerOffsetCommit(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::OffsetCommitRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  const MemberIdentity member{std::string(request->member_id),
                              std::string(request->group_instance_id.value_or(""))};
  const std::vector<OffsetToCommit> offsets = co_await OffsetsOf(*request);
  const kafka::ErrorCode refusal =
      broker.groups().CheckCommit(request->group_id, member, request->generation_id);
  std::vector<QueueError> outcomes;
  if (refusal == kafka::ErrorCode::kNone) {
    outcomes = co_await broker.engine().CommitOffsets(request->group_id, offsets);
  }
  kafka::OffsetCommitResponse response;
  size_t next = 0;
  for (const auto& topic : request->topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      answered.partitions.push_back(
          {.index = partition.index,
           .error = outcomes.empty() ? refusal : CommitErrorOf(outcomes[next++])});
    }
  }
  co_return FrameOf(call, response);
}

namespace {

using FetchedTopics = std::vector<kafka::OffsetFetchResponse::Topic>;
using AskedTopics = std::optional<std::vector<kafka::OffsetFetchRequest::Topic>>;

kafka::OffsetFetchResponse::Topic::Partition Fetched(int32_t index,
                                                     const std::optional<CommittedOffset>& found,
                                                     std::deque<std::string>& texts) {
  kafka::OffsetFetchResponse::Topic::Partition partition{.index = index, .metadata = ""};
  if (!found) return partition;
  partition.committed_offset = found->offset;
  partition.committed_leader_epoch = found->leader_epoch;
  partition.metadata = texts.emplace_back(found->metadata);
  return partition;
}

// `texts` holds what the result refers to.
io::Task<FetchedTopics> AllCommitted(const Broker& broker, std::string_view group,
                                     std::deque<std::string>& texts, Pace& pace) {
  FetchedTopics topics;
  std::map<std::string, size_t> places;
  for (const GroupOffset& each : broker.engine().CommittedOffsets(group)) {
    co_await pace.Step();
    auto [place, added] = places.try_emplace(each.topic, topics.size());
    if (added) topics.push_back({.name = texts.emplace_back(each.topic)});
    topics[place->second].partitions.push_back(
        Fetched(static_cast<int32_t>(each.partition), each.committed, texts));
  }
  co_return topics;
}

io::Task<FetchedTopics> Committed(const Broker& broker, std::string_view group,
                                  const AskedTopics& asked, std::deque<std::string>& texts,
                                  Pace& pace) {
  if (!asked) co_return co_await AllCommitted(broker, group, texts, pace);
  FetchedTopics topics;
  for (const auto& topic : *asked) {
    auto& answered = topics.emplace_back();
    answered.name = topic.name;
    for (int32_t index : topic.partitions) {
      answered.partitions.push_back(Fetched(
          index, broker.engine().FindCommitted(group, PartitionOf(topic.name, index)), texts));
      co_await pace.Step();
    }
  }
  co_return topics;
}

}  // namespace

Answered AnswerOffsetFetch(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::OffsetFetchRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::OffsetFetchResponse response;
  Pace pace;
  std::deque<std::string> texts;
  constexpr int16_t kManyGroups = 8;
  const auto error = broker.groups().is_coordinator() ? kafka::ErrorCode::kNone
                                                      : kafka::ErrorCode::kNotCoordinator;
  response.error = error;
  if (call.header.api_version < kManyGroups) {
    response.topics = co_await Committed(broker, request->group_id, request->topics, texts, pace);
  }
  std::set<std::string_view> names;
  for (const auto& group : request->groups) {
    co_await pace.Step();
    if (!names.insert(group.id).second) continue;
    response.groups.push_back(
        {.id = group.id,
         .topics = co_await Committed(broker, group.id, group.topics, texts, pace),
         .error = error});
  }
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) partition.error = error;
  }
  co_return FrameOf(call, response);
}

Answered AnswerOffsetDelete(Broker& broker, const Call& call) {
  auto request = kafka::DecodeRequest<kafka::OffsetDeleteRequest>(call.header);
  if (!request) co_return Fail(std::move(request.error()));
  kafka::OffsetDeleteResponse response;
  std::vector<TopicPartition> partitions;
  for (const auto& topic : request->topics) {
    for (const auto& partition : topic.partitions) {
      partitions.push_back(PartitionOf(topic.name, partition.index));
    }
  }
  kafka::ErrorCode error = kafka::ErrorCode::kNone;
  if (broker.groups().coordinator().Find(request->group_id) != nullptr) {
    // Its members may read these topics: the coordinator does not look into their subscriptions.
    error = kafka::ErrorCode::kGroupSubscribedToTopic;
  } else if (!partitions.empty()) {
    auto deleted = co_await broker.engine().DeleteOffsets(request->group_id, partitions);
    if (!deleted) response.error = ErrorCodeOf(deleted.error().error);
  }
  for (const auto& topic : request->topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      answered.partitions.push_back({.index = partition.index, .error = error});
    }
  }
  co_return FrameOf(call, response);
}

}  // namespace meridian::queue
