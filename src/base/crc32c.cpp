#include "base/crc32c.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"

namespace meridian {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected
constexpr size_t kSlices = 8;
using Tables = std::array<std::array<uint32_t, 256>, kSlices>;

// Slicing by eight (Kounavis and Berry 2005): table[k][b] is the CRC of b followed by k zeros.
constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t slice = 1; slice < kSlices; ++slice) {
    for (size_t byte = 0; byte < 256; ++byte) {
      uint32_t shorter = tables[slice - 1][byte];
      tables[slice][byte] = (shorter >> 8) ^ tables[0][shorter & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

uint32_t AddByte(uint32_t crc, uint8_t byte) {
  return (crc >> 8) ^ kTables[0][(crc ^ byte) & 0xff];
}

#if defined(__x86_64__)

bool ProcessorHasCrc32c() { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) uint32_t ProcessorCrc32c(Bytes data, uint32_t so_far) {
  uint64_t crc = ~so_far;
  const uint8_t* next = data.data();
  size_t left = data.size();
  for (; left >= 8; left -= 8, next += 8) {
    uint64_t word = 0;
    std::memcpy(&word, next, 8);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  auto narrow = static_cast<uint32_t>(crc);
  for (; left > 0; --left, ++next) narrow = __builtin_ia32_crc32qi(narrow, *next);
  return ~narrow;
}

#else

bool ProcessorHasCrc32c() { return false; }
uint32_t ProcessorCrc32c(Bytes data, uint32_t so_far) {
  return internal::PortableCrc32c(data, so_far);
}

#endif

}  // namespace

uint32_t internal::PortableCrc32c(Bytes data, uint32_t so_far) {
  uint32_t crc = ~so_far;
  const uint8_t* next = data.data();
  size_t left = data.size();
  for (; left >= kSlices; left -= kSlices, next += kSlices) {
    uint32_t sum = 0;
    for (size_t i = 0; i < kSlices; ++i) {
      uint32_t byte = next[i] ^ (i < 4 ? (crc >> (8 * i)) & 0xff : 0);
      sum ^= kTables[kSlices - 1 - i][byte];
    }
    crc = sum;
  }
  for (; left > 0; --left, ++next) crc = AddByte(crc, *next);
  return ~crc;
}

uint32_t Crc32c(Bytes data, uint32_t so_far) {
  static const bool kByProcessor = ProcessorHasCrc32c();
  return kByProcessor ? ProcessorCrc32c(data, so_far) : internal::PortableCrc32c(data, so_far);
}

}  // namespace meridian
