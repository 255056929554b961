// BatchWalk: goes over the batch headers of a segment file, in order. Reads blocks, so that small
// batches share one. Owned by one fiber, on the loop of its partition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

class BatchWalk {
 public:
  // A batch begins at `position`, another one ends at `end_position`. `path` is for messages.
  struct Range {
    uint64_t position = 0;
    uint64_t end_position = 0;
  };
  BatchWalk(std::shared_ptr<io::File> file, std::string path, Range range)
      : file_(std::move(file)), path_(std::move(path)), next_(range.position), range_(range) {}

  // The header of the next batch; nothing at the end of the range. kIo: there is no batch, or it is
  // not behind the one before, or does not end in the range: the file is damaged.
  io::Task<Result<std::optional<wire::kafka::BatchHeader>>> Next();
  // Where the batch that Next returned begins.
  uint64_t position() const { return position_; }

 private:
  Bytes HeaderInBlock() const;
  io::Task<Result<void>> ReadBlock();

  std::shared_ptr<io::File> file_;
  std::string path_;
  uint64_t position_ = 0;
  uint64_t next_;
  Range range_;
  int64_t min_offset_ = 0;  // of the next batch
  std::vector<uint8_t> block_;
  uint64_t block_position_ = 0;
};

}  // namespace meridian::queue
