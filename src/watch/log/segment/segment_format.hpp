// The bytes of a segment's files. Pure; any thread. Integers are big-endian, checksums CRC-32C.
//
// NUMBER.log     header, blocks, and, when it is closed, a footer and a trailer
//   header       "MLOG", version, number of the segment, checksum
//   block        "MBLK", checksum of all behind it, BlockPlace without its offset, bytes compressed
//   by zstd footer       for each block its BlockPlace and the length of its bloom filter; then the
//   filters trailer      SegmentTrailer, checksum, "MEND"; at the end of the file
// NUMBER.words   the word index (index/word_index.hpp); the trailer has its length and checksum
// NUMBER.tail    of an open segment: lines that are not in a block yet. Records: "MTAI", length,
// checksum of
//                all behind it, number of the first line, a block as encoded (not compressed)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "watch/log/segment/block.hpp"

namespace meridian::watch {

constexpr size_t kSegmentHeaderBytes = 16;
constexpr size_t kBlockHeaderBytes = 41;
constexpr size_t kTrailerBytes = 69;

// Where a block is, and what is in it.
struct BlockPlace {
  uint64_t offset = 0;  // of its header in the file
  uint32_t compressed_bytes = 0;
  uint32_t raw_bytes = 0;
  uint32_t first_line = 0;
  BlockRange range;

  uint64_t end_offset() const { return offset + kBlockHeaderBytes + compressed_bytes; }
  uint32_t end_line() const { return first_line + range.lines; }
  bool operator==(const BlockPlace&) const = default;
};

struct StoredBlock {
  BlockPlace place;
  std::string bloom;
};

struct SegmentTrailer {
  uint64_t footer_offset = 0;
  uint32_t footer_bytes = 0;
  uint32_t footer_checksum = 0;
  uint64_t raw_bytes = 0;
  uint64_t index_bytes = 0;  // 0: there is no word index
  uint32_t index_checksum = 0;
  uint32_t end_line = 0;  // of the last line, more than lines if some are missing
  BlockRange range;       // its lines are those that are there
  bool operator==(const SegmentTrailer&) const = default;
};

std::string EncodeSegmentHeader(uint32_t number);
// kInvalid: it is no segment, of another version or number, or damaged.
Result<void> CheckSegmentHeader(std::string_view bytes, uint32_t number);

// Header and content of a block; `compressed` has place.compressed_bytes.
std::string EncodeBlock(const BlockPlace& place, std::string_view compressed);
// The place of the block whose header `bytes` begins with, at `offset`. Nothing: there is no whole
// header. Its checksum is not checked.
std::optional<BlockPlace> DecodeBlockHeader(std::string_view bytes, uint64_t offset);
// The compressed bytes. kInvalid: the block is damaged, or not the one of `place`.
Result<std::string_view> DecodeBlock(std::string_view bytes, const BlockPlace& place);

std::string EncodeFooter(const std::vector<StoredBlock>& blocks);
// kInvalid: damaged, or blocks that overlap or lie past `footer_offset`.
Result<std::vector<StoredBlock>> DecodeFooter(std::string_view bytes, uint64_t footer_offset);

std::string EncodeTrailer(const SegmentTrailer& trailer);
// kInvalid: the file does not end in a trailer.
Result<SegmentTrailer> DecodeTrailer(std::string_view bytes, uint64_t file_bytes);

struct TailRecord {
  uint32_t first_line = 0;
  std::string_view raw;
};
std::string EncodeTailRecord(const TailRecord& record);
// Takes the record at the front of `bytes` off. Nothing: there is none, or it is torn.
std::optional<TailRecord> TakeTailRecord(std::string_view* bytes);

}  // namespace meridian::watch
