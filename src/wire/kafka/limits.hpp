// The limits of the Kafka codec. The server limits the size of a request before it is decoded.
#pragma once

#include <cstddef>
#include <cstdint>

namespace meridian::wire::kafka {

// Records of one batch after decompression. Past it: MESSAGE_TOO_LARGE, which stops a small batch
// from taking a large part of the memory.
constexpr size_t kMaxRecordsBytes = size_t{64} * 1024 * 1024;
// Window of a zstd frame, as a power of two: the highest that zstd's levels use (128 MiB). Only
// touched pages of the window take memory, and kMaxRecordsBytes bounds these.
constexpr int kMaxZstdWindowLog = 27;

// Length of a string; longer ones are refused, as by Kafka.
constexpr size_t kMaxStringBytes = INT16_MAX;
// Memory for the arrays of one decoded message. Each element takes at least a byte of the message,
// but up to some hundred bytes of memory.
constexpr size_t kMaxArrayBytes = size_t{64} * 1024 * 1024;
// Size of an encoded frame, without the 32-bit length at its front.
constexpr size_t kMaxFrameBytes = INT32_MAX;

// A varint of 32 bits has at most 5 bytes, a varint of 64 bits at most 10.
constexpr int kMaxVarint32Bytes = 5;
constexpr int kMaxVarint64Bytes = 10;

}  // namespace meridian::wire::kafka
