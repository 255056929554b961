// The partition of a message by its key, as Kafka's own producer and kafkajs choose it, so that
// the messages of a key are in one partition, whichever client publishes them. (The default of
// librdkafka differs.)
// Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace meridian::cli {

// MurmurHash2 with Kafka's seed.
uint32_t Murmur2(std::string_view data);

// `partitions` > 0.
int32_t PartitionOfKey(std::string_view key, int32_t partitions);

}  // namespace meridian::cli
