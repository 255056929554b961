#include "store/log/segment.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "store/limits.hpp"
#include "store/log/record.hpp"

namespace meridian::store {
namespace {

constexpr std::string_view kMagic = "MRDNLOG1";
constexpr std::string_view kExtension = ".log";
constexpr size_t kNameDigits = 20;
constexpr uint32_t kStartsOver = 1;

}  // namespace

void AppendSegmentHeader(const SegmentHeader& header, std::vector<uint8_t>& into) {
  uint8_t bytes[kSegmentHeaderBytes];
  ByteWriter writer(bytes);
  writer.Append(AsBytes(kMagic));
  writer.U64(header.log_id);
  writer.U64(header.begin_offset);
  writer.U32(header.starts_over ? kStartsOver : 0);
  writer.U32(Crc32c(writer.written()));
  into.insert(into.end(), bytes, bytes + kSegmentHeaderBytes);
}

std::optional<SegmentHeader> ParseSegmentHeader(Bytes bytes) {
  if (bytes.size() < kSegmentHeaderBytes) return std::nullopt;
  ByteReader reader(bytes);
  if (AsText(reader.Take(kMagic.size())) != kMagic) return std::nullopt;
  SegmentHeader header;
  header.log_id = reader.U64();
  header.begin_offset = reader.U64();
  uint32_t flags = reader.U32();
  Bytes fields = bytes.first(reader.offset());
  if (reader.U32() != Crc32c(fields) || flags > kStartsOver) return std::nullopt;
  header.starts_over = flags == kStartsOver;
  return header;
}

std::string SegmentName(uint64_t begin_offset) {
  return fmt::format("{:020}{}", begin_offset, kExtension);
}

std::optional<uint64_t> ParseSegmentName(std::string_view name) {
  if (name.size() != kNameDigits + kExtension.size() || !name.ends_with(kExtension)) {
    return std::nullopt;
  }
  if (name.find_first_not_of("0123456789") != kNameDigits) return std::nullopt;
  uint64_t offset = 0;
  auto [stopped, error] = std::from_chars(name.begin(), name.begin() + kNameDigits, offset);
  if (error != std::errc() || offset > kMaxOffset) return std::nullopt;
  return offset;
}

size_t SegmentScan::Feed(Bytes bytes, bool at_end) {
  size_t done = 0;
  while (done < bytes.size()) {
    size_t stepped = Step(bytes.subspan(done), at_end);
    if (stepped == 0) break;
    done += stepped;
    position_ += stepped;
  }
  return done;
}

size_t SegmentScan::Step(Bytes bytes, bool at_end) {
  Record record;
  switch (DecodeRecord(bytes, &record)) {
    case Decoding::kWhole:
      // An older record was left behind in a block that the file system has reused.
      if (record.offset < end_offset_) break;
      Accept(record);
      return record.encoded_bytes();
    case Decoding::kIncomplete:
      if (!at_end) return 0;
      break;
    case Decoding::kDamaged:
      break;
  }
  return Search(bytes, at_end);
}

void SegmentScan::Accept(const Record& record) {
  if (record.offset > end_offset_ && !searching_) NoteDamage(0);
  if (searching_) damages_.back().end_offset = record.offset;
  searching_ = false;
  for (Damage& damage : damages_) {
    if (record.synced_before() > damage.begin_offset) damage.was_synced = true;
  }
  found_.push_back({.record = {.offset = record.offset,
                               .span = record.span,
                               .bytes = static_cast<uint32_t>(record.encoded_bytes()),
                               .time = record.time},
                    .position = position_,
                    .epoch = record.epoch});
  ++records_;
  end_offset_ = record.end_offset();
  epoch_ = record.epoch;
}

// Skips invalid bytes: a whole record if its header is valid (its body may contain bytes that look
// like a record), else bytes until a header could begin; not beyond `bytes`.
size_t SegmentScan::Search(Bytes bytes, bool at_end) {
  size_t passed = 1;
  if (std::optional<RecordExtent> record = ExtentOf(bytes)) {
    passed = std::min(record->bytes, bytes.size());
  } else {
    while (passed + kRecordHeaderBytes <= bytes.size() && !ExtentOf(bytes.subspan(passed))) {
      ++passed;
    }
    if (at_end && passed + kRecordHeaderBytes > bytes.size()) passed = bytes.size();
  }
  NoteDamage(passed);
  return passed;
}

void SegmentScan::NoteDamage(size_t bytes) {
  if (!searching_) {
    if (damages_.size() < kMaxDamages) {
      damages_.push_back(
          {.begin_position = position_, .begin_offset = end_offset_, .records_before = records_});
    }
  }
  searching_ = true;
  damages_.back().end_position = position_ + bytes;
  damages_.back().end_offset = end_offset_;
}

}  // namespace meridian::store
