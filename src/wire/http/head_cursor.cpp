#include "wire/http/head_cursor.hpp"

#include <cstring>
#include <expected>
#include <string_view>

#include "base/check.hpp"
#include "wire/http/field_line.hpp"
#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::wire::http {

std::string_view HeadCursor::CompleteLines(std::string_view input) {
  input = input.substr(0, limits_.max_head_bytes);
  CHECK(input.size() >= searched_);
  const void* last_lf = memrchr(input.data() + searched_, '\n', input.size() - searched_);
  searched_ = input.size();
  if (last_lf == nullptr) return {};
  const char* end = static_cast<const char*>(last_lf) + 1;
  return {input.data() + parsed_, end};
}

std::expected<size_t, ParseError> HeadCursor::StartLineSize(std::string_view lines) const {
  size_t size = lines.find('\n') + 1;  // npos + 1 is 0
  size_t pending = size == 0 ? searched_ - parsed_ + 1 : size;
  if (pending > limits_.max_start_line_bytes) {
    return std::unexpected(ParseError::kStartLineTooLong);
  }
  return size;
}

HeadOutcome HeadCursor::ParseFields(std::string_view lines, HeaderFields* fields) {
  while (!lines.empty()) {
    if (lines.starts_with("\r\n")) {
      Advance(2);
      return {.state = HeadOutcome::State::kDone, .consumed = parsed_};
    }
    HeaderField field;
    std::expected<size_t, ParseError> size = ParseFieldLine(lines, &field);
    if (!size) return HeadOutcome::Refuse(size.error());
    if (fields->size() == limits_.max_fields) {
      return HeadOutcome::Refuse(ParseError::kTooManyFields);
    }
    fields->Add(field.name, field.value);
    Advance(*size);
    lines.remove_prefix(*size);
  }
  return NeedMore();
}

HeadOutcome HeadCursor::NeedMore() const {
  if (searched_ >= limits_.max_head_bytes) return HeadOutcome::Refuse(ParseError::kHeadTooLarge);
  return {};
}

}  // namespace meridian::wire::http
