// Writes heads into a buffer, and nothing that a parser could read as more than was meant: a name
// that is not a token, a value with CR, LF, NUL or another control character, a target with a space
// fail the head as a whole (header injection). Never past the buffer's limit. No formatting, no
// allocation but the buffer's.
//
//   HeadWriter writer(&buffer);
//   writer.StatusLine(200);
//   writer.Field("Content-Length", 5);
//   if (!writer.Finish()) ...   // the buffer is as it was before
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "wire/http/message.hpp"

namespace meridian::wire::http {

class HeadWriter {
 public:
  // Nobody else writes to or consumes from `out` until Finish.
  explicit HeadWriter(Buffer* out) : out_(out), start_(out->size()) {}

  // HTTP/1.1 in origin-form ("/..." with an optional query), or "*" as the path.
  void RequestLine(std::string_view method, std::string_view path,
                   std::optional<std::string_view> query = std::nullopt);
  // HTTP/1.1; `status` is 100 to 599; an empty reason is the standard one.
  void StatusLine(int status, std::string_view reason = {});
  // The "0" line of a last chunk, which trailers follow as fields follow a start line.
  void LastChunk();

  void Field(std::string_view name, std::string_view value);
  void Field(const HeaderField& field);
  template <std::unsigned_integral Number>
  void Field(std::string_view name, Number value) {
    NumberField(name, value);
  }

  // Field lines that were parsed or checked before, "Name: value\r\n" each: copied as they are.
  void CheckedLines(std::string_view lines) {
    if (!lines.empty()) Append({lines});
  }

  // Ends the head with the empty line. False when anything of it could not be written; then none of
  // it is in the buffer.
  [[nodiscard]] bool Finish();

 private:
  void NumberField(std::string_view name, uint64_t value);
  void CheckedField(std::string_view name, std::string_view value);
  void Append(std::initializer_list<std::string_view> pieces);

  Buffer* out_;
  size_t start_;
  bool ok_ = true;
};

}  // namespace meridian::wire::http
