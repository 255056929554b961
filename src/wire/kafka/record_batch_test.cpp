#include "wire/kafka/record_batch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "base/result.hpp"
#include "wire/kafka/batch_writer.hpp"
#include "wire/kafka/compression.hpp"
#include "wire/kafka/error_code.hpp"
#include "wire/kafka/limits.hpp"
#include "wire/kafka/record.hpp"
#include "wire/kafka/record_reader.hpp"

namespace meridian::wire::kafka {
namespace {

using Batch = std::vector<uint8_t>;

Batch FromHex(std::string_view hex) {
  std::string digits;
  for (char c : hex) {
    if (c != ' ') digits += c;
  }
  Batch bytes;
  for (size_t i = 0; i < digits.size(); i += 2) {
    auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    bytes.push_back(static_cast<uint8_t>(digit(digits[i]) * 16 + digit(digits[i + 1])));
  }
  return bytes;
}

std::vector<Record> SomeRecords() {
  return {
      {.offset = 0, .timestamp_ms = 1700000000000, .key = "k1", .value = "first"},
      {.offset = 1, .timestamp_ms = 1700000000500, .key = std::nullopt, .value = ""},
      {.offset = 2,
       .timestamp_ms = 1699999999000,
       .key = "",
       .value = std::nullopt,
       .headers = {{"trace", "abc"}, {"empty", ""}, {"null", std::nullopt}}},
  };
}

Batch Write(const BatchHeader& header, const std::vector<Record>& records) {
  BatchWriter writer(header);
  for (const Record& record : records) writer.Add(record);
  auto batch = writer.Finish();
  return batch ? *batch : Batch{};
}

BatchHeader WithCodec(Codec codec) { return {.attributes = static_cast<uint16_t>(codec)}; }

Batch SomeBatch() { return Write({}, SomeRecords()); }

// The records of a batch, with the reader that holds their bytes.
struct ReadAll {
  explicit ReadAll(Bytes batch) : reader(RecordReader::Open(batch)) {
    if (!reader) return;
    Record record;
    while (reader->Next(&record)) records.push_back(record);
    EXPECT_TRUE(reader->complete());
  }

  Result<RecordReader> reader;
  std::vector<Record> records;
};

// The code with which CheckBatch refuses; kNone when it accepts.
ErrorCode Refusal(Bytes batch) {
  ErrorCode code = ErrorCode::kNone;
  EXPECT_EQ(CheckBatch(batch, &code).has_value(), code == ErrorCode::kNone);
  return code;
}

// Makes the CRC right again after a field has been changed.
void Seal(Batch* batch) {
  uint32_t crc = Crc32c(Bytes(*batch).subspan(21));
  for (size_t i = 0; i < 4; ++i) (*batch)[17 + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
}

Batch Changed(size_t at, uint8_t value) {
  Batch batch = SomeBatch();
  batch[at] = value;
  Seal(&batch);
  return batch;
}

// A batch whose records are `records` as they are, sealed; its header says that there are `count`.
Batch WithRecordBytes(uint16_t attributes, int32_t count, Bytes records) {
  Batch batch = Write({}, {});
  batch.insert(batch.end(), records.begin(), records.end());
  batch[22] = static_cast<uint8_t>(attributes);
  batch[26] = static_cast<uint8_t>(count - 1);
  batch[60] = static_cast<uint8_t>(count);
  for (int at : {27, 35}) std::fill_n(batch.begin() + at, 8, 0);
  auto length = static_cast<uint32_t>(batch.size() - 12);
  for (size_t i = 0; i < 4; ++i) batch[8 + i] = static_cast<uint8_t>(length >> (24 - 8 * i));
  Seal(&batch);
  return batch;
}

TEST(RecordBatch, IsWrittenByteByByteAsTheFormatSays) {
  // Base offset 5, leader epoch 3, producer 9 with epoch 1 and sequence 4, one record: key "k",
  // value "vv", header "h" = "x", timestamp 0x0102.
  Batch batch = Write(
      {.base_offset = 5,
       .leader_epoch = 3,
       .producer_id = 9,
       .producer_epoch = 1,
       .base_sequence = 4},
      {{.offset = 5, .timestamp_ms = 0x0102, .key = "k", .value = "vv", .headers = {{"h", "x"}}}});
  Batch expected = FromHex(
      "0000000000000005 0000003f 00000003 02 00000000 0000 00000000 0000000000000102"
      "0000000000000102 0000000000000009 0001 00000004 00000001"
      "1a 00 00 00 02 6b 04 7676 02 02 68 02 78");
  Seal(&expected);
  EXPECT_EQ(batch, expected);
  auto header = CheckBatch(batch);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->bytes, batch.size());
  EXPECT_EQ(header->next_offset(), 6);
  EXPECT_EQ(header->leader_epoch, 3);
  EXPECT_EQ(header->producer_id, 9);
  EXPECT_EQ(header->base_sequence, 4);
}

TEST(RecordBatch, ABatchOfKafkaPythonIsAccepted) {
  // kafka-python 2.0.2: DefaultRecordBatchBuilder(magic=2, …) with ("key", "value", [("h", "v")])
  // at 1700000000000 and (null, "second") at 1700000000001.
  Batch batch = FromHex(
      "00000000000000000000005100000000028fe601b40000000000010000018bcfe568000000018bcf"
      "e56801ffffffffffffffffffffffffffff0000000224000000066b65790a76616c75650202680276"
      "18000202010c7365636f6e6400");
  auto header = CheckBatch(batch);
  ASSERT_TRUE(header) << header.error().message;
  ReadAll read(batch);
  const std::vector<Record>& records = read.records;
  ASSERT_EQ(records.size(), 2);
  EXPECT_EQ(records[0].key, "key");
  EXPECT_EQ(records[0].headers[0].key, "h");
  EXPECT_EQ(records[1].key, std::nullopt);
  EXPECT_EQ(records[1].value, "second");
  EXPECT_EQ(records[1].timestamp_ms, 1700000000001);
}

TEST(RecordBatch, RecordsSurviveEveryCodec) {
  for (Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    SCOPED_TRACE(CodecName(codec));
    Batch batch = Write(WithCodec(codec), SomeRecords());
    auto header = CheckBatch(batch);
    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(header->codec(), codec);
    EXPECT_EQ(header->record_count, 3);
    EXPECT_EQ(header->max_timestamp_ms, 1700000000500);
    EXPECT_EQ(ReadAll(batch).records, SomeRecords());
  }
}

TEST(RecordBatch, LargeRecordsSurviveEveryCodec) {
  std::string value;
  for (int i = 0; i < 300000; ++i) value += static_cast<char>('a' + i % 1009 % 23);
  std::vector<Record> records = {{.offset = 0, .timestamp_ms = 1, .value = value}};
  for (Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    SCOPED_TRACE(CodecName(codec));
    Batch batch = Write(WithCodec(codec), records);
    EXPECT_EQ(Refusal(batch), ErrorCode::kNone);
    EXPECT_EQ(ReadAll(batch).records, records);
  }
}

TEST(RecordBatch, RawSnappyIsReadToo) {
  // Raw snappy: length 8, then a literal of 8 bytes: one record without key, with the value "v".
  Batch records = FromHex("08 1c 0e 00 00 00 01 02 76 00");
  Batch batch = WithRecordBytes(static_cast<uint16_t>(Codec::kSnappy), 1, records);
  EXPECT_EQ(Refusal(batch), ErrorCode::kNone);
  EXPECT_EQ(ReadAll(batch).records[0].value, "v");
}

TEST(RecordBatch, EveryFlippedBitIsRefused) {
  Batch batch = SomeBatch();
  for (size_t bit = 16 * 8; bit < batch.size() * 8; ++bit) {  // what is before has no checksum
    batch[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_NE(Refusal(batch), ErrorCode::kNone) << "bit " << bit;
    batch[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
}

TEST(RecordBatch, EveryTruncationIsCorrupt) {
  Batch batch = SomeBatch();
  for (size_t size = 0; size < batch.size(); ++size) {
    EXPECT_EQ(Refusal(Bytes(batch).first(size)), ErrorCode::kCorruptMessage) << size;
  }
  batch.push_back(0);
  EXPECT_EQ(Refusal(batch), ErrorCode::kCorruptMessage);
}

TEST(RecordBatch, AHeaderIsReadWithoutTheRecords) {
  Batch batch = SomeBatch();
  auto header = ReadBatchHeader(Bytes(batch).first(kBatchHeaderBytes));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->bytes, batch.size());
  EXPECT_FALSE(ReadBatchHeader(Bytes(batch).first(kBatchHeaderBytes - 1)));
}

TEST(RecordBatch, EachFaultHasItsOwnErrorCode) {
  EXPECT_EQ(Refusal(Changed(16, 1)), ErrorCode::kUnsupportedForMessageFormat);  // magic
  EXPECT_EQ(Refusal(Changed(16, 3)), ErrorCode::kCorruptMessage);
  EXPECT_EQ(Refusal(Changed(0, 0x80)), ErrorCode::kCorruptMessage);  // negative base offset
  EXPECT_EQ(Refusal(Changed(8, 0x80)), ErrorCode::kCorruptMessage);  // negative length
  EXPECT_EQ(Refusal(Changed(11, 48)), ErrorCode::kCorruptMessage);   // shorter than a header
  EXPECT_EQ(Refusal(Changed(22, 5)), ErrorCode::kUnsupportedCompressionType);
  EXPECT_EQ(Refusal(Changed(22, 0x08)), ErrorCode::kInvalidTimestamp);  // LogAppendTime
  EXPECT_EQ(Refusal(Changed(22, 0x20)), ErrorCode::kInvalidRecord);     // control batch
  EXPECT_EQ(Refusal(Changed(26, 3)), ErrorCode::kInvalidRecord);        // last offset delta
  EXPECT_EQ(Refusal(Changed(60, 2)), ErrorCode::kInvalidRecord);        // record count
  EXPECT_EQ(Refusal(Changed(43, 0)), ErrorCode::kInvalidRecord);  // producer id without an epoch
  EXPECT_EQ(Refusal(Changed(61, 0)), ErrorCode::kInvalidRecord);  // length of a record
  EXPECT_EQ(Refusal(Changed(64, 2)), ErrorCode::kInvalidRecord);  // offset delta
}

TEST(RecordBatch, AWholeBatchWithoutRecordsIsStoredButNotProduced) {
  Batch batch = Write({.last_offset_delta = 7}, {});
  EXPECT_EQ(Refusal(batch), ErrorCode::kInvalidRecord);
  auto header = CheckStoredBatch(batch);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->last_offset(), 7);
  EXPECT_TRUE(ReadAll(batch).records.empty());
}

TEST(RecordBatch, HostileRecordLengthsAreRefused) {
  for (std::string_view record : {
           "ffffffff0f 00 00 00 01 01 00",    // a record of -2^31 bytes
           "feffffff0f 00 00 00 01 01 00",    // of 2^31 - 1 bytes
           "ffffffffff0f 00 00 00 01 01 00",  // a varint of six bytes
           "0e 00 00 00 fe7f 01 00 00",       // a key beyond the record
           "0c 00 00 00 03 01 00",            // a key of length -2
           "0c 00 00 00 01 01 feffffff0f",    // 2^31 - 1 headers
           "0c 00 00 00 01 01 01",            // -1 headers
           "10 00 00 00 01 01 02 01 01",      // a header without a key
           "0c 00 00 00 01 01 00 00",         // a byte after the last record
           "0e 00 00 00 01 01 00 00",         // a byte after the headers
       }) {
    EXPECT_EQ(Refusal(WithRecordBytes(0, 1, FromHex(record))), ErrorCode::kInvalidRecord) << record;
  }
  EXPECT_EQ(Refusal(WithRecordBytes(0, 1, FromHex("0c 00 00 00 01 01 00"))), ErrorCode::kNone);
  // A timestamp of -2.
  EXPECT_EQ(Refusal(WithRecordBytes(0, 1, FromHex("0c 00 03 00 01 01 00"))),
            ErrorCode::kInvalidTimestamp);
}

TEST(RecordBatch, MalformedCompressionIsRefused) {
  for (Codec codec : {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    SCOPED_TRACE(CodecName(codec));
    auto attributes = static_cast<uint16_t>(codec);
    EXPECT_EQ(Refusal(WithRecordBytes(attributes, 1, {})), ErrorCode::kInvalidRecord);
    Batch whole;
    ASSERT_TRUE(Compress(codec, FromHex("0c 00 00 00 01 01 00"), &whole));
    EXPECT_EQ(Refusal(WithRecordBytes(attributes, 1, whole)), ErrorCode::kNone);
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_EQ(Refusal(WithRecordBytes(attributes, 1, Bytes(whole).first(size))),
                ErrorCode::kInvalidRecord)
          << size;
    }
  }
}

TEST(RecordBatch, ADecompressionBombIsTooLarge) {
  Batch bomb;
  ASSERT_TRUE(Compress(Codec::kZstd, Batch(kMaxRecordsBytes + 1), &bomb));
  EXPECT_LT(bomb.size(), 10000);
  ErrorCode code = ErrorCode::kNone;
  auto header = CheckBatch(WithRecordBytes(static_cast<uint16_t>(Codec::kZstd), 1, bomb), &code);
  ASSERT_FALSE(header);
  EXPECT_EQ(code, ErrorCode::kMessageTooLarge);
  EXPECT_EQ(header.error().code, Errc::kTooLarge);
}

TEST(Compression, NoCodecFillsMoreThanTheLimit) {
  Batch zeros(200001);
  for (Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    SCOPED_TRACE(CodecName(codec));
    Batch compressed;
    ASSERT_TRUE(Compress(codec, zeros, &compressed));
    Buffer small(200000);
    auto refused = Decompress(codec, compressed, &small);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::kTooLarge);
    Buffer large(200002);
    ASSERT_TRUE(Decompress(codec, compressed, &large));
    EXPECT_EQ(large.size(), zeros.size());
  }
  Buffer out(10);
  EXPECT_FALSE(Decompress(static_cast<Codec>(5), zeros, &out));
  EXPECT_FALSE(Compress(static_cast<Codec>(7), zeros, &zeros));
  EXPECT_EQ(CodecName(static_cast<Codec>(6)), "unknown");
}

TEST(Compression, ConcatenatedGzipMembersAreOneText) {
  Batch members;
  ASSERT_TRUE(Compress(Codec::kGzip, AsBytes("one "), &members));
  ASSERT_TRUE(Compress(Codec::kGzip, AsBytes("two"), &members));
  Buffer out(100);
  ASSERT_TRUE(Decompress(Codec::kGzip, members, &out));
  EXPECT_EQ(out.text(), "one two");
}

TEST(RecordBatch, OffsetAndEpochAreRewrittenInPlaceUnderTheSameCrc) {
  Batch batch = SomeBatch();
  SetBaseOffset(batch, 0x0102030405060708);
  SetLeaderEpoch(batch, 77);
  auto header = CheckBatch(batch);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->base_offset, 0x0102030405060708);
  EXPECT_EQ(header->leader_epoch, 77);
  EXPECT_EQ(ReadAll(batch).records[2].offset, 0x010203040506070a);
}

TEST(RecordBatch, AWrongMaxTimestampIsCorrectedAndNotRefused) {
  Batch batch = SomeBatch();
  Batch right = batch;
  std::fill_n(batch.begin() + 35, 8, 0xff);  // -1, as Sarama sends it
  Seal(&batch);
  auto header = CheckBatch(batch);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->max_timestamp_ms, 1700000000500);
  SetMaxTimestamp(batch, header->max_timestamp_ms);
  EXPECT_EQ(batch, right);
  SetMaxTimestamp(batch, header->max_timestamp_ms);
  EXPECT_EQ(batch, right);
}

TEST(RecordBatch, AppendTimeBecomesTheTimeOfEveryRecord) {
  Batch batch = Write(WithCodec(Codec::kZstd), SomeRecords());
  StampAppendTime(batch, 1800000000000);
  auto header = CheckStoredBatch(batch);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_TRUE(header->log_append_time());
  EXPECT_EQ(header->codec(), Codec::kZstd);
  ReadAll read(batch);
  ASSERT_EQ(read.records.size(), 3);
  for (const Record& record : read.records) EXPECT_EQ(record.timestamp_ms, 1800000000000);
}

TEST(BatchWriter, ACompactedBatchKeepsItsRangeAndProducer) {
  BatchHeader original{.base_offset = 100,
                       .leader_epoch = 2,
                       .attributes = static_cast<uint16_t>(Codec::kLz4),
                       .last_offset_delta = 9,
                       .producer_id = 5,
                       .producer_epoch = 0,
                       .base_sequence = 40};
  std::vector<Record> kept = {{.offset = 103, .timestamp_ms = 7, .key = "a", .value = "1"},
                              {.offset = 107, .timestamp_ms = 5, .key = "b"}};
  Batch batch = Write(original, kept);
  auto header = CheckStoredBatch(batch);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->base_offset, 100);
  EXPECT_EQ(header->last_offset(), 109);
  EXPECT_EQ(header->producer_id, 5);
  EXPECT_EQ(header->base_sequence, 40);
  EXPECT_EQ(header->record_count, 2);
  EXPECT_EQ(ReadAll(batch).records, kept);
}

TEST(BatchWriter, AppendTimeAndDeleteHorizonAreKept) {
  std::vector<Record> records = {{.offset = 0, .timestamp_ms = 900, .key = "a"}};
  Batch batch = Write({.attributes = kLogAppendTimeBit | kDeleteHorizonBit,
                       .base_timestamp_ms = 5000,
                       .max_timestamp_ms = 900},
                      records);
  auto header = CheckStoredBatch(batch);
  ASSERT_TRUE(header);
  EXPECT_TRUE(header->has_delete_horizon());
  EXPECT_EQ(header->base_timestamp_ms, 5000);
  EXPECT_EQ(ReadAll(batch).records, records);
}

TEST(BatchWriter, RecordsPastTheLimitAreRefused) {
  std::string value(kMaxRecordsBytes, 'x');
  BatchWriter writer(BatchHeader{});
  writer.Add({.offset = 0, .timestamp_ms = 1, .value = value});
  EXPECT_EQ(writer.record_count(), 1);
  EXPECT_GT(writer.bytes(), kMaxRecordsBytes);
  auto batch = writer.Finish();
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, Errc::kTooLarge);
}

TEST(RecordReader, StopsAtAMalformedRecordAndIsNotComplete) {
  Batch batch = WithRecordBytes(0, 2, FromHex("0c 00 00 00 01 01 00 0c 00 00 00 01"));
  auto reader = RecordReader::Open(batch);
  ASSERT_TRUE(reader);
  Record record;
  EXPECT_TRUE(reader->Next(&record));
  EXPECT_FALSE(reader->Next(&record));
  EXPECT_FALSE(reader->complete());
}

TEST(RecordReader, StopsAtAnOffsetThatDoesNotIncrease) {
  Batch batch = WithRecordBytes(0, 2, FromHex("0c 00 00 02 01 01 00 0c 00 00 02 01 01 00"));
  ASSERT_TRUE(CheckStoredBatch(batch));
  auto reader = RecordReader::Open(batch);
  ASSERT_TRUE(reader);
  Record record;
  EXPECT_TRUE(reader->Next(&record));
  EXPECT_FALSE(reader->Next(&record));
  EXPECT_FALSE(reader->complete());
}

TEST(RecordReader, RefusesABatchWithoutItsEnd) {
  Batch batch = SomeBatch();
  auto reader = RecordReader::Open(Bytes(batch).first(batch.size() - 1));
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, Errc::kInvalid);
}

TEST(ErrorCode, HasTheNamesOfTheProtocol) {
  EXPECT_EQ(ErrorCodeName(ErrorCode::kInvalidTopic), "INVALID_TOPIC_EXCEPTION");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kNotLeaderOrFollower), "NOT_LEADER_OR_FOLLOWER");
  EXPECT_EQ(ErrorCodeName(static_cast<ErrorCode>(999)), "UNKNOWN_ERROR_CODE");
}

}  // namespace
}  // namespace meridian::wire::kafka
