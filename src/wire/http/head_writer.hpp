// HeadWriter: writes heads into a buffer and prevents header injection: a name that is not a token,
// a value with CR, LF, NUL or another control character, or a target with a space fails the whole
// head. Never exceeds the buffer's limit. No formatting, no allocation except the buffer's.
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
  // No other code may write to or consume from `out` until Finish.
  explicit HeadWriter(Buffer* out) : out_(out), start_(out->size()) {}

  // HTTP/1.1 in origin-form ("/..." with an optional query), or "*" as the path.
  void RequestLine(std::string_view method, std::string_view path,
                   std::optional<std::string_view> query = std::nullopt);
  // HTTP/1.1; `status` is 100 to 599; an empty reason means the standard one.
  void StatusLine(int status, std::string_view reason = {});
  // The "0" line of a last chunk; trailers follow it as fields follow a start line.
  void LastChunk();

  void Field(std::string_view name, std::string_view value);
  void Field(const HeaderField& field);
  template <std::unsigned_integral Number>
  void Field(std::string_view name, Number value) {
    NumberField(name, value);
  }

  // Copies field lines that were parsed or checked before, "Name: value\r\n" each.
  void CheckedLines(std::string_view lines) {
    if (!lines.empty()) Append({lines});
  }

  // Ends the head with the empty line. False: some part could not be written, and the buffer is
  // unchanged.
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
