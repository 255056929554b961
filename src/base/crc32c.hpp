// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of what is stored and mirrored. By
// SSE4.2 where the processor has it. Any thread. Not against somebody who forges data.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace meridian {

// The CRC of what `so_far` is the CRC of, followed by `data`.
uint32_t Crc32c(Bytes data, uint32_t so_far = 0);

namespace internal {

// For tests: the same without the processor's help.
uint32_t PortableCrc32c(Bytes data, uint32_t so_far);

}  // namespace internal

}  // namespace meridian
