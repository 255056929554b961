#include "watch/log/segment/segment_format.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/segment/block.hpp"

namespace meridian::watch {
namespace {

constexpr uint32_t kHeaderMagic = 0x4d4c4f47;   // "MLOG"
constexpr uint32_t kBlockMagic = 0x4d424c4b;    // "MBLK"
constexpr uint32_t kTrailerMagic = 0x4d454e44;  // "MEND"
constexpr uint32_t kTailMagic = 0x4d544149;     // "MTAI"
constexpr uint32_t kVersion = 1;
constexpr size_t kChecksummedFrom = 8;  // of a block: behind magic and checksum
constexpr size_t kDirectoryEntryBytes = 8 + (kBlockHeaderBytes - kChecksummedFrom) + 4;
constexpr size_t kTailChecksummedFrom = 12;

// Bytes of a fixed size, of which a string is made.
template <size_t kBytes>
class FixedWriter {
 public:
  ByteWriter& operator*() { return writer_; }
  ByteWriter* operator->() { return &writer_; }
  std::string Take() {
    CHECK(writer_.ok() && writer_.remaining() == 0);
    return std::string(AsText(writer_.written()));
  }

 private:
  std::array<uint8_t, kBytes> bytes_;
  ByteWriter writer_{bytes_};
};

uint64_t ToBits(LogTime time) { return static_cast<uint64_t>(time.time_since_epoch().count()); }
LogTime ToTime(uint64_t bits) {
  return LogTime(std::chrono::microseconds(static_cast<int64_t>(bits)));
}

void WriteRange(ByteWriter& writer, const BlockRange& range) {
  writer.U32(range.lines);
  writer.U64(ToBits(range.min_time));
  writer.U64(ToBits(range.max_time));
  writer.U8(static_cast<uint8_t>(range.max_severity));
}

BlockRange ReadRange(ByteReader& reader) {
  BlockRange range;
  range.lines = reader.U32();
  range.min_time = ToTime(reader.U64());
  range.max_time = ToTime(reader.U64());
  range.max_severity = static_cast<Severity>(reader.U8());
  return range;
}

// The times are those of a block, so that nothing overflows when they are compared.
bool IsSane(const BlockRange& range) {
  constexpr std::chrono::microseconds kMax = std::chrono::days{365 * 292};
  return range.max_severity <= Severity::kFatal && range.min_time <= range.max_time &&
         range.min_time.time_since_epoch() >= -kMax && range.max_time.time_since_epoch() <= kMax;
}

// All but the offset.
void WritePlace(ByteWriter& writer, const BlockPlace& place) {
  writer.U32(place.compressed_bytes);
  writer.U32(place.raw_bytes);
  writer.U32(place.first_line);
  WriteRange(writer, place.range);
}

std::optional<BlockPlace> ReadPlace(ByteReader& reader, uint64_t offset) {
  BlockPlace place{.offset = offset};
  place.compressed_bytes = reader.U32();
  place.raw_bytes = reader.U32();
  place.first_line = reader.U32();
  place.range = ReadRange(reader);
  bool is_sane = reader.ok() && place.compressed_bytes <= kMaxBlockBytes &&
                 place.raw_bytes <= kMaxBlockBytes && IsSane(place.range) &&
                 place.range.lines > 0 && place.range.lines <= kMaxBlockLines &&
                 place.first_line <= UINT32_MAX - kMaxBlockLines;
  if (!is_sane) return std::nullopt;
  return place;
}

uint32_t Checksum(std::string_view bytes) { return Crc32c(AsBytes(bytes)); }

}  // namespace

std::string EncodeSegmentHeader(uint32_t number) {
  FixedWriter<kSegmentHeaderBytes> writer;
  writer->U32(kHeaderMagic);
  writer->U32(kVersion);
  writer->U32(number);
  writer->U32(Crc32c(writer->written()));
  return writer.Take();
}

Result<void> CheckSegmentHeader(std::string_view bytes, uint32_t number) {
  ByteReader reader(AsBytes(bytes));
  uint32_t magic = reader.U32();
  uint32_t version = reader.U32();
  uint32_t found = reader.U32();
  uint32_t checksum = reader.U32();
  if (!reader.ok() || magic != kHeaderMagic)
    return Fail(Errc::kInvalid, "no segment of the log store");
  if (version != kVersion) {
    return Fail(Errc::kInvalid, "version {}; this program reads {}", version, kVersion);
  }
  if (checksum != Checksum(bytes.substr(0, kSegmentHeaderBytes - 4)))
    return Fail(Errc::kInvalid, "damaged header");
  if (found != number) return Fail(Errc::kInvalid, "segment {} under another name", found);
  return {};
}

std::string EncodeBlock(const BlockPlace& place, std::string_view compressed) {
  FixedWriter<kBlockHeaderBytes - kChecksummedFrom> content;
  WritePlace(*content, place);
  std::string checksummed = content.Take();
  checksummed += compressed;
  FixedWriter<kChecksummedFrom> front;
  front->U32(kBlockMagic);
  front->U32(Checksum(checksummed));
  return front.Take() + checksummed;
}

std::optional<BlockPlace> DecodeBlockHeader(std::string_view bytes, uint64_t offset) {
  ByteReader reader(AsBytes(bytes));
  if (reader.U32() != kBlockMagic) return std::nullopt;
  reader.Skip(4);
  return ReadPlace(reader, offset);
}

Result<std::string_view> DecodeBlock(std::string_view bytes, const BlockPlace& place) {
  std::optional<BlockPlace> found = DecodeBlockHeader(bytes, place.offset);
  if (!found || *found != place) return Fail(Errc::kInvalid, "no block");
  if (bytes.size() < kBlockHeaderBytes + place.compressed_bytes)
    return Fail(Errc::kInvalid, "a torn block");
  bytes = bytes.substr(0, kBlockHeaderBytes + place.compressed_bytes);
  ByteReader reader(AsBytes(bytes.substr(4)));
  if (reader.U32() != Checksum(bytes.substr(kChecksummedFrom)))
    return Fail(Errc::kInvalid, "a damaged block");
  return bytes.substr(kBlockHeaderBytes);
}

std::string EncodeFooter(const std::vector<StoredBlock>& blocks) {
  std::string footer;
  for (const StoredBlock& block : blocks) {
    FixedWriter<kDirectoryEntryBytes> writer;
    writer->U64(block.place.offset);
    WritePlace(*writer, block.place);
    writer->U32(static_cast<uint32_t>(block.bloom.size()));
    footer += writer.Take();
  }
  // In front of the filters, whose number of bytes only the entries say.
  FixedWriter<4> count;
  count->U32(static_cast<uint32_t>(blocks.size()));
  footer.insert(0, count.Take());
  for (const StoredBlock& block : blocks) footer += block.bloom;
  return footer;
}

Result<std::vector<StoredBlock>> DecodeFooter(std::string_view bytes, uint64_t footer_offset) {
  std::unexpected<Error> damaged = Fail(Errc::kInvalid, "a damaged directory of blocks");
  ByteReader reader(AsBytes(bytes));
  uint32_t count = reader.U32();
  if (count > kMaxSegmentBlocks || count > reader.remaining() / kDirectoryEntryBytes)
    return damaged;
  std::vector<StoredBlock> blocks(count);
  std::vector<uint32_t> bloom_bytes(count);
  uint64_t offset = kSegmentHeaderBytes;
  for (size_t i = 0; i < count; ++i) {
    uint64_t begin = reader.U64();
    std::optional<BlockPlace> place = ReadPlace(reader, begin);
    bloom_bytes[i] = reader.U32();
    if (!place || begin < offset || begin > footer_offset || place->end_offset() > footer_offset)
      return damaged;
    offset = place->end_offset();
    blocks[i].place = *place;
  }
  for (size_t i = 0; i < count; ++i) {
    if (bloom_bytes[i] > kMaxBloomBytes) return damaged;
    blocks[i].bloom = AsText(reader.Take(bloom_bytes[i]));
  }
  if (!reader.ok() || reader.remaining() > 0) return damaged;
  return blocks;
}

std::string EncodeTrailer(const SegmentTrailer& trailer) {
  FixedWriter<kTrailerBytes> writer;
  writer->U64(trailer.footer_offset);
  writer->U32(trailer.footer_bytes);
  writer->U32(trailer.footer_checksum);
  writer->U64(trailer.raw_bytes);
  writer->U64(trailer.index_bytes);
  writer->U32(trailer.index_checksum);
  writer->U32(trailer.end_line);
  WriteRange(*writer, trailer.range);
  writer->U32(Crc32c(writer->written()));
  writer->U32(kTrailerMagic);
  return writer.Take();
}

Result<SegmentTrailer> DecodeTrailer(std::string_view bytes, uint64_t file_bytes) {
  std::unexpected<Error> none = Fail(Errc::kInvalid, "not closed");
  if (bytes.size() != kTrailerBytes) return none;
  ByteReader reader(AsBytes(bytes));
  SegmentTrailer trailer;
  trailer.footer_offset = reader.U64();
  trailer.footer_bytes = reader.U32();
  trailer.footer_checksum = reader.U32();
  trailer.raw_bytes = reader.U64();
  trailer.index_bytes = reader.U64();
  trailer.index_checksum = reader.U32();
  trailer.end_line = reader.U32();
  trailer.range = ReadRange(reader);
  uint32_t checksum = reader.U32();
  if (reader.U32() != kTrailerMagic || checksum != Checksum(bytes.substr(0, kTrailerBytes - 8)))
    return none;
  bool fits = IsSane(trailer.range) && trailer.footer_bytes <= kMaxFooterBytes &&
              trailer.footer_offset <= file_bytes &&
              trailer.footer_offset + trailer.footer_bytes + kTrailerBytes == file_bytes;
  if (!fits) return none;
  return trailer;
}

std::string EncodeTailRecord(const TailRecord& record) {
  FixedWriter<4> line;
  line->U32(record.first_line);
  std::string content = line.Take();
  content += record.raw;
  FixedWriter<kTailChecksummedFrom> front;
  front->U32(kTailMagic);
  front->U32(static_cast<uint32_t>(content.size()));
  front->U32(Checksum(content));
  return front.Take() + content;
}

std::optional<TailRecord> TakeTailRecord(std::string_view* bytes) {
  ByteReader reader(AsBytes(*bytes));
  uint32_t magic = reader.U32();
  uint32_t length = reader.U32();
  uint32_t checksum = reader.U32();
  std::string_view content = AsText(reader.Take(length));
  if (!reader.ok() || magic != kTailMagic || length < 4 || checksum != Checksum(content))
    return std::nullopt;
  ByteReader front(AsBytes(content));
  TailRecord record{.first_line = front.U32(), .raw = content.substr(4)};
  bytes->remove_prefix(kTailChecksummedFrom + length);
  return record;
}

}  // namespace meridian::watch
