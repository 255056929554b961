#include "store/log/record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "store/limits.hpp"

namespace meridian::store {
namespace {

constexpr size_t kHeaderCrcBytes = 4;

struct Header {
  Record record;  // without its body
  uint32_t body_crc = 0;
  uint32_t body_bytes = 0;
};

Header ReadFields(Bytes bytes) {
  ByteReader reader(bytes);
  reader.Skip(kHeaderCrcBytes);
  Header header;
  header.body_crc = reader.U32();
  header.body_bytes = reader.U32();
  header.record.span = reader.U32();
  header.record.offset = reader.U64();
  header.record.time = {reader.U64()};
  header.record.epoch = reader.U32();
  header.record.above_synced = reader.U32();
  return header;
}

// A header with values that no writer uses is no header, even if its checksum is right.
bool Plausible(const Header& header) {
  const Record& record = header.record;
  return header.body_bytes <= kMaxRecordBytes && record.span >= 1 &&
         record.span <= kMaxRecordSpan && record.offset <= kMaxOffset &&
         record.above_synced <= record.offset;
}

std::optional<Header> ReadHeader(Bytes bytes) {
  if (bytes.size() < kRecordHeaderBytes) return std::nullopt;
  Bytes fields = bytes.first(kRecordHeaderBytes);
  uint32_t crc = ByteReader(fields).U32();
  if (crc != Crc32c(fields.subspan(kHeaderCrcBytes))) return std::nullopt;
  Header header = ReadFields(fields);
  if (!Plausible(header)) return std::nullopt;
  return header;
}

}  // namespace

void AppendRecord(const Record& record, std::vector<uint8_t>& into) {
  CHECK(record.body.size() <= kMaxRecordBytes);
  uint8_t header[kRecordHeaderBytes];
  ByteWriter writer(header);
  writer.U32(0);
  writer.U32(Crc32c(record.body));
  writer.U32(static_cast<uint32_t>(record.body.size()));
  writer.U32(record.span);
  writer.U64(record.offset);
  writer.U64(record.time.bits);
  writer.U32(record.epoch);
  writer.U32(record.above_synced);
  ByteWriter(header).U32(Crc32c(Bytes(header).subspan(kHeaderCrcBytes)));
  into.insert(into.end(), header, header + kRecordHeaderBytes);
  into.insert(into.end(), record.body.begin(), record.body.end());
}

std::optional<RecordExtent> ExtentOf(Bytes bytes) {
  std::optional<Header> header = ReadHeader(bytes);
  if (!header) return std::nullopt;
  return RecordExtent{.bytes = kRecordHeaderBytes + header->body_bytes,
                      .offset = header->record.offset,
                      .end_offset = header->record.end_offset()};
}

Decoding DecodeRecord(Bytes bytes, Record* record) {
  if (bytes.size() < kRecordHeaderBytes) return Decoding::kIncomplete;
  std::optional<Header> header = ReadHeader(bytes);
  if (!header) return Decoding::kDamaged;
  Bytes rest = bytes.subspan(kRecordHeaderBytes);
  if (rest.size() < header->body_bytes) return Decoding::kIncomplete;
  Bytes body = rest.first(header->body_bytes);
  if (Crc32c(body) != header->body_crc) return Decoding::kDamaged;
  *record = header->record;
  record->body = body;
  return Decoding::kWhole;
}

Result<RecordBatch> RecordBatch::Parse(std::vector<uint8_t> encoded) {
  RecordBatch batch;
  batch.encoded_ = std::move(encoded);
  Bytes rest = batch.encoded_;
  while (!rest.empty()) {
    Record record;
    if (DecodeRecord(rest, &record) != Decoding::kWhole) {
      return Fail(Errc::kInvalid, "no whole record at byte {} of a batch",
                  batch.encoded_.size() - rest.size());
    }
    if (batch.records_ == 0) batch.begin_ = record.offset;
    if (batch.records_ > 0 && record.offset != batch.end_) {
      return Fail(Errc::kInvalid, "a batch goes on at offset {} instead of {}", record.offset,
                  batch.end_);
    }
    ++batch.records_;
    batch.end_ = record.end_offset();
    batch.newest_time_ = std::max(batch.newest_time_, record.time);
    batch.epoch_ = record.epoch;
    rest = rest.subspan(record.encoded_bytes());
  }
  return batch;
}

std::optional<Record> RecordBatch::TakeFirst(Bytes& rest) {
  if (rest.empty()) return std::nullopt;
  Header header = ReadFields(rest);
  header.record.body = rest.subspan(kRecordHeaderBytes, header.body_bytes);
  rest = rest.subspan(header.record.encoded_bytes());
  return header.record;
}

}  // namespace meridian::store
