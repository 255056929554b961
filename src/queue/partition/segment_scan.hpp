// SegmentScan: reads all of a segment file and finds what is not a valid batch in its place: by the
// checksum of each batch, its size, its offsets, and its leader epoch, which no checksum covers.
// Behind bad bytes it searches for the next valid batch, so that one flipped byte costs one batch.
//
//   SegmentScan scan(heavy_work, {.file = file, .path = path, .known = position, ...});
//   auto bad = co_await scan.Run();
//
// Owned by one fiber, on the loop of its partition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "queue/partition/heavy_work.hpp"
#include "queue/partition/segment.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

// Batches from `start_offset` on have this leader epoch.
struct LeaderEpochStart {
  int64_t start_offset = 0;
  int32_t epoch = 0;
};

// The leader epoch of a batch; nothing: it is not known.
std::optional<int32_t> EpochAt(const std::vector<LeaderEpochStart>& starts, int64_t base_offset);

class SegmentScan {
 public:
  struct Options {
    std::shared_ptr<io::File> file;  // null: it is missing
    SegmentPosition known;           // what is synced
    std::vector<LeaderEpochStart> epochs;
    uint64_t bytes_per_second = UINT64_MAX;
  };
  SegmentScan(HeavyWork& heavy_work, Options options)
      : heavy_work_(heavy_work), options_(std::move(options)) {}

  // In ascending order; none: all is well. kCancelled; what cannot be read is bad.
  io::Task<Result<std::vector<BadBatches>>> Run();
  uint64_t read_bytes() const { return read_bytes_; }

 private:
  // A valid batch, or what is wrong with it.
  struct Judged {
    std::optional<wire::kafka::BatchHeader> batch;
    std::optional<uint64_t> claimed_end;  // by a header that may be right
    bool overlaps = false;                // it is valid, but for offsets that the one before has
    std::string problem;
  };
  io::Task<Result<Judged>> Judge(uint64_t position, int64_t min_offset);
  Duration TimeOf(size_t bytes) const;
  io::Task<Result<Bytes>> At(uint64_t position, size_t bytes);
  io::Task<Result<uint64_t>> FindNext(uint64_t from, std::optional<uint64_t> claimed,
                                      int64_t min_offset);
  std::optional<size_t> Candidate(Bytes window, int64_t min_offset) const;
  io::Task<Result<void>> AddBad(BadBatches bad);
  uint64_t end() const { return options_.known.bytes; }

  HeavyWork& heavy_work_;
  Options options_;
  std::vector<BadBatches> bad_;
  std::vector<uint8_t> block_;
  uint64_t block_position_ = 0;
  uint64_t read_bytes_ = 0;
  std::string read_problem_;
};

}  // namespace meridian::queue
