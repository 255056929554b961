#include "wire/kafka/compression.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <memory>
#include <string_view>
#include <vector>

#include <lz4frame.h>
#include <snappy-c.h>
#include <zconf.h>
#include <zlib.h>
#include <zstd.h>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/kafka/cursor.hpp"
#include "wire/kafka/limits.hpp"
#include "wire/kafka/sink.hpp"

namespace meridian::wire::kafka {
namespace {

// Space that is asked for at once while the size of the output is unknown.
constexpr size_t kOutputStepBytes = size_t{64} * 1024;
constexpr int kGzipWindow = 15 + 16;  // the largest window; 16: a gzip header and trailer
constexpr int kGzipMemoryLevel = 8;   // zlib's default
// snappy-java's frame (SnappyCodec): magic, version 1, and 1 as the lowest version that can read
// it. Then blocks: a 32-bit length and so many bytes of raw snappy.
constexpr std::array<uint8_t, 16> kXerialHeader = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0,
                                                   0,    0,   0,   1,   0,   0,   0,   1};
constexpr size_t kXerialMagicBytes = 8;
constexpr size_t kXerialBlockBytes = size_t{32} * 1024;

std::unexpected<Error> Malformed(Codec codec) {
  return Fail(Errc::kInvalid, "malformed {} data in a record batch", CodecName(codec));
}

std::unexpected<Error> TooLarge(const Buffer& out) {
  return Fail(Errc::kTooLarge, "the records of a batch have more than {} bytes", out.limit());
}

Result<> Gunzip(Bytes input, Buffer* out) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return Malformed(Codec::kGzip);
  std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &inflateEnd);
  stream.next_in = const_cast<uint8_t*>(input.data());  // zlib does not write to it
  stream.avail_in = static_cast<uInt>(input.size());
  while (true) {
    MutableBytes space = out->Prepare(kOutputStepBytes);
    if (space.empty()) return TooLarge(*out);
    stream.next_out = space.data();
    stream.avail_out = static_cast<uInt>(space.size());
    int status = inflate(&stream, Z_NO_FLUSH);
    out->Commit(space.size() - stream.avail_out);
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) return {};
      if (inflateReset(&stream) != Z_OK)
        return Malformed(Codec::kGzip);  // a further member follows
    } else if (status != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0)) {
      return Malformed(Codec::kGzip);
    }
  }
}

Result<> UnsnapBlock(Bytes input, Buffer* out) {
  const auto* compressed = reinterpret_cast<const char*>(input.data());
  size_t size = 0;
  if (snappy_uncompressed_length(compressed, input.size(), &size) != SNAPPY_OK) {
    return Malformed(Codec::kSnappy);
  }
  MutableBytes space = out->Prepare(size);
  if (space.size() < size) return TooLarge(*out);
  if (snappy_uncompress(compressed, input.size(), reinterpret_cast<char*>(space.data()), &size) !=
      SNAPPY_OK) {
    return Malformed(Codec::kSnappy);
  }
  out->Commit(size);
  return {};
}

bool IsXerial(Bytes input) {
  return input.size() >= kXerialHeader.size() &&
         std::memcmp(input.data(), kXerialHeader.data(), kXerialMagicBytes) == 0;
}

Result<> Unsnap(Bytes input, Buffer* out) {
  if (!IsXerial(input)) return UnsnapBlock(input, out);
  Cursor cursor(input.subspan(kXerialHeader.size()));
  while (cursor.remaining() > 0) {
    int32_t bytes = cursor.I32();
    Bytes block = bytes > 0 ? cursor.Take(static_cast<size_t>(bytes)) : Bytes{};
    if (!cursor.ok() || block.empty()) return Malformed(Codec::kSnappy);
    if (auto done = UnsnapBlock(block, out); !done) return done;
  }
  return {};
}

Result<> Unlz4(Bytes input, Buffer* out) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) {
    return Malformed(Codec::kLz4);
  }
  std::unique_ptr<LZ4F_dctx, LZ4F_errorCode_t (*)(LZ4F_dctx*)> owner(
      context, &LZ4F_freeDecompressionContext);
  while (true) {
    MutableBytes space = out->Prepare(kOutputStepBytes);
    if (space.empty()) return TooLarge(*out);
    size_t written = space.size();
    size_t read = input.size();
    size_t hint = LZ4F_decompress(context, space.data(), &written, input.data(), &read, nullptr);
    if (LZ4F_isError(hint) != 0) return Malformed(Codec::kLz4);
    out->Commit(written);
    input = input.subspan(read);
    if (hint == 0 && input.empty()) return {};  // the frame is complete
    if (read == 0 && written == 0) return Malformed(Codec::kLz4);
  }
}

Result<> Unzstd(Bytes input, Buffer* out) {
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  if (context == nullptr) return Malformed(Codec::kZstd);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kMaxZstdWindowLog);
  ZSTD_inBuffer in{.src = input.data(), .size = input.size(), .pos = 0};
  while (true) {
    MutableBytes space = out->Prepare(kOutputStepBytes);
    if (space.empty()) return TooLarge(*out);
    ZSTD_outBuffer decompressed{.dst = space.data(), .size = space.size(), .pos = 0};
    size_t read_before = in.pos;
    size_t hint = ZSTD_decompressStream(context.get(), &decompressed, &in);
    if (ZSTD_isError(hint) != 0) return Malformed(Codec::kZstd);
    out->Commit(decompressed.pos);
    if (hint == 0 && in.pos == in.size) return {};  // the frame is complete
    if (in.pos == read_before && decompressed.pos == 0) return Malformed(Codec::kZstd);
  }
}

Result<> Gzip(Bytes input, std::vector<uint8_t>* out) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kGzipMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return Fail(Errc::kUnavailable, "zlib cannot start");
  }
  std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &deflateEnd);
  size_t before = out->size();
  out->resize(before + deflateBound(&stream, input.size()));
  stream.next_in = const_cast<uint8_t*>(input.data());  // zlib does not write to it
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = out->data() + before;
  stream.avail_out = static_cast<uInt>(out->size() - before);
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return Fail(Errc::kIo, "zlib cannot compress");
  out->resize(before + stream.total_out);
  return {};
}

Result<> Snap(Bytes input, std::vector<uint8_t>* out) {
  Sink sink(out);
  sink.Append(kXerialHeader);
  for (; !input.empty(); input = input.subspan(std::min(input.size(), kXerialBlockBytes))) {
    Bytes block = input.first(std::min(input.size(), kXerialBlockBytes));
    std::vector<char> compressed(snappy_max_compressed_length(block.size()));
    size_t size = compressed.size();
    if (snappy_compress(reinterpret_cast<const char*>(block.data()), block.size(),
                        compressed.data(), &size) != SNAPPY_OK) {
      return Fail(Errc::kIo, "snappy cannot compress");
    }
    sink.I32(static_cast<int32_t>(size));
    sink.Append(AsBytes(std::string_view(compressed.data(), size)));
  }
  return {};
}

Result<> Lz4(Bytes input, std::vector<uint8_t>* out) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;  // Java clients read no other
  size_t before = out->size();
  out->resize(before + LZ4F_compressFrameBound(input.size(), &preferences));
  size_t size = LZ4F_compressFrame(out->data() + before, out->size() - before, input.data(),
                                   input.size(), &preferences);
  if (LZ4F_isError(size) != 0) return Fail(Errc::kIo, "lz4 cannot compress");
  out->resize(before + size);
  return {};
}

Result<> Zstd(Bytes input, std::vector<uint8_t>* out) {
  size_t before = out->size();
  out->resize(before + ZSTD_compressBound(input.size()));
  size_t size = ZSTD_compress(out->data() + before, out->size() - before, input.data(),
                              input.size(), ZSTD_CLEVEL_DEFAULT);
  if (ZSTD_isError(size) != 0) return Fail(Errc::kIo, "zstd cannot compress");
  out->resize(before + size);
  return {};
}

}  // namespace

std::string_view CodecName(Codec codec) {
  switch (codec) {
    case Codec::kNone:
      return "none";
    case Codec::kGzip:
      return "gzip";
    case Codec::kSnappy:
      return "snappy";
    case Codec::kLz4:
      return "lz4";
    case Codec::kZstd:
      return "zstd";
  }
  return "unknown";
}

Result<> Decompress(Codec codec, Bytes input, Buffer* out) {
  switch (codec) {
    case Codec::kNone:
      if (!out->Append(input)) return TooLarge(*out);
      return {};
    case Codec::kGzip:
      return Gunzip(input, out);
    case Codec::kSnappy:
      return Unsnap(input, out);
    case Codec::kLz4:
      return Unlz4(input, out);
    case Codec::kZstd:
      return Unzstd(input, out);
  }
  return Fail(Errc::kInvalid, "unknown codec {}", static_cast<int>(codec));
}

Result<> Compress(Codec codec, Bytes input, std::vector<uint8_t>* out) {
  switch (codec) {
    case Codec::kNone:
      out->insert(out->end(), input.begin(), input.end());
      return {};
    case Codec::kGzip:
      return Gzip(input, out);
    case Codec::kSnappy:
      return Snap(input, out);
    case Codec::kLz4:
      return Lz4(input, out);
    case Codec::kZstd:
      return Zstd(input, out);
  }
  return Fail(Errc::kInvalid, "unknown codec {}", static_cast<int>(codec));
}

}  // namespace meridian::wire::kafka
