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

// Decodes a chunked body as it arrives. One body, one owner.
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
    kDone,      // the body and its trailers are complete; bytes after `consumed` belong to the next
                // message
    kError,     // the rest of the connection cannot be parsed
  };
  struct Step {
    State state = State::kNeedMore;
    ParseError error = {};  // when kError
    size_t consumed = 0;    // bytes of the input to drop: `data` and its framing
    std::string_view
        data;  // body bytes, within the consumed bytes; may be set with kDone and kError too
  };

  ChunkedDecoder() = default;
  ChunkedDecoder(const ChunkedDecoder&) = delete;  // trailers are views into this object
  ChunkedDecoder& operator=(const ChunkedDecoder&) = delete;

  // Decodes the first run of body bytes in `input` and its framing, so that the end of the body is
  // reported together with the last bytes. How the input is split affects only how the data is
  // split.
  Step Feed(std::string_view input);

  // After kDone: the trailer fields, as views into this decoder, without those that RFC 9110 6.5.1
  // excludes from trailers (framing, routing, authentication, caching, ...).
  const HeaderFields& trailers() const { return trailers_; }

  // Prepares for the next body.
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
  uint64_t left_ = 0;      // of the chunk: its size so far, then its remaining bytes
  size_t digits_ = 0;      // of the chunk size
  size_t extension_ = 0;   // bytes of this chunk's extension
  size_t extensions_ = 0;  // bytes of all extensions of the body
  std::string trailer_text_;
  HeaderFields trailers_;
};

// Whether a field may be in trailers (RFC 9110 6.5.1).
bool AllowedInTrailers(std::string_view name);

// The line "HEX\r\n" in front of `size` bytes of data; the chunk ends with kChunkEnd. `size` > 0,
// because a chunk of size 0 ends the body.
class ChunkHeader {
 public:
  explicit ChunkHeader(uint64_t size);
  std::string_view text() const { return {text_.data() + begin_, text_.size() - begin_}; }

 private:
  std::array<char, 18> text_;
  size_t begin_;
};

constexpr std::string_view kChunkEnd = "\r\n";

// Writes the end of a chunked body to `out`: "0\r\n", trailers and the empty line. Leaves out
// trailers that AllowedInTrailers excludes. False: a name or value cannot be written (see
// HeadWriter), or the buffer's limit is reached; then nothing was written.
[[nodiscard]] bool WriteLastChunk(FieldsView trailers, Buffer* out);

}  // namespace meridian::wire::http
