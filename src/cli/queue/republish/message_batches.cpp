#include "cli/queue/republish/message_batches.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/result.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/limits.hpp"
#include "cli/queue/record_calls.hpp"
#include "io/task.hpp"
#include "wire/kafka/batch_writer.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::cli {
namespace {

// About what the message takes in a batch: its texts, without the few bytes of lengths.
size_t BytesOf(const wire::kafka::Record& message) {
  size_t bytes = message.key.value_or("").size() + message.value.value_or("").size();
  for (const wire::kafka::RecordHeader& header : message.headers) {
    bytes += header.key.size() + header.value.value_or("").size();
  }
  return bytes;
}

}  // namespace

bool MessageBatches::HasRoomFor(const wire::kafka::Record& message) const {
  if (batches_.empty()) return false;
  const wire::kafka::BatchWriter& last = *batches_.back().writer;
  return last.record_count() < kPublishBatchRecords &&
         last.bytes() + BytesOf(message) <= kPublishBatchBytes;
}

void MessageBatches::Add(const wire::kafka::Record& message) {
  if (!HasRoomFor(message)) {
    batches_.push_back(
        {.writer = std::make_unique<wire::kafka::BatchWriter>(wire::kafka::BatchHeader{}),
         .begin_offset = message.offset});
  }
  wire::kafka::BatchWriter& last = *batches_.back().writer;
  wire::kafka::Record copy = message;
  copy.offset = last.record_count();
  last.Add(copy);
}

io::Task<Result<void>> MessageBatches::Publish(KafkaClient& client, PartitionKey to,
                                               int32_t leader) {
  for (const Batch& batch : batches_) {
    unsure_from_ = batch.begin_offset;
    const auto count = static_cast<size_t>(batch.writer->record_count());
    auto bytes = batch.writer->Finish();
    if (!bytes) co_return Fail(std::move(bytes.error()));
    auto offset = co_await cli::Publish(client, to, leader, *bytes);
    if (!offset) co_return Fail(std::move(offset.error()));
    published_ += count;
  }
  unsure_from_.reset();
  co_return Result<void>{};
}

}  // namespace meridian::cli
