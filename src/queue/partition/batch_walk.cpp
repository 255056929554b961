#include "queue/partition/batch_walk.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "queue/partition/limits.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {

using wire::kafka::BatchHeader;
using wire::kafka::kBatchHeaderBytes;

// The bytes at next_, as far as the block has them.
Bytes BatchWalk::HeaderInBlock() const {
  if (next_ < block_position_ || next_ >= block_position_ + block_.size()) return {};
  return Bytes(block_).subspan(next_ - block_position_);
}

io::Task<Result<void>> BatchWalk::ReadBlock() {
  block_.resize(std::min<uint64_t>(kScanBlockBytes, range_.end_position - next_));
  block_position_ = next_;
  Result<size_t> got = co_await file_->ReadAt(next_, block_);
  if (!got) co_return Fail(got.error());
  block_.resize(*got);
  co_return Result<void>{};
}

io::Task<Result<std::optional<BatchHeader>>> BatchWalk::Next() {
  if (next_ >= range_.end_position) co_return std::nullopt;
  if (HeaderInBlock().size() < kBatchHeaderBytes) {
    if (auto read = co_await ReadBlock(); !read) co_return Fail(read.error());
  }
  auto header = wire::kafka::ReadBatchHeader(HeaderInBlock());
  if (!header) {
    co_return Fail(Errc::kIo, "{}: no batch at byte {}: {}", path_, next_, header.error().message);
  }
  if (header->base_offset < min_offset_ || header->bytes > range_.end_position - next_) {
    co_return Fail(Errc::kIo, "{}: the batch at byte {} is out of place", path_, next_);
  }
  position_ = next_;
  next_ += header->bytes;
  min_offset_ = header->next_offset();
  co_return *header;
}

}  // namespace meridian::queue
