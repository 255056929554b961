#include "watch/log/segment/segment.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <zstd.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"
#include "watch/log/segment/log_files.hpp"
#include "watch/log/segment/segment_format.hpp"

namespace meridian::watch {
namespace {

constexpr uint64_t kMaxIndexBytes = uint64_t{1} * 1024 * 1024 * 1024;

Result<void> CheckIndex(const std::string& path, const SegmentTrailer& trailer) {
  Result<io::Fd> fd = OpenLogFile(path, LogFileMode::kRead);
  if (!fd) return Fail(fd.error());
  Result<uint64_t> bytes = FileBytes(fd->get());
  if (!bytes) return Fail(bytes.error());
  if (*bytes != trailer.index_bytes || *bytes > kMaxIndexBytes)
    return Fail(Errc::kInvalid, "{} bytes", *bytes);
  std::string piece;
  uint32_t checksum = 0;
  constexpr uint64_t kPieceBytes = uint64_t{256} * 1024;
  for (uint64_t at = 0; at < *bytes; at += piece.size()) {
    Result<void> read = ReadAt(fd->get(), at, std::min(kPieceBytes, *bytes - at), &piece);
    if (!read) return read;
    checksum = Crc32c(AsBytes(piece), checksum);
  }
  if (checksum != trailer.index_checksum) return Fail(Errc::kInvalid, "damaged");
  return {};
}

}  // namespace

SegmentPaths::SegmentPaths(const std::string& folder, uint32_t number) {
  std::string stem = fmt::format("{}/{:010}", folder, number);
  log = stem + ".log";
  words = stem + ".words";
  tail = stem + ".tail";
}

Result<std::shared_ptr<const Segment>> Segment::Open(const std::string& folder, uint32_t number) {
  SegmentPaths paths(folder, number);
  Result<io::Fd> fd = OpenLogFile(paths.log, LogFileMode::kRead);
  if (!fd) return Fail(fd.error());
  Result<uint64_t> bytes = FileBytes(fd->get());
  if (!bytes) return Fail(bytes.error());
  if (*bytes < kSegmentHeaderBytes + kTrailerBytes) return Fail(Errc::kInvalid, "not closed");
  std::string header;
  std::string end;
  Result<void> read = ReadAt(fd->get(), 0, kSegmentHeaderBytes, &header);
  if (read) read = CheckSegmentHeader(header, number);
  if (read) read = ReadAt(fd->get(), *bytes - kTrailerBytes, kTrailerBytes, &end);
  if (!read) return Fail(read.error());
  Result<SegmentTrailer> trailer = DecodeTrailer(end, *bytes);
  if (!trailer) return Fail(trailer.error());
  return std::make_shared<const Segment>(std::move(paths), number, *trailer,
                                         *bytes + trailer->index_bytes);
}

Result<std::vector<StoredBlock>> Segment::ReadFooter() const {
  Result<io::Fd> fd = OpenLogFile(paths_.log, LogFileMode::kRead);
  if (!fd) return Fail(fd.error());
  std::string footer;
  Result<void> read = ReadAt(fd->get(), trailer_.footer_offset, trailer_.footer_bytes, &footer);
  if (!read) return Fail(read.error());
  if (Crc32c(AsBytes(footer)) != trailer_.footer_checksum) {
    return Fail(Errc::kInvalid, "a damaged directory of blocks");
  }
  return DecodeFooter(footer, trailer_.footer_offset);
}

bool Segment::HasIndex() const {
  if (trailer_.index_bytes == 0) return false;
  IndexState state = index_state_.load();
  if (state != IndexState::kUnknown) return state == IndexState::kGood;
  Result<void> good = CheckIndex(paths_.words, trailer_);
  // It cannot be read now: the next search looks again.
  if (!good && good.error().code == Errc::kIo) return false;
  if (!good && !removed()) {
    LOG_WARNING("the word index of a segment of the log store is damaged, searches do without it",
                {"file", paths_.words}, {"error", good.error().message});
    (void)RemoveFile(paths_.words);
  }
  index_state_.store(good ? IndexState::kGood : IndexState::kBad);
  return good.has_value();
}

Result<void> Segment::Remove() const {
  removed_.store(true);
  // The log last: while it is there, a start sees that something is to be removed or recovered.
  Result<void> done = RemoveFile(paths_.words);
  if (done) done = RemoveFile(paths_.tail);
  if (done) done = RemoveFile(paths_.log);
  return done;
}

BlockReader::BlockReader() : context_(ZSTD_createDCtx()) { CHECK(context_ != nullptr); }
BlockReader::~BlockReader() { ZSTD_freeDCtx(context_); }

Result<std::string_view> BlockReader::Read(int fd, const BlockPlace& place) {
  Result<void> read =
      ReadAt(fd, place.offset, kBlockHeaderBytes + place.compressed_bytes, &stored_);
  if (!read) return Fail(read.error());
  return Unpack(stored_, place);
}

Result<std::string_view> BlockReader::Unpack(std::string_view bytes, const BlockPlace& place) {
  Result<std::string_view> compressed = DecodeBlock(bytes, place);
  if (!compressed) return compressed;
  raw_.resize(place.raw_bytes);
  size_t got = ZSTD_decompressDCtx(context_, raw_.data(), raw_.size(), compressed->data(),
                                   compressed->size());
  if (ZSTD_isError(got) != 0 || got != raw_.size())
    return Fail(Errc::kInvalid, "a block that cannot be unpacked");
  return raw_;
}

}  // namespace meridian::watch
