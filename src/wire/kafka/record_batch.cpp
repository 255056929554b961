#include "wire/kafka/record_batch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <utility>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/result.hpp"
#include "wire/kafka/compression.hpp"
#include "wire/kafka/cursor.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/limits.hpp"
#include "wire/kafka/record.hpp"

namespace meridian::wire::kafka {
namespace {

constexpr size_t kLengthEnd = 12;  // the length counts the bytes behind it
constexpr size_t kLeaderEpochAt = 12;
constexpr size_t kCrcAt = 17;
constexpr size_t kAttributesAt = 21;  // the CRC covers the bytes from here on
constexpr size_t kMaxTimestampAt = 35;
constexpr int8_t kMagic = 2;

template <class... Args>
std::unexpected<Error> Refuse(ErrorCode* code, ErrorCode why, fmt::format_string<Args...> text,
                              Args&&... args) {
  if (code != nullptr) *code = why;
  Errc kind = why == ErrorCode::kMessageTooLarge ? Errc::kTooLarge : Errc::kInvalid;
  return Fail(kind, text, std::forward<Args>(args)...);
}

template <class Integer>
void Store(MutableBytes batch, size_t at, Integer value) {
  CHECK(batch.size() >= kBatchHeaderBytes);
  for (size_t i = 0; i < sizeof(value); ++i) {
    batch[at + i] = static_cast<uint8_t>(value >> (8 * (sizeof(value) - 1 - i)));
  }
}

uint32_t CrcOf(Bytes batch) { return Crc32c(batch.subspan(kAttributesAt)); }

// Gives the maximum of the records' timestamps.
Result<int64_t> CheckRecords(const BatchHeader& header, Bytes records, ErrorCode* code) {
  int64_t max_timestamp_ms = -1;
  Cursor cursor(records);
  for (int32_t i = 0; i < header.record_count; ++i) {
    internal::RecordDeltas deltas;
    if (!internal::ParseRecord(&cursor, &deltas, nullptr)) {
      return Refuse(code, ErrorCode::kInvalidRecord, "malformed record {} of a batch", i);
    }
    if (deltas.offset != i) {
      return Refuse(code, ErrorCode::kInvalidRecord, "record {} of a batch has offset delta {}", i,
                    deltas.offset);
    }
    int64_t timestamp_ms = 0;
    if (__builtin_add_overflow(header.base_timestamp_ms, deltas.timestamp, &timestamp_ms) ||
        timestamp_ms < -1) {
      return Refuse(code, ErrorCode::kInvalidTimestamp, "record {} of a batch has no valid time",
                    i);
    }
    max_timestamp_ms = std::max(max_timestamp_ms, timestamp_ms);
  }
  if (cursor.remaining() > 0) {
    return Refuse(code, ErrorCode::kInvalidRecord, "{} bytes after the last record of a batch",
                  cursor.remaining());
  }
  return max_timestamp_ms;
}

Result<int64_t> CheckCompressedRecords(const BatchHeader& header, Bytes records, ErrorCode* code) {
  if (header.codec() == Codec::kNone) return CheckRecords(header, records, code);
  if (header.codec() > Codec::kZstd) {
    return Refuse(code, ErrorCode::kUnsupportedCompressionType, "batch of unknown codec {}",
                  static_cast<int>(header.codec()));
  }
  Buffer decompressed(kMaxRecordsBytes);
  if (auto done = Decompress(header.codec(), records, &decompressed); !done) {
    bool too_large = done.error().code == Errc::kTooLarge;
    return Refuse(code, too_large ? ErrorCode::kMessageTooLarge : ErrorCode::kInvalidRecord, "{}",
                  done.error().message);
  }
  return CheckRecords(header, decompressed.readable(), code);
}

// Checks what a producer may write into the header.
Result<> CheckProducedHeader(const BatchHeader& header, ErrorCode* code) {
  if (header.control()) {
    return Refuse(code, ErrorCode::kInvalidRecord, "a producer sent a control batch");
  }
  if (header.log_append_time()) {
    return Refuse(code, ErrorCode::kInvalidTimestamp, "a producer sent a batch of LogAppendTime");
  }
  if (header.record_count < 1 || header.last_offset_delta != header.record_count - 1) {
    return Refuse(code, ErrorCode::kInvalidRecord, "batch of {} records with last offset delta {}",
                  header.record_count, header.last_offset_delta);
  }
  if (header.producer_id < -1 ||
      (header.producer_id >= 0 && (header.producer_epoch < 0 || header.base_sequence < 0))) {
    return Refuse(code, ErrorCode::kInvalidRecord,
                  "batch of producer {} with epoch {} and sequence {}", header.producer_id,
                  header.producer_epoch, header.base_sequence);
  }
  return {};
}

}  // namespace

Result<BatchHeader> ReadBatchHeader(Bytes bytes, ErrorCode* code) {
  if (bytes.size() < kBatchHeaderBytes) {
    return Refuse(code, ErrorCode::kCorruptMessage, "{} bytes hold no batch header", bytes.size());
  }
  Cursor cursor(bytes);
  BatchHeader header;
  header.base_offset = cursor.I64();
  int32_t length = cursor.I32();
  header.leader_epoch = cursor.I32();
  if (int8_t magic = cursor.I8(); magic != kMagic) {
    bool older = magic == 0 || magic == 1;
    return Refuse(code,
                  older ? ErrorCode::kUnsupportedForMessageFormat : ErrorCode::kCorruptMessage,
                  "record batch with magic {}, not 2", magic);
  }
  if (length < static_cast<int32_t>(kBatchHeaderBytes - kLengthEnd)) {
    return Refuse(code, ErrorCode::kCorruptMessage, "record batch of length {}", length);
  }
  header.bytes = static_cast<size_t>(length) + kLengthEnd;
  header.crc = static_cast<uint32_t>(cursor.I32());
  header.attributes = static_cast<uint16_t>(cursor.I16());
  header.last_offset_delta = cursor.I32();
  header.base_timestamp_ms = cursor.I64();
  header.max_timestamp_ms = cursor.I64();
  header.producer_id = cursor.I64();
  header.producer_epoch = cursor.I16();
  header.base_sequence = cursor.I32();
  header.record_count = cursor.I32();
  // The next offset is a positive 64-bit number too.
  if (header.base_offset < 0 || header.last_offset_delta < 0 || header.record_count < 0 ||
      header.base_offset >= INT64_MAX - header.last_offset_delta) {
    return Refuse(code, ErrorCode::kCorruptMessage,
                  "record batch at offset {} with last offset delta {} and {} records",
                  header.base_offset, header.last_offset_delta, header.record_count);
  }
  return header;
}

Result<BatchHeader> CheckStoredBatch(Bytes batch, ErrorCode* code) {
  auto header = ReadBatchHeader(batch, code);
  if (!header) return header;
  if (header->bytes != batch.size()) {
    return Refuse(code, ErrorCode::kCorruptMessage, "record batch of {} bytes says that it has {}",
                  batch.size(), header->bytes);
  }
  if (uint32_t crc = CrcOf(batch); crc != header->crc) {
    return Refuse(code, ErrorCode::kCorruptMessage, "record batch with CRC {:08x}, not {:08x}",
                  header->crc, crc);
  }
  return header;
}

Result<BatchHeader> CheckBatch(Bytes batch, ErrorCode* code) {
  auto header = CheckStoredBatch(batch, code);
  if (!header) return header;
  if (auto done = CheckProducedHeader(*header, code); !done) return Fail(done.error());
  auto max_timestamp_ms = CheckCompressedRecords(*header, batch.subspan(kBatchHeaderBytes), code);
  if (!max_timestamp_ms) return Fail(max_timestamp_ms.error());
  header->max_timestamp_ms = *max_timestamp_ms;
  return header;
}

void SetBaseOffset(MutableBytes batch, int64_t base_offset) { Store(batch, 0, base_offset); }

void SetLeaderEpoch(MutableBytes batch, int32_t leader_epoch) {
  Store(batch, kLeaderEpochAt, leader_epoch);
}

void SetMaxTimestamp(MutableBytes batch, int64_t max_timestamp_ms) {
  CHECK(batch.size() >= kBatchHeaderBytes);
  if (Cursor(batch.subspan(kMaxTimestampAt)).I64() == max_timestamp_ms) return;
  Store(batch, kMaxTimestampAt, max_timestamp_ms);
  Store(batch, kCrcAt, CrcOf(batch));
}

void StampAppendTime(MutableBytes batch, int64_t now_ms) {
  CHECK(batch.size() >= kBatchHeaderBytes);
  batch[kAttributesAt + 1] |= kLogAppendTimeBit;
  Store(batch, kMaxTimestampAt, now_ms);
  Store(batch, kCrcAt, CrcOf(batch));
}

}  // namespace meridian::wire::kafka
