// Packed integers and texts, as in the journal's records and in snapshot items: LEB128 varints,
// zigzag for signed ones, texts with their length in front. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace meridian::queue {

class PackedWriter {
 public:
  void U8(uint8_t value) { bytes_.push_back(value); }
  void Unsigned(uint64_t value) {
    for (; value >= 0x80; value >>= 7) U8(static_cast<uint8_t>(value | 0x80));
    U8(static_cast<uint8_t>(value));
  }
  void Signed(int64_t value) {
    Unsigned((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
  }
  void Raw(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void Text(std::string_view text) {
    Unsigned(text.size());
    Raw(AsBytes(text));
  }

  size_t size() const { return bytes_.size(); }
  std::vector<uint8_t> Take() { return std::exchange(bytes_, {}); }

 private:
  std::vector<uint8_t> bytes_;
};

// After a read that does not fit, `ok()` is false and every further read gives zero or nothing.
class PackedReader {
 public:
  explicit PackedReader(Bytes bytes) : bytes_(bytes) {}

  bool ok() const { return bytes_.ok(); }
  // All was read, and nothing is left.
  bool at_end() const { return bytes_.ok() && bytes_.remaining() == 0; }
  size_t remaining() const { return bytes_.remaining(); }

  uint8_t U8() { return bytes_.U8(); }
  uint64_t Unsigned() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      uint8_t byte = bytes_.U8();
      // The tenth byte has room for one bit.
      if (shift == 63 && byte > 1) break;
      value |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    return Spoil();
  }
  int64_t Signed() {
    uint64_t value = Unsigned();
    return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }
  // At most `max`.
  uint64_t Bounded(uint64_t max) {
    uint64_t value = Unsigned();
    return value <= max ? value : Spoil();
  }
  // A count of things that take at least `min_bytes` each, so that it is bounded by what is left.
  size_t Count(size_t min_bytes) { return Bounded(bytes_.remaining() / min_bytes); }
  Bytes Raw(size_t count) { return bytes_.Take(count); }
  std::string Text(size_t max_bytes) {
    return std::string(AsText(bytes_.Take(Bounded(max_bytes))));
  }
  Bytes Rest() { return bytes_.Take(bytes_.remaining()); }

 private:
  uint64_t Spoil() {
    bytes_.Skip(bytes_.remaining() + 1);
    return 0;
  }

  ByteReader bytes_;
};

}  // namespace meridian::queue
