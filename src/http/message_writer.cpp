#include "http/message_writer.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "http/limits.hpp"
#include "io/task.hpp"
#include "wire/http/chunked.hpp"
#include "wire/http/limits.hpp"
#include "wire/http/message.hpp"

namespace meridian::http {
namespace {

using Kind = wire::http::BodyFraming::Kind;

constexpr std::string_view kPlainLastChunk = "0\r\n\r\n";

// The pieces of one write: head, chunk header, data, end of chunk, last chunk.
class Pieces {
 public:
  void Add(Bytes piece) {
    if (piece.empty()) return;
    pieces_[count_++] = piece;
    bytes_ += piece.size();
  }
  std::span<const Bytes> span() const { return {pieces_.data(), count_}; }
  size_t bytes() const { return bytes_; }

 private:
  std::array<Bytes, 5> pieces_;
  size_t count_ = 0;
  size_t bytes_ = 0;
};

}  // namespace

void MessageWriter::BeginBody(wire::http::BodyFraming framing) {
  framing_ = framing;
  left_ = framing.length;
  complete_ = false;
}

Result<void> MessageWriter::Account(size_t size, bool last) {
  if (failed_) return Fail(Errc::kClosed, "an earlier write failed");
  if (framing_.kind != Kind::kContentLength) return {};
  if (size > left_ || (last && size < left_)) {
    failed_ = true;
    return Fail(Errc::kInvalid, "the body has another length than was announced");
  }
  left_ -= size;
  return {};
}

io::Task<Result<void>> MessageWriter::Emit(Bytes data, bool last, wire::http::FieldsView trailers) {
  if (framing_.kind == Kind::kNone) data = {};
  Result<void> accounted = Account(data.size(), last);
  if (!accounted) co_return accounted;
  const bool chunked = framing_.kind == Kind::kChunked;
  Buffer written_trailers(wire::http::kMaxTrailerBytes);
  Bytes end = AsBytes(chunked && last ? kPlainLastChunk : std::string_view{});
  if (!end.empty() && !trailers.empty()) {
    if (!wire::http::WriteLastChunk(trailers, &written_trailers)) {
      failed_ = true;
      co_return Fail(Errc::kInvalid, "the trailers cannot be written");
    }
    end = written_trailers.readable();
  }
  do {
    Bytes slice = data.first(std::min(data.size(), kWriteSliceBytes));
    data = data.subspan(slice.size());
    wire::http::ChunkHeader chunk(std::max<size_t>(slice.size(), 1));
    Pieces pieces;
    pieces.Add(head_.readable());
    if (chunked && !slice.empty()) pieces.Add(AsBytes(chunk.text()));
    pieces.Add(slice);
    if (chunked && !slice.empty()) pieces.Add(AsBytes(wire::http::kChunkEnd));
    if (data.empty()) pieces.Add(end);
    if (pieces.bytes() == 0) break;
    Result<void> written = co_await stream_.Write(pieces.span(), loop_.After(timeout_));
    if (!written) {
      failed_ = true;
      co_return written;
    }
    sent_bytes_ += pieces.bytes();
    head_.Consume(head_.size());
  } while (!data.empty());
  if (last) complete_ = true;
  co_return Result<void>{};
}

}  // namespace meridian::http
