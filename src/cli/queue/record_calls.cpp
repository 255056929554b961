#include "cli/queue/record_calls.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/limits.hpp"
#include "cli/queue/topic_calls.hpp"
#include "io/task.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/messages/fetch.hpp"
#include "wire/kafka/messages/produce.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_batch.hpp"
#include "wire/kafka/record_reader.hpp"

namespace meridian::cli {

namespace kafka = wire::kafka;

namespace {

// Later versions name topics by their ids, or have tagged fields alone.
constexpr int16_t kFetchVersion = 11;
constexpr int16_t kProduceVersion = 8;

kafka::FetchRequest RequestOf(const std::vector<const PartitionKey*>& partitions,
                              const Offsets& positions) {
  kafka::FetchRequest request{.max_wait_ms = static_cast<int32_t>(Milliseconds(kFetchWait)),
                              .min_bytes = 1,
                              .max_bytes = kFetchBytes};
  for (const PartitionKey* partition : partitions) {
    if (request.topics.empty() || request.topics.back().name != partition->topic) {
      request.topics.emplace_back().name = partition->topic;
    }
    request.topics.back().partitions.push_back({.index = partition->partition,
                                                .fetch_offset = positions.at(*partition),
                                                .max_bytes = kFetchBytes});
  }
  return request;
}

// Reads the batches of a partition, which may end within one.
Result<size_t> ReadBatches(const PartitionKey& partition, Bytes batches, int64_t& position,
                           const OnRecord& on_record) {
  size_t count = 0;
  while (batches.size() >= kafka::kBatchHeaderBytes) {
    Result<kafka::BatchHeader> header = kafka::ReadBatchHeader(batches);
    if (!header) return Fail(std::move(header.error()));
    if (header->bytes > batches.size()) break;
    const Bytes batch = batches.first(header->bytes);
    batches = batches.subspan(header->bytes);
    header = kafka::CheckStoredBatch(batch);
    if (!header) return Fail(std::move(header.error()));
    if (!header->control()) {
      Result<kafka::RecordReader> reader = kafka::RecordReader::Open(batch);
      if (!reader) return Fail(std::move(reader.error()));
      kafka::Record record;
      while (reader->Next(&record)) {
        if (record.offset < position) continue;
        if (!on_record(partition, record)) return count;
        position = record.offset + 1;
        ++count;
      }
    }
    position = std::max(position, header->next_offset());
  }
  return count;
}

}  // namespace

io::Task<Result<size_t>> FetchOnce(KafkaClient& client, const Leaders& leaders, Offsets& positions,
                                   const OnRecord& on_record) {
  std::map<int32_t, std::vector<const PartitionKey*>> nodes;
  for (const auto& [partition, leader] : leaders) {
    if (positions.contains(partition)) nodes[leader].push_back(&partition);
  }
  size_t count = 0;
  for (const auto& [node, partitions] : nodes) {
    auto connection = co_await client.At(node);
    if (!connection) co_return Fail(std::move(connection.error()));
    const kafka::FetchRequest request = RequestOf(partitions, positions);
    auto answer =
        co_await (*connection)->Ask<kafka::FetchResponse>(request, kFetchVersion, kFetchWait);
    if (!answer) co_return Fail(std::move(answer.error()));
    for (const auto& topic : (*answer)->topics) {
      for (const auto& each : topic.partitions) {
        const PartitionKey partition{std::string(topic.name), each.index};
        Result<size_t> read = Fail(Errc::kUnavailable, "{}", Explained(each.error));
        auto position = positions.find(partition);
        if (position == positions.end()) continue;
        if (each.error == kafka::ErrorCode::kNone) {
          read = ReadBatches(partition, each.records.bytes, position->second, on_record);
        }
        if (!read) {
          co_return Fail(read.error().code, "{} partition {} at offset {}: {}", partition.topic,
                         partition.partition, position->second, read.error().message);
        }
        count += *read;
      }
    }
  }
  co_return count;
}

io::Task<Result<int64_t>> Publish(KafkaClient& client, PartitionKey partition, int32_t leader,
                                  Bytes batch) {
  auto connection = co_await client.At(leader);
  if (!connection) co_return Fail(std::move(connection.error()));
  kafka::ProduceRequest request{.acks = -1,
                                .timeout_ms = static_cast<int32_t>(Milliseconds(kPublishTimeout))};
  auto& topic = request.topics.emplace_back();
  topic.name = partition.topic;
  topic.partitions.push_back({.index = partition.partition, .records = {.bytes = batch}});
  auto answer = co_await (*connection)
                    ->Ask<kafka::ProduceResponse>(request, kProduceVersion, kPublishTimeout);
  if (!answer) co_return Fail(std::move(answer.error()));
  for (const auto& each : (*answer)->topics) {
    for (const auto& result : each.partitions) {
      if (result.error == kafka::ErrorCode::kNone) co_return result.base_offset;
      co_return Fail(Errc::kUnavailable, "{} partition {}: {}", partition.topic,
                     partition.partition, Explained(result.error));
    }
  }
  co_return Fail(Errc::kInvalid, "the queue did not answer for the partition");
}

}  // namespace meridian::cli
