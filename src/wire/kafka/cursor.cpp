#include "wire/kafka/cursor.hpp"

#include <cstdint>

namespace meridian::wire::kafka {

uint64_t Cursor::LongVarint(int max_bytes, uint64_t max_value) {
  uint64_t value = 0;
  for (int i = 0; i < max_bytes && next_ < end_; ++i) {
    uint64_t bits = *next_ & 0x7f;
    int shift = 7 * i;
    if (bits > max_value >> shift) break;  // more bits than the integer has
    value |= bits << shift;
    if (*next_++ < 0x80) return value;
  }
  Stop();
  return 0;
}

}  // namespace meridian::wire::kafka
