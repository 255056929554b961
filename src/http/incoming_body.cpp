#include "http/incoming_body.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/limits.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "wire/http/chunked.hpp"
#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::http {

using Kind = wire::http::BodyFraming::Kind;

MutableBytes SpaceToRead(Buffer& in, size_t wanted) {
  size_t left = std::max(in.capacity(), wanted) - in.size();
  return in.Prepare(left > 0 ? left : wanted);
}

size_t IncomingLimit(size_t max_head_bytes) {
  return std::max(std::max(max_head_bytes, kReadBytes) + kReadBytes, kFastReadBytes);
}

void EndIncoming(Buffer& in) {
  in.Truncate(0);
  if (in.capacity() >= kFastReadBytes) in.ReleaseIfEmpty();
}

void IncomingBody::Begin(wire::http::BodyFraming framing, uint64_t max_bytes) {
  framing_ = framing;
  max_bytes_ = max_bytes;
  received_ = 0;
  given_ = 0;
  ended_ = !framing.has_body();
  fast_ = false;
  parse_error_.reset();
  decoder_.Reset();
}

void IncomingBody::Settle(Buffer& in) {
  in.Consume(given_);
  given_ = 0;
}

bool IncomingBody::EndsWithin(uint64_t bytes, const Buffer& in) const {
  if (ended_) return true;
  if (framing_.kind == Kind::kContentLength) return framing_.length - received_ <= bytes;
  const bool begun = received_ > 0 || given_ > 0;
  if (framing_.kind != Kind::kChunked || begun || in.size() > bytes) return false;
  using State = wire::http::ChunkedDecoder::State;
  wire::http::ChunkedDecoder ahead;
  std::string_view text = in.text();
  while (!text.empty()) {
    const wire::http::ChunkedDecoder::Step step = ahead.Feed(text);
    if (step.state != State::kNeedMore) return step.state == State::kDone;
    text.remove_prefix(step.consumed);
  }
  return false;
}

Result<Bytes> IncomingBody::Take(Buffer& in) {
  Settle(in);
  if (ended_ || in.empty()) return Bytes{};
  switch (framing_.kind) {
    case Kind::kNone:
      return Bytes{};
    case Kind::kContentLength: {
      Bytes data = in.readable();
      uint64_t left = framing_.length - received_;
      if (data.size() > left) data = data.first(static_cast<size_t>(left));
      ended_ = data.size() == left;
      given_ = data.size();
      return Give(data);
    }
    case Kind::kChunked:
      return TakeChunked(in);
    case Kind::kUntilClose:
      given_ = in.size();
      return Give(in.readable());
  }
  return Bytes{};
}

Result<Bytes> IncomingBody::TakeChunked(Buffer& in) {
  using State = wire::http::ChunkedDecoder::State;
  wire::http::ChunkedDecoder::Step step = decoder_.Feed(in.text());
  given_ = step.consumed;
  if (step.state == State::kError) {
    parse_error_ = step.error;
    bool too_large = StatusOf(step.error) != 400;
    return Fail(too_large ? Errc::kTooLarge : Errc::kInvalid, "body: {}", Describe(step.error));
  }
  ended_ = step.state == State::kDone;
  return Give(AsBytes(step.data));
}

Result<Bytes> IncomingBody::Give(Bytes data) {
  received_ += data.size();
  if (received_ > max_bytes_) {
    parse_error_ = wire::http::ParseError::kChunkTooLarge;
    return Fail(Errc::kTooLarge, "the body is larger than {} bytes", max_bytes_);
  }
  return data;
}

io::Task<Result<Bytes>> IncomingBody::Next(io::Loop& loop, io::Stream& stream, Buffer& in,
                                           Duration timeout) {
  TimePoint deadline = loop.After(timeout);
  for (;;) {
    Result<Bytes> data = Take(in);
    if (!data || !data->empty() || ended_) co_return data;
    Settle(in);
    MutableBytes space = SpaceToRead(in, fast_ ? kFastReadBytes : kReadBytes);
    Result<size_t> got = co_await stream.Read(space, deadline);
    if (!got) co_return Fail(std::move(got.error()));
    in.Commit(*got);
    fast_ = *got == space.size();
    if (*got > 0) continue;
    if (framing_.kind != Kind::kUntilClose) {
      co_return Fail(Errc::kReset, "the connection ended before the body");
    }
    ended_ = true;
  }
}

}  // namespace meridian::http
