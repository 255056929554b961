// The functions that answer requests, by family; Broker::Answer has the table. Included by the
// broker and by answers_*.cpp alone. One thread: the main loop's.
#pragma once

#include "base/result.hpp"
#include "io/task.hpp"
#include "queue/server/broker.hpp"
#include "queue/state/refusal.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/frame.hpp"

namespace meridian::queue {

// An error ends the connection: the request is malformed, or the response too large.
using Answered = io::Task<Result<wire::kafka::Frame>>;

// answers_cluster.cpp
Answered AnswerApiVersions(Broker& broker, const Call& call);
Answered AnswerMetadata(Broker& broker, const Call& call);
Answered AnswerDescribeCluster(Broker& broker, const Call& call);
Answered AnswerFindCoordinator(Broker& broker, const Call& call);
Answered AnswerInitProducerId(Broker& broker, const Call& call);

// answers_topics.cpp
Answered AnswerCreateTopics(Broker& broker, const Call& call);
Answered AnswerDeleteTopics(Broker& broker, const Call& call);
Answered AnswerCreatePartitions(Broker& broker, const Call& call);
Answered AnswerDeleteRecords(Broker& broker, const Call& call);

// answers_configs.cpp
Answered AnswerDescribeConfigs(Broker& broker, const Call& call);
Answered AnswerAlterConfigs(Broker& broker, const Call& call);
Answered AnswerIncrementalAlterConfigs(Broker& broker, const Call& call);

// answers_offsets.cpp
Answered AnswerListOffsets(Broker& broker, const Call& call);
Answered AnswerOffsetForLeaderEpoch(Broker& broker, const Call& call);
Answered AnswerOffsetCommit(Broker& broker, const Call& call);
Answered AnswerOffsetFetch(Broker& broker, const Call& call);
Answered AnswerOffsetDelete(Broker& broker, const Call& call);

// answers_groups.cpp
Answered AnswerJoinGroup(Broker& broker, const Call& call);
Answered AnswerSyncGroup(Broker& broker, const Call& call);
Answered AnswerHeartbeat(Broker& broker, const Call& call);
Answered AnswerLeaveGroup(Broker& broker, const Call& call);
Answered AnswerDescribeGroups(Broker& broker, const Call& call);
Answered AnswerListGroups(Broker& broker, const Call& call);
Answered AnswerDeleteGroups(Broker& broker, const Call& call);

// The response as a frame for this call.
template <class Response>
Result<wire::kafka::Frame> FrameOf(const Call& call, const Response& response) {
  wire::kafka::Frame frame;
  Result<> encoded = wire::kafka::EncodeResponse(call.header.correlation_id,
                                                 call.header.api_version, response, &frame);
  if (!encoded) return Fail(std::move(encoded.error()));
  return frame;
}

// Kafka's error for one of the engine's.
wire::kafka::ErrorCode ErrorCodeOf(QueueError error);

// A partition as clients name it. A negative index is no partition, as is one above all.
inline TopicPartition PartitionOf(std::string_view topic, int32_t index) {
  return {.topic = topic, .partition = static_cast<uint32_t>(index)};
}

}  // namespace meridian::queue
