// What commands ask a cluster about topics. Each function sends its requests to the brokers that
// lead the partitions. Messages of errors are for the user.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/offset_target.hpp"
#include "io/task.hpp"

namespace meridian::cli {

using Offsets = std::map<PartitionKey, int64_t>;

struct PartitionRange {
  int32_t leader = -1;
  int64_t begin = 0;
  int64_t end = 0;  // of what consumers can read
};
using Ranges = std::map<PartitionKey, PartitionRange>;

struct ConfigEntry {
  std::string key;
  std::string value;
  bool of_topic = false;  // set for this topic; else a default
};

// The first offset with this time (ms since the epoch) or later, or -1 where there is none; or by
// wire::kafka::kLatestTimestamp, kEarliestTimestamp.
io::Task<Result<Offsets>> FindOffsets(KafkaClient& client, const Leaders& leaders, int64_t time_ms);
io::Task<Result<Ranges>> FindRanges(KafkaClient& client, const Leaders& leaders);
// The offset that `target` means in each partition, within its range; for a time past the last
// message: the end.
io::Task<Result<Offsets>> FindTargets(KafkaClient& client, OffsetTarget target,
                                      const Leaders& leaders, const Ranges& ranges);
io::Task<Result<std::vector<ConfigEntry>>> FindConfigs(KafkaClient& client,
                                                       const std::string& topic);
// Removes all messages below the offset.
io::Task<Result<void>> DeleteBefore(KafkaClient& client, PartitionKey partition, int32_t leader,
                                    int64_t offset);

}  // namespace meridian::cli
