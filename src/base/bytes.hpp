// Bytes in memory: big-endian loads and stores, a bounded reader and writer for binary codecs, and
// the growable Buffer between a socket and a codec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/check.hpp"

namespace meridian {

using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

inline Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads big-endian integers from the front of a span. After a read past the end `ok()` is false,
// every further read gives zero, and nothing outside the span was touched.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  size_t offset() const { return offset_; }
  size_t remaining() const { return bytes_.size() - offset_; }

  uint8_t U8() { return static_cast<uint8_t>(BigEndian(1)); }
  uint16_t U16() { return static_cast<uint16_t>(BigEndian(2)); }
  uint32_t U32() { return static_cast<uint32_t>(BigEndian(4)); }
  uint64_t U64() { return BigEndian(8); }

  // The next `count` bytes as a view; empty when fewer remain.
  Bytes Take(size_t count) {
    if (!Has(count)) return {};
    Bytes taken = bytes_.subspan(offset_, count);
    offset_ += count;
    return taken;
  }
  void Skip(size_t count) { (void)Take(count); }

 private:
  bool Has(size_t count) {
    if (!ok_ || count > remaining()) ok_ = false;
    return ok_;
  }
  uint64_t BigEndian(size_t width) {
    if (!Has(width)) return 0;
    uint64_t value = 0;
    for (size_t i = 0; i < width; ++i) value = value << 8 | bytes_[offset_ + i];
    offset_ += width;
    return value;
  }

  Bytes bytes_;
  size_t offset_ = 0;
  bool ok_ = true;
};

// Writes big-endian integers into a span of fixed size. After a write past the end `ok()` is false
// and the span holds what fitted before it.
class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  size_t size() const { return offset_; }
  size_t remaining() const { return bytes_.size() - offset_; }
  Bytes written() const { return bytes_.first(offset_); }

  void U8(uint8_t value) { BigEndian(value, 1); }
  void U16(uint16_t value) { BigEndian(value, 2); }
  void U32(uint32_t value) { BigEndian(value, 4); }
  void U64(uint64_t value) { BigEndian(value, 8); }
  void Append(Bytes data);

  // Overwrites two written bytes at `offset`, for lengths that are known only later.
  void PatchU16(size_t offset, uint16_t value) {
    CHECK(offset + 2 <= offset_);
    bytes_[offset] = static_cast<uint8_t>(value >> 8);
    bytes_[offset + 1] = static_cast<uint8_t>(value);
  }

  // Drops all bytes after the first `size` (a record that did not fit) and resets ok().
  void Truncate(size_t size) {
    CHECK(size <= offset_);
    offset_ = size;
    ok_ = true;
  }

 private:
  void BigEndian(uint64_t value, size_t width);

  MutableBytes bytes_;
  size_t offset_ = 0;
  bool ok_ = true;
};

// A contiguous queue of bytes: written at the back, consumed at the front. Owned by one connection.
// It grows by doubling up to `limit` bytes and never past it; views from `readable()` hold until
// the next Prepare or Consume. No byte is initialised before it is written.
class Buffer {
 public:
  explicit Buffer(size_t limit) : limit_(limit) {}

  Bytes readable() const { return {data_.get() + begin_, end_ - begin_}; }
  std::string_view text() const { return AsText(readable()); }
  size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  size_t limit() const { return limit_; }
  size_t capacity() const { return capacity_; }
  bool full() const { return size() == limit_; }

  // Space for `wanted` bytes at the back, or for as many as the limit leaves (perhaps none).
  MutableBytes Prepare(size_t wanted) {
    if (wanted > limit_ - size() || wanted > capacity_ - end_) return MakeSpace(wanted);
    return {data_.get() + end_, wanted};
  }
  // Makes the first `count` prepared bytes readable.
  void Commit(size_t count) {
    CHECK(count <= capacity_ - end_);
    end_ += count;
  }
  // Appends all of `data`. False: the limit does not allow it, and nothing was appended.
  [[nodiscard]] bool Append(Bytes data);
  [[nodiscard]] bool Append(std::string_view data) { return Append(AsBytes(data)); }
  // Drops `count` bytes from the front.
  void Consume(size_t count);
  // Drops all bytes after the first `size` readable ones (a message that did not fit).
  void Truncate(size_t size);
  // Frees the memory when the buffer is empty, so that an idle connection holds none.
  void ReleaseIfEmpty();

 private:
  MutableBytes MakeSpace(size_t wanted);

  std::unique_ptr<uint8_t[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t limit_;
};

}  // namespace meridian
