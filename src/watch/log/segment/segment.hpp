// Segment: a closed segment, whose files are never changed any more, only removed. Its directory of
// blocks is on disk, so that a store of any size takes little memory. Shared by the store and
// searches; any thread. Its functions block.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/fd.hpp"
#include "watch/log/index/word_index.hpp"
#include "watch/log/segment/segment_format.hpp"

struct ZSTD_DCtx_s;

namespace meridian::watch {

// The files of segment `number`.
struct SegmentPaths {
  SegmentPaths(const std::string& folder, uint32_t number);

  std::string log;
  std::string words;
  std::string tail;
};

class Segment {
 public:
  // Reads header and trailer. kInvalid: it was not closed, or is damaged.
  static Result<std::shared_ptr<const Segment>> Open(const std::string& folder, uint32_t number);

  Segment(SegmentPaths paths, uint32_t number, SegmentTrailer trailer, uint64_t bytes)
      : paths_(std::move(paths)), number_(number), trailer_(trailer), bytes_(bytes) {}

  uint32_t number() const { return number_; }
  const SegmentPaths& paths() const { return paths_; }
  const SegmentTrailer& trailer() const { return trailer_; }
  uint64_t bytes() const { return bytes_; }  // of all its files

  // The places of its blocks with their bloom filters.
  Result<std::vector<StoredBlock>> ReadFooter() const;
  // Whether words can be sought in the index. The first call verifies its checksum; an index that
  // is damaged is removed, and the next start builds it again.
  bool HasIndex() const;
  // Removes the files. Readers that have them open go on.
  Result<void> Remove() const;
  // By Remove: what was to be read is gone, not damaged.
  bool removed() const { return removed_.load(); }

 private:
  enum class IndexState : uint8_t { kUnknown, kGood, kBad };

  SegmentPaths paths_;
  uint32_t number_;
  SegmentTrailer trailer_;
  uint64_t bytes_;
  mutable std::atomic<bool> removed_ = false;
  mutable std::atomic<IndexState> index_state_ = IndexState::kUnknown;
};

// Reads blocks of any segment file, with buffers that it keeps. One thread at a time.
class BlockReader {
 public:
  BlockReader();
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;
  ~BlockReader();

  // The block as encoded; holds until the next call. kInvalid: the block is damaged.
  Result<std::string_view> Read(int fd, const BlockPlace& place);
  // The same of a block of which all bytes are given.
  Result<std::string_view> Unpack(std::string_view bytes, const BlockPlace& place);

 private:
  ZSTD_DCtx_s* context_;
  std::string stored_;
  std::string raw_;
};

}  // namespace meridian::watch
