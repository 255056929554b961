#include "base/check.hpp"
#include "queue/server/answers.hpp"
#include "queue/state/refusal.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::queue {

wire::kafka::ErrorCode ErrorCodeOf(QueueError error) {
  using wire::kafka::ErrorCode;
  switch (error) {
    case QueueError::kNone:
      return ErrorCode::kNone;
    case QueueError::kUnknownTopicOrPartition:
      return ErrorCode::kUnknownTopicOrPartition;
    case QueueError::kTopicExists:
      return ErrorCode::kTopicAlreadyExists;
    case QueueError::kInvalidTopicName:
      return ErrorCode::kInvalidTopic;
    case QueueError::kInvalidPartitions:
      return ErrorCode::kInvalidPartitions;
    case QueueError::kTooManyPartitions:
      return ErrorCode::kPolicyViolation;
    case QueueError::kInvalidConfig:
      return ErrorCode::kInvalidConfig;
    case QueueError::kFencedLeaderEpoch:
      return ErrorCode::kFencedLeaderEpoch;
    case QueueError::kUnknownLeaderEpoch:
      return ErrorCode::kUnknownLeaderEpoch;
    case QueueError::kNotHome:
      return ErrorCode::kNotLeaderOrFollower;
    case QueueError::kNotController:
      return ErrorCode::kNotController;
    case QueueError::kNotCoordinator:
      return ErrorCode::kNotCoordinator;
    case QueueError::kMessageTooLarge:
      return ErrorCode::kMessageTooLarge;
    case QueueError::kUnsupportedBatch:
      return ErrorCode::kInvalidRecord;
    case QueueError::kOutOfOrderSequence:
      return ErrorCode::kOutOfOrderSequenceNumber;
    case QueueError::kDuplicateSequence:
      return ErrorCode::kDuplicateSequenceNumber;
    case QueueError::kInvalidProducerEpoch:
      return ErrorCode::kInvalidProducerEpoch;
    case QueueError::kUnknownProducerId:
      return ErrorCode::kUnknownProducerId;
    case QueueError::kStorage:
      return ErrorCode::kKafkaStorageError;
    case QueueError::kTimedOut:
      return ErrorCode::kRequestTimedOut;
    case QueueError::kTooManyRequests:
      return ErrorCode::kThrottlingQuotaExceeded;
    case QueueError::kOffsetOutOfRange:
      return ErrorCode::kOffsetOutOfRange;
    case QueueError::kOffsetMetadataTooLarge:
      return ErrorCode::kOffsetMetadataTooLarge;
    case QueueError::kInvalidGroup:
      return ErrorCode::kInvalidGroupId;
    case QueueError::kGroupNotFound:
      return ErrorCode::kGroupIdNotFound;
    case QueueError::kTooManyGroups:
      return ErrorCode::kPolicyViolation;
    // The client asks again, and finds the next process.
    case QueueError::kClosing:
      return ErrorCode::kCoordinatorNotAvailable;
  }
  CHECK(false);
}

}  // namespace meridian::queue
