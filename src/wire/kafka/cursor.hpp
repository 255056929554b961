// Cursor: reads the integers and byte strings of Kafka's protocol from the front of bytes that it
// does not own. After a read past the end, or of a malformed varint, ok() is false and every
// further read gives zero or nothing. Nothing outside of the bytes is touched. Pure; reads allocate
// nothing.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"
#include "wire/kafka/limits.hpp"

namespace meridian::wire::kafka {

class Cursor {
 public:
  explicit Cursor(Bytes bytes) : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  size_t remaining() const { return static_cast<size_t>(end_ - next_); }
  const uint8_t* position() const { return next_; }

  int8_t I8() { return Fixed<int8_t>(); }
  int16_t I16() { return Fixed<int16_t>(); }
  int32_t I32() { return Fixed<int32_t>(); }
  int64_t I64() { return Fixed<int64_t>(); }

  // Unsigned varint: seven bits in each byte, the lowest first.
  uint32_t Uvarint() {
    if (next_ < end_ && *next_ < 0x80) return *next_++;
    return static_cast<uint32_t>(LongVarint(kMaxVarint32Bytes, UINT32_MAX));
  }
  // Zigzag varints, as in records.
  int32_t Varint32() {
    uint32_t value = Uvarint();
    return static_cast<int32_t>(value >> 1) ^ -static_cast<int32_t>(value & 1);
  }
  int64_t Varint64() {
    uint64_t value =
        next_ < end_ && *next_ < 0x80 ? *next_++ : LongVarint(kMaxVarint64Bytes, UINT64_MAX);
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }

  // The next `count` bytes as a view; empty when fewer remain.
  Bytes Take(size_t count) {
    if (!ok_ || count > remaining()) return Stop();
    Bytes taken(next_, count);
    next_ += count;
    return taken;
  }

 private:
  template <std::signed_integral Integer>
  Integer Fixed() {
    if (remaining() < sizeof(Integer)) {
      Stop();
      return 0;
    }
    Integer value = 0;
    std::memcpy(&value, next_, sizeof(value));
    next_ += sizeof(value);
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    return value;
  }

  uint64_t LongVarint(int max_bytes, uint64_t max_value);

  // After the first failure nothing remains, so that every further read fails too.
  Bytes Stop() {
    ok_ = false;
    next_ = end_;
    return {};
  }

  const uint8_t* next_;
  const uint8_t* end_;
  bool ok_ = true;
};

}  // namespace meridian::wire::kafka
