#include "queue/state/refusal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "base/result.hpp"

namespace meridian::queue {

bool LacksDescriptors(std::string_view problem) {
  return std::ranges::any_of(std::array{EMFILE, ENFILE}, [&](int number) {
    return problem.contains(std::generic_category().message(number));
  });
}

Refusal UnwritableRefusal(const Error& error) {
  bool descriptors = LacksDescriptors(error.message);
  return {descriptors ? QueueError::kTooManyRequests : QueueError::kStorage, error.message};
}

std::string_view QueueErrorName(QueueError error) {
  switch (error) {
    case QueueError::kNone:
      return "none";
    case QueueError::kUnknownTopicOrPartition:
      return "unknown topic or partition";
    case QueueError::kTopicExists:
      return "topic exists";
    case QueueError::kInvalidTopicName:
      return "invalid topic name";
    case QueueError::kInvalidPartitions:
      return "invalid partitions";
    case QueueError::kTooManyPartitions:
      return "too many partitions";
    case QueueError::kInvalidConfig:
      return "invalid configuration";
    case QueueError::kFencedLeaderEpoch:
      return "fenced leader epoch";
    case QueueError::kUnknownLeaderEpoch:
      return "unknown leader epoch";
    case QueueError::kNotHome:
      return "not the home of the topic";
    case QueueError::kNotController:
      return "not the controller";
    case QueueError::kNotCoordinator:
      return "not the coordinator";
    case QueueError::kMessageTooLarge:
      return "message too large";
    case QueueError::kUnsupportedBatch:
      return "unsupported batch";
    case QueueError::kOutOfOrderSequence:
      return "out of order sequence";
    case QueueError::kDuplicateSequence:
      return "duplicate sequence";
    case QueueError::kInvalidProducerEpoch:
      return "invalid producer epoch";
    case QueueError::kUnknownProducerId:
      return "unknown producer id";
    case QueueError::kStorage:
      return "storage";
    case QueueError::kTimedOut:
      return "timed out";
    case QueueError::kTooManyRequests:
      return "too many requests";
    case QueueError::kOffsetOutOfRange:
      return "offset out of range";
    case QueueError::kOffsetMetadataTooLarge:
      return "offset metadata too large";
    case QueueError::kInvalidGroup:
      return "invalid group";
    case QueueError::kGroupNotFound:
      return "group not found";
    case QueueError::kTooManyGroups:
      return "too many groups";
    case QueueError::kClosing:
      return "closing";
  }
  return "unknown";
}

}  // namespace meridian::queue
