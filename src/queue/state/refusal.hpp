// Refusal: why the engine did not do what a client asked for. The server maps each QueueError to
// one of Kafka's error codes in a single switch.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"

namespace meridian::queue {

enum class QueueError : uint8_t {
  kNone,
  kUnknownTopicOrPartition,
  kTopicExists,
  kInvalidTopicName,
  kInvalidPartitions,
  kTooManyPartitions,  // kMaxPartitions: a policy violation in Kafka's words
  kInvalidConfig,
  kFencedLeaderEpoch,   // the client's leader epoch is older than ours
  kUnknownLeaderEpoch,  // it is newer
  kNotHome,             // of the topic: another data center is
  kNotController,       // another data center creates and changes topics
  kNotCoordinator,      // another data center has the groups
  kMessageTooLarge,
  kUnsupportedBatch,  // transactional, or a control batch
  kOutOfOrderSequence,
  kDuplicateSequence,  // the batch was appended, and its offset is not remembered any more
  kInvalidProducerEpoch,
  kUnknownProducerId,  // no queue has given it to a producer
  kStorage,            // the disk is full or has failed; a later try may succeed
  kTimedOut,           // appended, and not durable before the deadline
  kTooManyRequests,    // a limit of waits; a later try may succeed
  kOffsetOutOfRange,
  kOffsetMetadataTooLarge,
  kInvalidGroup,
  kGroupNotFound,
  kTooManyGroups,  // kMaxGroups or kMaxCommittedOffsets
  kClosing,
};

std::string_view QueueErrorName(QueueError error);

// Whether a problem that may pass (kUnavailable) is a lack of descriptors, and not of disk space.
bool LacksDescriptors(std::string_view problem);

struct Refusal {
  QueueError error = QueueError::kNone;
  std::string message;  // for people; one line
};

// Why nothing can be stored now: kTooManyRequests for a lack of descriptors, else kStorage.
Refusal UnwritableRefusal(const Error& error);

template <class T = void>
using Outcome = std::expected<T, Refusal>;

template <class... Args>
std::unexpected<Refusal> Refuse(QueueError error, fmt::format_string<Args...> text,
                                Args&&... args) {
  return std::unexpected(Refusal{error, fmt::format(text, std::forward<Args>(args)...)});
}

inline std::unexpected<Refusal> Refuse(Refusal refusal) {
  return std::unexpected(std::move(refusal));
}

}  // namespace meridian::queue
