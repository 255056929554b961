// Reading and publishing the messages of a cluster. Messages of errors are for the user.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/topic_calls.hpp"
#include "io/task.hpp"
#include "wire/kafka/record.hpp"

namespace meridian::cli {

// Called with each message; its texts are views that are valid during the call. False: the next
// messages are not wanted.
using OnRecord = std::function<bool(const PartitionKey&, const wire::kafka::Record&)>;

// Asks each leader once for messages from the `positions` on, waits a little where there are none,
// and moves the positions behind what was given to `on_record`. Control records of transactions are
// left out. The number of messages.
io::Task<Result<size_t>> FetchOnce(KafkaClient& client, const Leaders& leaders, Offsets& positions,
                                   const OnRecord& on_record);

// Publishes a batch, and waits until it is on disk. The offset of its first message.
io::Task<Result<int64_t>> Publish(KafkaClient& client, PartitionKey partition, int32_t leader,
                                  Bytes batch);

}  // namespace meridian::cli
