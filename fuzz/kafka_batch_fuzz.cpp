// Record batches: no bytes make a check or the reader read outside; a batch that is accepted is
// read completely, and when its records are written again, the new batch is accepted and has the
// same records. The CRC of the input is made right first, so that the fuzzer comes past it.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "wire/kafka/batch_writer.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_batch.hpp"
#include "wire/kafka/record_reader.hpp"

namespace meridian::wire::kafka {
namespace {

constexpr size_t kLengthAt = 8;
constexpr size_t kCrcAt = 17;
constexpr size_t kAttributesAt = 21;

void StoreU32(MutableBytes bytes, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

void CheckSameRecords(Bytes left, Bytes right) {
  auto left_reader = RecordReader::Open(left);
  auto right_reader = RecordReader::Open(right);
  CHECK(left_reader && right_reader);
  Record left_record;
  Record right_record;
  while (left_reader->Next(&left_record)) {
    CHECK(right_reader->Next(&right_record));
    CHECK(left_record == right_record);
  }
  CHECK(!right_reader->Next(&right_record));
  CHECK(left_reader->complete() && right_reader->complete());
}

void CheckWrittenAgain(const BatchHeader& header, Bytes batch) {
  auto reader = RecordReader::Open(batch);
  CHECK(reader);
  BatchWriter writer(header);
  Record record;
  while (reader->Next(&record)) writer.Add(record);
  CHECK(reader->complete() && writer.record_count() == header.record_count);
  auto written = writer.Finish();
  CHECK(written);
  auto again = CheckBatch(*written);
  CHECK(again);
  CHECK(again->base_offset == header.base_offset && again->producer_id == header.producer_id);
  CHECK(again->max_timestamp_ms == header.max_timestamp_ms);
  CheckSameRecords(batch, *written);
}

void Fuzz(MutableBytes batch) {
  StoreU32(batch, kLengthAt, static_cast<uint32_t>(batch.size() - kLengthAt - 4));
  StoreU32(batch, kCrcAt, Crc32c(batch.subspan(kAttributesAt)));
  ErrorCode code = ErrorCode::kNone;
  auto header = CheckBatch(batch, &code);
  CHECK(header.has_value() == (code == ErrorCode::kNone));
  if (header) {
    if (!header->has_delete_horizon()) CheckWrittenAgain(*header, batch);
    StampAppendTime(batch, 1);
    CHECK(CheckStoredBatch(batch));
    return;
  }
  // A batch that is not accepted may still be stored, by compaction.
  auto reader = RecordReader::Open(batch);
  Record record;
  while (reader && reader->Next(&record)) CHECK(record.offset >= reader->header().base_offset);
}

}  // namespace
}  // namespace meridian::wire::kafka

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> batch(data, data + size);
  if (size >= meridian::wire::kafka::kBatchHeaderBytes) meridian::wire::kafka::Fuzz(batch);
  (void)meridian::wire::kafka::CheckBatch({data, size});
  return 0;
}
