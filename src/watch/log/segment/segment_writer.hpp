// SegmentWriter: writes the open segment: compresses and appends blocks, keeps the tail file, and
// at last makes the word index and closes the segment. Recovers an open segment that a crash left.
// Owned by the store; its functions block, and run on one thread at a time.
//
// An open segment has no word index: its blocks are found by their bloom filters, which have words
// too.
//
// Order of writes: a block is in the log before the tail is emptied of its lines, so after the end
// of this process, at any moment, each line is in one of them or in both; lines of the tail that
// the log has are ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/fd.hpp"
#include "watch/log/segment/block.hpp"
#include "watch/log/segment/block_index.hpp"
#include "watch/log/segment/log_files.hpp"
#include "watch/log/segment/segment.hpp"
#include "watch/log/segment/segment_format.hpp"

struct ZSTD_CCtx_s;

namespace meridian::watch {

// A block as encoded, with what is known of it.
struct RawBlock {
  uint32_t segment = 0;
  uint32_t first_line = 0;
  BlockRange range;
  std::string raw;
};

// What recovery found.
struct SegmentRecovery {
  uint32_t lines = 0;
  uint32_t tail_lines = 0;     // of them, those that came from the tail
  uint64_t torn_bytes = 0;     // behind the last block: a write that a crash tore
  uint64_t damaged_bytes = 0;  // between blocks: damage; its lines are lost
};

class SegmentWriter {
 public:
  // Makes the files of a segment that is not there yet; their names survive a crash. `files`
  // outlives it. Errors of all functions: kUnavailable: the disk is full; kIo.
  static Result<std::unique_ptr<SegmentWriter>> Create(LogFiles& files, const std::string& folder,
                                                       uint32_t number);
  // Opens a segment that was not closed, or whose word index is missing. kInvalid: its header is
  // damaged.
  static Result<std::unique_ptr<SegmentWriter>> Recover(LogFiles& files, const std::string& folder,
                                                        uint32_t number, SegmentRecovery* found);

  SegmentWriter(LogFiles& files, const std::string& folder, uint32_t number);
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;
  ~SegmentWriter();

  uint32_t number() const { return number_; }
  const SegmentPaths& paths() const { return paths_; }
  uint64_t bytes() const { return end_ + tail_bytes_; }

  // Appends a block of this segment, and empties the tail. After an error nothing was appended, and
  // the same block may be tried again.
  Result<std::shared_ptr<const StoredBlock>> Append(const RawBlock& block);
  // Keeps lines that are in no block yet.
  Result<void> AppendTail(uint32_t first_line, std::string_view raw);
  // All that was appended survives a loss of power. After an error some of it may be lost whatever
  // a second call says.
  Result<void> Sync();
  bool sync_failed() const { return sync_failed_; }
  // The segment is closed and durable; the writer is of no use any more. Without room for the word
  // index it is closed without one. After an error it may be tried again.
  Result<std::shared_ptr<const Segment>> Close();
  // Removes the files of a segment without a line.
  Result<void> Discard();

 private:
  Result<void> OpenFiles(LogFileMode mode);
  Result<void> FindBlocks(SegmentRecovery* found);
  Result<void> TakeBlock(std::string_view bytes, const BlockPlace& place);
  Result<void> TakeTail(SegmentRecovery* found);
  Result<std::string> Compress(std::string_view raw);
  Result<void> BuildIndex(SegmentTrailer* trailer);
  Result<void> WriteIndex(const std::string& path);
  uint32_t end_line() const { return blocks_.empty() ? 0 : blocks_.back()->place.end_line(); }

  LogFiles& files_;
  std::string folder_;
  SegmentPaths paths_;
  uint32_t number_;
  io::Fd log_;
  io::Fd tail_;
  uint64_t end_ = 0;  // of the last block in the log
  uint64_t tail_bytes_ = 0;
  uint64_t raw_bytes_ = 0;
  bool sync_failed_ = false;
  std::vector<std::shared_ptr<const StoredBlock>> blocks_;
  ZSTD_CCtx_s* context_;
  BlockReader reader_;
  BlockIndexer indexer_;
};

}  // namespace meridian::watch
