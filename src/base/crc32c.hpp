// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of stored and mirrored data. Uses
// SSE4.2 where the processor has it. It does not protect against deliberate forgery. Any thread.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace meridian {

// The CRC of `data` appended to the bytes whose CRC is `so_far`.
uint32_t Crc32c(Bytes data, uint32_t so_far = 0);

namespace internal {

// For tests: the implementation without SSE4.2.
uint32_t PortableCrc32c(Bytes data, uint32_t so_far);

}  // namespace internal

}  // namespace meridian
