// MessageBatches: messages that are published again to one partition, in batches of a size that a
// topic takes. One run of a command owns it; used once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/topic_calls.hpp"
#include "io/task.hpp"
#include "wire/kafka/batch_writer.hpp"
#include "wire/kafka/record.hpp"

namespace meridian::cli {

class MessageBatches {
 public:
  // Copies the message; its offset is where it was before.
  void Add(const wire::kafka::Record& message);
  // Publishes all, in their order, and waits until they are on disk. After an error, published()
  // and unsure_from() say how far it came.
  io::Task<Result<void>> Publish(KafkaClient& client, PartitionKey to, int32_t leader);

  size_t batches() const { return batches_.size(); }
  // Messages that are on disk.
  size_t published() const { return published_; }
  // The former offset of the first message that may be published or not. Nothing: all are
  // published, or none was tried.
  std::optional<int64_t> unsure_from() const { return unsure_from_; }

 private:
  struct Batch {
    std::unique_ptr<wire::kafka::BatchWriter> writer;
    int64_t begin_offset = 0;  // before
  };
  bool HasRoomFor(const wire::kafka::Record& message) const;

  std::vector<Batch> batches_;
  size_t published_ = 0;
  std::optional<int64_t> unsure_from_;
};

}  // namespace meridian::cli
