#include "wire/kafka/record_reader.hpp"

#include <memory>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/kafka/compression.hpp"
#include "wire/kafka/limits.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::wire::kafka {

Result<RecordReader> RecordReader::Open(Bytes batch) {
  auto header = ReadBatchHeader(batch);
  if (!header) return Fail(header.error());
  if (header->bytes > batch.size()) return Fail(Errc::kInvalid, "record batch without its end");
  Bytes records = batch.subspan(kBatchHeaderBytes, header->bytes - kBatchHeaderBytes);
  std::unique_ptr<Buffer> decompressed;
  if (header->codec() != Codec::kNone && header->record_count > 0) {
    decompressed = std::make_unique<Buffer>(kMaxRecordsBytes);
    auto done = Decompress(header->codec(), records, decompressed.get());
    if (!done) return Fail(done.error());
    records = decompressed->readable();
  }
  return RecordReader(*header, std::move(decompressed), records);
}

bool RecordReader::Next(Record* record) {
  if (records_read_ == header_.record_count) return false;
  internal::RecordDeltas deltas;
  if (!internal::ParseRecord(&cursor_, &deltas, record)) return false;
  if (deltas.offset <= last_delta_ || deltas.offset > header_.last_offset_delta) return false;
  last_delta_ = deltas.offset;
  ++records_read_;
  record->offset = header_.base_offset + deltas.offset;
  if (header_.log_append_time()) {
    record->timestamp_ms = header_.max_timestamp_ms;
  } else if (__builtin_add_overflow(header_.base_timestamp_ms, deltas.timestamp,
                                    &record->timestamp_ms)) {
    record->timestamp_ms = -1;  // CheckBatch accepts no such record
  }
  return true;
}

}  // namespace meridian::wire::kafka
