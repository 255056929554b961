// The limits of the `meridian queue` commands, which are clients of a Kafka cluster.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::cli {

constexpr uint16_t kDefaultKafkaPort = 9092;
constexpr size_t kMaxBootstrapBrokers = 64;
constexpr size_t kMaxKafkaBrokers = 1'000;  // of a cluster, by its metadata
constexpr Duration kKafkaConnectTimeout = std::chrono::seconds{3};
// For an answer, besides what the request itself lets the broker wait.
constexpr Duration kKafkaAnswerTimeout = std::chrono::seconds{10};
constexpr size_t kMaxKafkaAnswerBytes = size_t{128} * 1024 * 1024;

// A Fetch waits so long for messages, and holds about so many bytes.
constexpr Duration kFetchWait = std::chrono::milliseconds{500};
constexpr int32_t kFetchBytes = 4 * 1024 * 1024;
// Without --follow, consume ends with an error when no message came for so long before the end.
constexpr Duration kFetchProgressTimeout = std::chrono::seconds{15};

// How long a broker may take to make messages durable.
constexpr Duration kPublishTimeout = std::chrono::seconds{30};
// A batch is sent when it has so many bytes or records; the broker refuses a message that is larger
// than the topic allows.
constexpr size_t kPublishBatchBytes = size_t{512} * 1024;
constexpr int32_t kPublishBatchRecords = 1'000;
// Of a file of messages; a topic takes no batch of 8 MiB.
constexpr size_t kMaxFileBatchBytes = size_t{8} * 1024 * 1024;
constexpr size_t kMaxLineBytes = size_t{7} * 1024 * 1024;  // of standard input: one message

}  // namespace meridian::cli
