#include "base/bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "base/check.hpp"

namespace meridian {

constexpr size_t kMinCapacity = 1024;

void ByteWriter::Append(Bytes data) {
  if (!ok_ || data.size() > remaining()) {
    ok_ = false;
    return;
  }
  std::copy(data.begin(), data.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(offset_));
  offset_ += data.size();
}

void ByteWriter::BigEndian(uint64_t value, size_t width) {
  if (!ok_ || width > remaining()) {
    ok_ = false;
    return;
  }
  for (size_t i = 0; i < width; ++i) {
    bytes_[offset_ + i] = static_cast<uint8_t>(value >> (8 * (width - 1 - i)));
  }
  offset_ += width;
}

MutableBytes Buffer::MakeSpace(size_t wanted) {
  wanted = std::min(wanted, limit_ - size());
  if (capacity_ - end_ < wanted) {
    size_t used = size();
    if (capacity_ >= used + wanted) {
      std::memmove(data_.get(), data_.get() + begin_, used);
    } else {
      size_t grown = std::max({kMinCapacity, capacity_ * 2, used + wanted});
      grown = std::min(grown, std::max(limit_, kMinCapacity));
      auto data = std::make_unique_for_overwrite<uint8_t[]>(grown);
      if (used > 0) std::memcpy(data.get(), data_.get() + begin_, used);
      data_ = std::move(data);
      capacity_ = grown;
    }
    begin_ = 0;
    end_ = used;
  }
  return {data_.get() + end_, wanted};
}

bool Buffer::Append(Bytes data) {
  if (data.empty()) return true;
  if (data.size() > limit_ - size()) return false;
  MutableBytes space = Prepare(data.size());
  std::memcpy(space.data(), data.data(), data.size());
  Commit(data.size());
  return true;
}

void Buffer::Consume(size_t count) {
  CHECK(count <= size());
  begin_ += count;
  if (begin_ == end_) begin_ = end_ = 0;
}

void Buffer::Truncate(size_t size) {
  CHECK(size <= this->size());
  end_ = begin_ + size;
  if (begin_ == end_) begin_ = end_ = 0;
}

void Buffer::ReleaseIfEmpty() {
  if (!empty()) return;
  data_.reset();
  capacity_ = 0;
}

}  // namespace meridian
