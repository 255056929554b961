// Sink: appends the integers and byte strings of Kafka's protocol to a vector that it does not own.
// Pure. The counterpart of Cursor.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/bytes.hpp"

namespace meridian::wire::kafka {

class Sink {
 public:
  explicit Sink(std::vector<uint8_t>* out) : out_(out) {}

  size_t size() const { return out_->size(); }

  void I8(int8_t value) { out_->push_back(static_cast<uint8_t>(value)); }
  void I16(int16_t value) { Fixed(value); }
  void I32(int32_t value) { Fixed(value); }
  void I64(int64_t value) { Fixed(value); }

  void Uvarint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_->push_back(static_cast<uint8_t>(value | 0x80));
    out_->push_back(static_cast<uint8_t>(value));
  }
  // Zigzag: the sign is the lowest bit.
  void Varint(int64_t value) {
    Uvarint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }

  void Append(Bytes bytes) { out_->insert(out_->end(), bytes.begin(), bytes.end()); }

 private:
  template <std::signed_integral Integer>
  void Fixed(Integer value) {
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    uint8_t bytes[sizeof(value)];
    std::memcpy(bytes, &value, sizeof(value));
    Append(bytes);
  }

  std::vector<uint8_t>* out_;
};

}  // namespace meridian::wire::kafka
