// The chunked transfer coding (RFC 9112 7.1), both directions. Pure, no copy of body bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "wire/http/limits.hpp"
#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::wire::http {

// Takes a chunked body apart as it arrives. One body, one owner.
//
//   while (true) {
//     ChunkedDecoder::Step step = decoder.Feed(buffer.text());
//     use step.data;                    // a view into the buffer
//     buffer.Consume(step.consumed);    // always, also at the end
//     if (step.state != kNeedMore) break;
//     if (step.consumed == 0) read more into the buffer;
//   }
class ChunkedDecoder {
 public:
  enum class State : uint8_t {
    kNeedMore,  // the body goes on
    kDone,      // the body and its trailers are complete; bytes after `consumed` are not ours
    kError,     // the rest of the connection cannot be understood
  };
  struct Step {
    State state = State::kNeedMore;
    ParseError error = {};  // when kError
    size_t consumed = 0;    // bytes of the input to drop, with `data` and what frames it
    std::string_view data;  // body bytes, among the consumed ones; also beside kDone and kError
  };

  ChunkedDecoder() = default;
  ChunkedDecoder(const ChunkedDecoder&) = delete;  // trailers are views into it
  ChunkedDecoder& operator=(const ChunkedDecoder&) = delete;

  // Decodes the first run of body bytes in `input` and what frames it, so that the end of the body
  // is known together with the last of it. Where the input is split shows in how the data is split,
  // and in nothing else.
  Step Feed(std::string_view input);

  // After kDone: the trailer fields, views into this decoder, without those that RFC 9110 6.5.1
  // bars from trailers (framing, routing, authentication, caching, ...): these are dropped.
  const HeaderFields& trailers() const { return trailers_; }

  // For the next body.
  void Reset();

 private:
  enum class Position : uint8_t {
    kSize,
    kBeforeExtension,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailer,
    kEnd
  };

  std::optional<ParseError> Frame(char c);
  std::optional<ParseError> SizeChar(char c);
  std::optional<ParseError> ExtensionChar(char c);
  std::optional<ParseError> TrailerChar(char c);
  std::optional<ParseError> ParseTrailers();

  Position position_ = Position::kSize;
  uint64_t left_ = 0;      // of the chunk: its size so far, then its bytes still to come
  size_t digits_ = 0;      // of the chunk size
  size_t extension_ = 0;   // bytes of this chunk's extension
  size_t extensions_ = 0;  // bytes of all extensions of the body
  std::string trailer_text_;
  HeaderFields trailers_;
};

// True when a field may stand in trailers (RFC 9110 6.5.1).
bool AllowedInTrailers(std::string_view name);

// "HEX\r\n", in front of `size` bytes of data; the chunk ends with kChunkEnd. `size` > 0: a chunk
// of no bytes would end the body.
class ChunkHeader {
 public:
  explicit ChunkHeader(uint64_t size);
  std::string_view text() const { return {text_.data() + begin_, text_.size() - begin_}; }

 private:
  std::array<char, 18> text_;
  size_t begin_;
};

constexpr std::string_view kChunkEnd = "\r\n";

// Writes the end of a chunked body, "0\r\n", trailers and the empty line, to `out`. Trailers that
// AllowedInTrailers bars are left out. False, and nothing written, when a name or value cannot be
// written (see HeadWriter) or the buffer's limit is reached.
[[nodiscard]] bool WriteLastChunk(FieldsView trailers, Buffer* out);

}  // namespace meridian::wire::http
