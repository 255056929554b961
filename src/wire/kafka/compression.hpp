// The codecs of record batches: gzip, snappy (raw, and in the frames of xerial's snappy-java, which
// Java clients write), LZ4 frames and zstd frames. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meridian::wire::kafka {

// The codec of a batch: the lowest three bits of its attributes. 5 to 7 name no codec.
enum class Codec : uint8_t { kNone, kGzip, kSnappy, kLz4, kZstd };

// "none", "gzip", …, as in the option compression.type. "unknown" for 5 to 7.
std::string_view CodecName(Codec codec);

// Appends the decompressed bytes to `out`. kInvalid: the input is malformed, ends early, or is of
// an unknown codec. kTooLarge: they do not stay below out->limit().
Result<> Decompress(Codec codec, Bytes input, Buffer* out);

// Appends the compressed bytes to `out`, at the codec's usual level.
Result<> Compress(Codec codec, Bytes input, std::vector<uint8_t>* out);

}  // namespace meridian::wire::kafka
