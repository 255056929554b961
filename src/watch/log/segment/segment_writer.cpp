#include "watch/log/segment/segment_writer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <zstd.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"
#include "watch/log/index/word_index.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/segment/block.hpp"
#include "watch/log/segment/log_files.hpp"
#include "watch/log/segment/segment.hpp"
#include "watch/log/segment/segment_format.hpp"

namespace meridian::watch {
namespace {

constexpr int kCompressionLevel = 3;

}  // namespace

SegmentWriter::SegmentWriter(LogFiles& files, const std::string& folder, uint32_t number)
    : files_(files),
      folder_(folder),
      paths_(folder, number),
      number_(number),
      context_(ZSTD_createCCtx()) {
  CHECK(context_ != nullptr);
}

SegmentWriter::~SegmentWriter() { ZSTD_freeCCtx(context_); }

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(LogFiles& files,
                                                             const std::string& folder,
                                                             uint32_t number) {
  auto writer = std::make_unique<SegmentWriter>(files, folder, number);
  Result<void> made = writer->OpenFiles(LogFileMode::kCreate);
  if (made) made = files.WriteAt(writer->log_.get(), 0, EncodeSegmentHeader(number));
  if (made) made = files.Sync(writer->log_.get());
  if (made) made = SyncFolder(folder);
  if (!made) {
    (void)writer->Discard();
    return Fail(made.error());
  }
  writer->end_ = kSegmentHeaderBytes;
  return writer;
}

Result<void> SegmentWriter::OpenFiles(LogFileMode mode) {
  Result<io::Fd> log = OpenLogFile(paths_.log, mode);
  if (!log) return Fail(log.error());
  Result<io::Fd> tail = OpenLogFile(paths_.tail, LogFileMode::kCreate);
  if (!tail) return Fail(tail.error());
  log_ = std::move(*log);
  tail_ = std::move(*tail);
  return {};
}

Result<std::string> SegmentWriter::Compress(std::string_view raw) {
  std::string compressed(ZSTD_compressBound(raw.size()), '\0');
  size_t bytes = ZSTD_compressCCtx(context_, compressed.data(), compressed.size(), raw.data(),
                                   raw.size(), kCompressionLevel);
  if (ZSTD_isError(bytes) != 0) return Fail(Errc::kIo, "zstd: {}", ZSTD_getErrorName(bytes));
  compressed.resize(bytes);
  return compressed;
}

Result<std::shared_ptr<const StoredBlock>> SegmentWriter::Append(const RawBlock& block) {
  CHECK(block.segment == number_ && block.first_line >= end_line());
  Result<Block> decoded = Block::Decode(block.raw);
  if (!decoded) return Fail(decoded.error());
  Result<std::string> compressed = Compress(block.raw);
  if (!compressed) return Fail(compressed.error());
  auto stored = std::make_shared<StoredBlock>();
  stored->place = {.offset = end_,
                   .compressed_bytes = static_cast<uint32_t>(compressed->size()),
                   .raw_bytes = static_cast<uint32_t>(block.raw.size()),
                   .first_line = block.first_line,
                   .range = block.range};
  stored->bloom = indexer_.Bloom(*decoded);
  Result<void> written = files_.WriteAt(log_.get(), end_, EncodeBlock(stored->place, *compressed));
  if (!written) return Fail(written.error());
  end_ = stored->place.end_offset();
  raw_bytes_ += block.raw.size();
  blocks_.push_back(stored);
  if (tail_bytes_ > 0) {
    // If that fails, the lines are in both files; those of the tail are ignored.
    (void)TruncateFile(tail_.get(), 0);
    tail_bytes_ = 0;
  }
  return stored;
}

Result<void> SegmentWriter::AppendTail(uint32_t first_line, std::string_view raw) {
  std::string record = EncodeTailRecord({.first_line = first_line, .raw = raw});
  if (tail_bytes_ + record.size() > kMaxTailBytes)
    return Fail(Errc::kTooLarge, "{} is too long", paths_.tail);
  Result<void> written = files_.WriteAt(tail_.get(), tail_bytes_, record);
  if (written) tail_bytes_ += record.size();
  return written;
}

Result<void> SegmentWriter::Sync() {
  Result<void> synced = files_.Sync(log_.get());
  if (synced) synced = files_.Sync(tail_.get());
  sync_failed_ = sync_failed_ || !synced;
  return synced;
}

Result<std::shared_ptr<const Segment>> SegmentWriter::Close() {
  SegmentTrailer trailer{.footer_offset = end_, .raw_bytes = raw_bytes_, .end_line = end_line()};
  Result<void> indexed = BuildIndex(&trailer);
  if (!indexed) {
    LOG_WARNING("a segment of the log store has no word index, searches of it are slower",
                {"file", paths_.log}, {"error", indexed.error().message});
    trailer.index_bytes = 0;
  }
  std::vector<StoredBlock> blocks;
  for (const auto& block : blocks_) {
    const BlockRange& range = block->place.range;
    uint32_t lines = trailer.range.lines + range.lines;
    trailer.range.Add(range.min_time, range.max_severity);
    trailer.range.Add(range.max_time, range.max_severity);
    trailer.range.lines = lines;
    blocks.push_back(*block);
  }
  std::string footer = EncodeFooter(blocks);
  trailer.footer_bytes = static_cast<uint32_t>(footer.size());
  trailer.footer_checksum = Crc32c(AsBytes(footer));
  footer += EncodeTrailer(trailer);
  // What a crash or an earlier trailer left behind the blocks must not stand behind the new one.
  Result<void> written = TruncateFile(log_.get(), end_);
  if (written) written = files_.WriteAt(log_.get(), end_, footer);
  if (written) {
    written = files_.Sync(log_.get());
    sync_failed_ = sync_failed_ || !written;
  }
  if (written) written = SyncFolder(folder_);
  if (!written) return Fail(written.error());
  (void)RemoveFile(paths_.tail);
  return std::make_shared<const Segment>(paths_, number_, trailer,
                                         end_ + footer.size() + trailer.index_bytes);
}

Result<void> SegmentWriter::BuildIndex(SegmentTrailer* trailer) {
  std::string temporary = paths_.words + ".new";
  Result<void> built = WriteIndex(temporary);
  std::string content;
  if (built) {
    Result<io::Fd> fd = OpenLogFile(temporary, LogFileMode::kRead);
    if (!fd) return Fail(fd.error());
    built = files_.Sync(fd->get());
    Result<uint64_t> bytes = FileBytes(fd->get());
    if (!bytes) return Fail(bytes.error());
    trailer->index_bytes = *bytes;
    if (built) built = ReadAt(fd->get(), 0, *bytes, &content);
    trailer->index_checksum = Crc32c(AsBytes(content));
  }
  if (built) built = RenameFile(temporary, paths_.words);
  if (!built) (void)RemoveFile(temporary);
  return built;
}

Result<void> SegmentWriter::WriteIndex(const std::string& path) {
  Result<WordIndexBuilder> index = WordIndexBuilder::Create(path);
  if (!index) return Fail(index.error());
  for (size_t i = 0; i < blocks_.size(); ++i) {
    Result<std::string_view> raw = reader_.Read(log_.get(), blocks_[i]->place);
    if (!raw) return Fail(raw.error());
    Result<Block> block = Block::Decode(*raw);
    if (!block) return Fail(block.error());
    Result<void> added = indexer_.AddRows(*block, static_cast<uint32_t>(i), &*index);
    if (!added) return added;
  }
  return index->Finish();
}

Result<void> SegmentWriter::Discard() {
  Result<void> done = RemoveFile(paths_.words);
  if (done) done = RemoveFile(paths_.tail);
  if (done) done = RemoveFile(paths_.log);
  return done;
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Recover(LogFiles& files,
                                                              const std::string& folder,
                                                              uint32_t number,
                                                              SegmentRecovery* found) {
  auto writer = std::make_unique<SegmentWriter>(files, folder, number);
  Result<void> done = writer->OpenFiles(LogFileMode::kWrite);
  if (done) done = writer->FindBlocks(found);
  if (done) done = writer->TakeTail(found);
  if (!done) return Fail(done.error());
  for (const auto& block : writer->blocks_) found->lines += block->place.range.lines;
  return writer;
}

// Reads the whole file, and takes each block whose checksum is right.
Result<void> SegmentWriter::FindBlocks(SegmentRecovery* found) {
  Result<uint64_t> bytes = FileBytes(log_.get());
  if (!bytes) return Fail(bytes.error());
  std::string header;
  Result<void> read =
      ReadAt(log_.get(), 0, std::min<uint64_t>(*bytes, kSegmentHeaderBytes), &header);
  if (read) read = CheckSegmentHeader(header, number_);
  if (!read) return read;
  end_ = kSegmentHeaderBytes;
  std::string window;
  constexpr uint64_t kWindowBytes = kBlockHeaderBytes + kMaxBlockBytes;
  for (uint64_t at = end_; at < *bytes;) {
    read = ReadAt(log_.get(), at, std::min(kWindowBytes, *bytes - at), &window);
    if (!read) return read;
    std::optional<BlockPlace> place = DecodeBlockHeader(window, at);
    if (place && place->first_line >= end_line() && TakeBlock(window, *place)) {
      found->damaged_bytes += at - end_;
      at = end_ = place->end_offset();
      continue;
    }
    // Not a block: look for the next one.
    size_t next = std::string_view(window).find("MBLK", 1);
    constexpr size_t kMagicBytes = 4;
    at +=
        next != std::string::npos ? next : std::max(window.size(), kMagicBytes) - (kMagicBytes - 1);
  }
  found->torn_bytes = *bytes - end_;
  return {};
}

Result<void> SegmentWriter::TakeBlock(std::string_view bytes, const BlockPlace& place) {
  Result<std::string_view> raw = reader_.Unpack(bytes, place);
  if (!raw) return Fail(raw.error());
  Result<Block> block = Block::Decode(*raw);
  if (!block) return Fail(block.error());
  if (block->range() != place.range) return Fail(Errc::kInvalid, "a block of other lines");
  blocks_.push_back(
      std::make_shared<StoredBlock>(StoredBlock{.place = place, .bloom = indexer_.Bloom(*block)}));
  raw_bytes_ += raw->size();
  return {};
}

// The lines that no block has become the last blocks.
Result<void> SegmentWriter::TakeTail(SegmentRecovery* found) {
  Result<uint64_t> bytes = FileBytes(tail_.get());
  if (!bytes) return Fail(bytes.error());
  std::string tail;
  Result<void> read = ReadAt(tail_.get(), 0, std::min<uint64_t>(*bytes, kMaxTailBytes), &tail);
  if (!read) return read;
  std::string_view rest = tail;
  while (std::optional<TailRecord> record = TakeTailRecord(&rest)) {
    Result<Block> block = Block::Decode(record->raw);
    if (!block || block->rows().empty() || record->first_line < end_line()) continue;
    RawBlock raw{.segment = number_,
                 .first_line = record->first_line,
                 .range = block->range(),
                 .raw = std::string(record->raw)};
    Result<std::shared_ptr<const StoredBlock>> appended = Append(raw);
    if (!appended) return Fail(appended.error());
    found->tail_lines += raw.range.lines;
  }
  return {};
}

}  // namespace meridian::watch
