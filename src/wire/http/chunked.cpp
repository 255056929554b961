#include "wire/http/chunked.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/field_line.hpp"
#include "wire/http/fields/field_role.hpp"
#include "wire/http/head_writer.hpp"
#include "wire/http/hop_by_hop.hpp"
#include "wire/http/limits.hpp"
#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::wire::http {
namespace {

// Fields not allowed in trailers, in addition to those with a role in requests.
constexpr std::string_view kNotInTrailers[] = {
    // Authentication.
    "set-cookie", "www-authenticate",
    // Control data of the response.
    "age", "date", "expires", "location", "retry-after", "vary", "warning"};

}  // namespace

bool AllowedInTrailers(std::string_view name) {
  return !IsHopByHop(name) && RoleOf(name) == FieldRole::kPlain &&
         std::ranges::none_of(kNotInTrailers, [name](std::string_view barred) {
           return EqualsIgnoreCase(name, barred);
         });
}

void ChunkedDecoder::Reset() {
  position_ = Position::kSize;
  left_ = 0;
  digits_ = extension_ = extensions_ = 0;
  trailer_text_.clear();
  trailers_.Clear();
}

ChunkedDecoder::Step ChunkedDecoder::Feed(std::string_view input) {
  Step step;
  while (step.consumed < input.size() && position_ != Position::kEnd) {
    if (position_ == Position::kData) {
      if (!step.data.empty()) return step;  // returns one run per call
      auto size = static_cast<size_t>(std::min<uint64_t>(left_, input.size() - step.consumed));
      step.data = input.substr(step.consumed, size);
      step.consumed += size;
      left_ -= size;
      if (left_ == 0) position_ = Position::kDataCr;
      continue;
    }
    if (auto error = Frame(input[step.consumed])) {
      step.state = State::kError;
      step.error = *error;
      return step;
    }
    ++step.consumed;
  }
  if (position_ == Position::kEnd) step.state = State::kDone;
  return step;
}

std::optional<ParseError> ChunkedDecoder::Frame(char c) {
  switch (position_) {
    case Position::kSize:
      return SizeChar(c);
    case Position::kBeforeExtension:
    case Position::kExtension:
      return ExtensionChar(c);
    case Position::kSizeLf:
      if (c != '\n') return ParseError::kBareCr;
      position_ = left_ == 0 ? Position::kTrailer : Position::kData;
      digits_ = extension_ = 0;
      return std::nullopt;
    case Position::kDataCr:
      if (c != '\r') return ParseError::kBadChunkEnd;
      position_ = Position::kDataLf;
      return std::nullopt;
    case Position::kDataLf:
      if (c != '\n') return ParseError::kBadChunkEnd;
      position_ = Position::kSize;
      return std::nullopt;
    case Position::kTrailer:
      return TrailerChar(c);
    case Position::kData:
    case Position::kEnd:
      break;
  }
  CHECK(false);  // Feed handles both states itself
}

std::optional<ParseError> ChunkedDecoder::SizeChar(char c) {
  if (int value = HexValue(c); value >= 0) {
    if (++digits_ > kMaxChunkSizeDigits) return ParseError::kChunkTooLarge;
    left_ = left_ << 4 | static_cast<uint64_t>(value);
    return std::nullopt;
  }
  if (digits_ == 0) return ParseError::kBadChunkSize;
  if (c == '\r') {
    position_ = Position::kSizeLf;
    return std::nullopt;
  }
  if (c != ';' && !Is(c, kWhitespace)) return ParseError::kBadChunkSize;
  position_ = Position::kBeforeExtension;
  return ExtensionChar(c);
}

// chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS value ] ). We ignore its content, but every parser
// must see the same end of it: no control characters, CRLF.
std::optional<ParseError> ChunkedDecoder::ExtensionChar(char c) {
  if (position_ == Position::kBeforeExtension) {
    if (c == ';') position_ = Position::kExtension;
    if (c != ';' && !Is(c, kWhitespace)) return ParseError::kBadChunkExtension;
  } else if (c == '\r') {
    position_ = Position::kSizeLf;
    return std::nullopt;
  }
  if (c == '\n') return ParseError::kBareLf;
  if (!Is(c, kValueChar)) return ParseError::kBadChunkExtension;
  if (++extension_ > kMaxChunkExtensionBytes || ++extensions_ > kMaxBodyExtensionBytes) {
    return ParseError::kChunkExtensionTooLong;
  }
  return std::nullopt;
}

std::optional<ParseError> ChunkedDecoder::TrailerChar(char c) {
  if (trailer_text_.size() == kMaxTrailerBytes) return ParseError::kTrailersTooLarge;
  trailer_text_.push_back(c);
  if (c != '\n') return std::nullopt;
  if (!trailer_text_.ends_with("\r\n")) return ParseError::kBareLf;
  if (trailer_text_.size() > 2 && !trailer_text_.ends_with("\n\r\n")) return std::nullopt;
  position_ = Position::kEnd;
  return ParseTrailers();
}

std::optional<ParseError> ChunkedDecoder::ParseTrailers() {
  std::string_view lines = trailer_text_;
  for (size_t count = 0; lines != "\r\n"; ++count) {
    if (count == kMaxTrailerFields) return ParseError::kTrailersTooLarge;
    HeaderField field;
    std::expected<size_t, ParseError> size = ParseFieldLine(lines, &field);
    if (!size) return size.error();
    if (AllowedInTrailers(field.name)) trailers_.Add(field.name, field.value);
    lines.remove_prefix(*size);
  }
  return std::nullopt;
}

ChunkHeader::ChunkHeader(uint64_t size) : begin_(text_.size()) {
  CHECK(size > 0);
  text_[--begin_] = '\n';
  text_[--begin_] = '\r';
  for (; size > 0; size >>= 4) text_[--begin_] = "0123456789abcdef"[size & 15];
}

bool WriteLastChunk(FieldsView trailers, Buffer* out) {
  HeadWriter writer(out);
  writer.LastChunk();
  for (const HeaderField& field : trailers) {
    if (AllowedInTrailers(field.name)) writer.Field(field);
  }
  return writer.Finish();
}

}  // namespace meridian::wire::http
