// RecordReader: the records of one batch, in order. For compaction, lookups by time and tools;
// fetches send batches as they are. Pure; one owner.
//
//   auto reader = RecordReader::Open(batch);            // decompresses where needed
//   Record record;
//   while (reader->Next(&record)) …                     // views into the batch or into the reader
//   if (!reader->complete()) …                          // a malformed record ended the loop
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/kafka/cursor.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::wire::kafka {

class RecordReader {
 public:
  // `batch`, one whole batch that CheckBatch or CheckStoredBatch has accepted, outlives the reader.
  // kInvalid: the compressed records are malformed. kTooLarge: they exceed kMaxRecordsBytes.
  static Result<RecordReader> Open(Bytes batch);

  const BatchHeader& header() const { return header_; }

  // The next record, with absolute offset and timestamp: that of the batch where it has
  // LogAppendTime. False: there is no further record, or it is malformed, or its offset is not
  // above that of the record before it.
  bool Next(Record* record);
  // Whether Next has given as many records as the header says, and no bytes are left.
  bool complete() const {
    return records_read_ == header_.record_count && cursor_.remaining() == 0 && cursor_.ok();
  }

 private:
  RecordReader(const BatchHeader& header, std::unique_ptr<Buffer> decompressed, Bytes records)
      : header_(header), decompressed_(std::move(decompressed)), cursor_(records) {}

  BatchHeader header_;
  std::unique_ptr<Buffer> decompressed_;  // null: the records are read from the batch itself
  Cursor cursor_;
  int32_t records_read_ = 0;
  int32_t last_delta_ = -1;  // of the offset of the last record
};

}  // namespace meridian::wire::kafka
