#include "wire/kafka/batch_writer.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/result.hpp"
#include "wire/kafka/compression.hpp"
#include "wire/kafka/limits.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_batch.hpp"
#include "wire/kafka/sink.hpp"

namespace meridian::wire::kafka {
namespace {

void AppendText(Sink* sink, std::optional<std::string_view> text) {
  sink->Varint(text ? static_cast<int64_t>(text->size()) : -1);
  if (text) sink->Append(AsBytes(*text));
}

// Everything that the CRC covers in front of the records.
void AppendCheckedFields(Sink* sink, const BatchHeader& header) {
  sink->I16(static_cast<int16_t>(header.attributes));
  sink->I32(header.last_offset_delta);
  sink->I64(header.base_timestamp_ms);
  sink->I64(header.max_timestamp_ms);
  sink->I64(header.producer_id);
  sink->I16(header.producer_epoch);
  sink->I32(header.base_sequence);
  sink->I32(header.record_count);
}

}  // namespace

BatchWriter::BatchWriter(const BatchHeader& header) : header_(header) {
  header_.record_count = 0;
  if (!header_.log_append_time()) header_.max_timestamp_ms = -1;
}

void BatchWriter::Add(const Record& record) {
  int64_t offset_delta = record.offset - header_.base_offset;
  CHECK(offset_delta >= header_.record_count && offset_delta <= INT32_MAX);
  if (header_.record_count == 0 && !header_.has_delete_horizon()) {
    header_.base_timestamp_ms = record.timestamp_ms;
  }
  record_.clear();
  Sink sink(&record_);
  sink.I8(0);  // attributes
  // Unsigned: any two times have a difference, modulo 2^64, that leads from one to the other.
  sink.Varint(static_cast<int64_t>(static_cast<uint64_t>(record.timestamp_ms) -
                                   static_cast<uint64_t>(header_.base_timestamp_ms)));
  sink.Varint(offset_delta);
  AppendText(&sink, record.key);
  AppendText(&sink, record.value);
  sink.Varint(static_cast<int64_t>(record.headers.size()));
  for (const RecordHeader& header : record.headers) {
    AppendText(&sink, header.key);
    AppendText(&sink, header.value);
  }
  Sink records(&records_);
  records.Varint(static_cast<int64_t>(record_.size()));
  records.Append(record_);
  ++header_.record_count;
  header_.last_offset_delta =
      std::max(header_.last_offset_delta, static_cast<int32_t>(offset_delta));
  if (!header_.log_append_time()) {
    header_.max_timestamp_ms = std::max(header_.max_timestamp_ms, record.timestamp_ms);
  }
}

Result<std::vector<uint8_t>> BatchWriter::Finish() {
  if (records_.size() >= kMaxRecordsBytes) {
    return Fail(Errc::kTooLarge, "a batch of {} bytes", bytes());
  }
  std::vector<uint8_t> checked;
  Sink checked_sink(&checked);
  AppendCheckedFields(&checked_sink, header_);
  if (header_.record_count > 0) {
    if (auto done = Compress(header_.codec(), records_, &checked); !done) return Fail(done.error());
  }
  std::vector<uint8_t> batch;
  Sink sink(&batch);
  sink.I64(header_.base_offset);
  sink.I32(static_cast<int32_t>(checked.size() + sizeof(int32_t) + 1 + sizeof(uint32_t)));
  sink.I32(header_.leader_epoch);
  sink.I8(2);  // magic
  sink.I32(static_cast<int32_t>(Crc32c(checked)));
  sink.Append(checked);
  return batch;
}

}  // namespace meridian::wire::kafka
